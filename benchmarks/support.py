"""What checking an answer against its passages catches, and what it wrongly flags.

    python benchmarks/support.py             the sets of ../shared
    python benchmarks/support.py --write     and put the tables into benchmarks/RESULTS.md

Every document is cut at its headings into passages of at most 4,000 characters. A case is one
sentence that cites a passage, beside five others that were "sent": the ones of the set that share
most words with it, three of the same document first. Sound cases are sentences of the passage as
they stand and changed by rule (shortened, turned round, inflected, joined, reworded); the unsound
ones are the same sentences with another passage cited, with a value changed, or taken from another
document. Questions that people wrote about a passage stand for freely worded sentences: they are
reported and nothing was chosen by them. Half of the documents (``tuned``) chose the threshold, the
other half (``unseen``) did not. No model is asked; the seed is fixed.

Sentences in German, French and Spanish, written by hand over sample_docs, stand in for answers in
another language than the documents: what they cite is right, and a finding is a false one.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from askmd.citations import LEAST_SUPPORT, LEAST_UNCITED, Checked, check
from askmd.citations.cutting import cut
from askmd.citations.terms import stems_in
from askmd.types import Passage
from quality import EVAL, write

CORPORA = EVAL.parent / "corpora"
FOLDERS = {
    "anthropic_docs": EVAL / "anthropic_docs" / "docs",
    "chroma": EVAL / "chroma" / "docs",
    "xquad": EVAL / "xquad" / "docs",
    "fastapi": CORPORA / "fastapi" / "docs",
    "rustbook": CORPORA / "rustbook" / "src",
}
SEED = 20
LONGEST_PASSAGE = 4000
CASES_A_SET = 400
"""Sentences that are taken of a set."""
SENT_BESIDE = 5
STEPS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
_PAIRS = """
    use:employ uses:employs create:build creates:builds show:display shows:displays large:big
    small:little begin:start began:started help:assist helps:assists get:obtain need:require
    needs:requires make:produce makes:produces provide:offer provides:offers include:contain
    includes:contains many:numerous important:essential allow:let allows:lets change:alter
    changes:alters often:frequently also:additionally however:though because:since return:yield
    returns:yields different:distinct
"""
SYNONYMS = dict(pair.split(":") for pair in _PAIRS.split())
TALK = (
    "I hope this helps!",
    "Let me know if you have any further questions.",
    "Here is a summary of the steps.",
    "In short, there are several ways to do this.",
    "The documents do not say whether this works on Windows.",
    "The passages do not mention any other limits for enterprise accounts.",
    "Here is how to do it:",
    "Would you like more details about the configuration options?",
    "Overall, these steps should help.",
    "Please see the passages above for more detail.",
    "For example:",
    "Note the following important information.",
    "Ich hoffe, das hilft!",
    "Hier sind die Schritte:",
    "Die Dokumente sagen dazu nichts.",
)


HOME = Path(__file__).parents[1]
FOREIGN = {
    "access/ssh-keys.md": (
        "Wir melden uns auf Servern mit Schlüsseln an, niemals mit Passwörtern.",
        "Jede Person hat für jeden Rechner einen eigenen Schlüssel.",
        "Mit der Option `-a 100` wird jeder Versuch, die Passphrase zu erraten, langsamer.",
        "Der private Schlüssel liegt in `id_ed25519` und verlässt den Rechner nie.",
        "La clé publique se trouve dans `id_ed25519.pub` et peut être envoyée à tout le monde.",
        "On choisit une phrase secrète, car un fichier sans elle est un mot de passe sur papier.",
        "La opción `-t ed25519-sk` guarda la parte privada en el hardware.",
        "Si un dispositivo exige RSA, se usa `-t rsa -b 4096`.",
        "`ssh-copy-id` hängt den Schlüssel an `~/.ssh/authorized_keys` an.",
    ),
    "data/backups.md": (
        "Bei Buchungen und Zahlungen dürfen höchstens 5 Minuten verloren gehen.",
        "Die Regel lautet 3-2-1: drei Kopien, auf zwei Arten von Speicher, eine an anderem Ort.",
        "Ein Dump ist eine logische Kopie und bei großen Datenbanken langsam.",
        "Man stellt niemals über der laufenden Datenbank wieder her.",
        "Les fichiers sous `/srv/pier/media` sont sauvegardés avec restic.",
        "Pour une seule table, on ajoute `--table=booking` à la commande.",
        "Les serveurs ne sont pas sauvegardés, ils sont reconstruits en 1 heure.",
        "El trabajo nocturno copia la carpeta al almacenamiento de objetos.",
        "Quien entra en la cuenta de producción no debe poder borrar las copias.",
        "Con `pg_restore --list` se ven las entradas del archivo.",
    ),
    "servers/cron.md": (
        "Für eine einzeilige Aufgabe auf einem einzigen Rechner reicht cron aus.",
        "Der Sonntag ist sowohl 0 als auch 7.",
        "Mit `crontab -e` bearbeitet man die eigene Tabelle.",
        "Ein Timer von systemd holt nach einem Neustart Versäumtes nach.",
        "Les noms de fichiers ne doivent contenir aucun point, sinon le fichier est ignoré.",
        "Cron ne lit ni votre profil ni `.bashrc`.",
        "Il faut écrire des chemins absolus et définir `PATH`.",
        "La línea `30 2 * * *` se ejecuta cada noche a las 02:30.",
        "Las tareas del sistema van en `/etc/cron.d/`, donde un sexto campo nombra al usuario.",
    ),
    "operations/incidents.md": (
        "Ein Vorfall ist alles, was den Nutzern schadet und was niemand allein beheben kann.",
        "Im Zweifel nimmt man die schlimmere der beiden Stufen.",
        "Le responsable décide, garde la vue d'ensemble et ne tape aucune commande.",
        "Toutes les vingt minutes, on demande ce que l'on sait et ce que l'on essaie ensuite.",
        "Quien abre el incidente lo dirige hasta que lo entrega a otra persona.",
        "Si se han expuesto datos, hay que llamar de inmediato al delegado de protección.",
    ),
}
"""Hand-written: what a document of sample_docs says, in another language."""


@dataclass(frozen=True)
class Text:
    """A passage-sized piece of a document, and the sentences that can be said from it."""

    path: str
    heading: tuple[str, ...]
    chars: tuple[int, int]
    text: str
    stems: frozenset[str]

    def sent(self, number: int) -> Passage:
        """Return it as a passage that was sent under a number."""
        return Passage(number, self.path, self.heading, "", (1, 1), self.chars, (), 0.5, self.text)


@dataclass
class Tally:
    """How many cases of a class there were, and the support each was given."""

    support: list[float] = field(default_factory=list)
    flagged: int = 0
    unsaid: int = 0
    """Cases of which nothing could be said."""

    def share(self, least: float) -> float:
        """Return the share whose support is below a threshold."""
        return sum(one < least for one in self.support) / max(1, len(self.support))


def pieces(path: str, text: str) -> Iterator[tuple[tuple[str, ...], int, str]]:
    """Yield a document's text between headings, cut at blank lines where it is long."""
    trail: list[str] = []
    at = 0
    for part in re.split(r"(?m)^(?=#{1,6} )", text):
        if found := re.match(r"(#{1,6}) +(.*)", part):
            trail = [*trail[: len(found[1]) - 1], found[2].strip(" #")]
        start = 0
        while start < len(part):
            end = len(part)
            if end - start > LONGEST_PASSAGE:
                cut_at = part.rfind("\n", start + 1, start + LONGEST_PASSAGE)
                end = cut_at if cut_at > start else start + LONGEST_PASSAGE
            yield tuple(trail), at + start, part[start:end]
            start = end
        at += len(part)


def read_set(folder: Path) -> list[Text]:
    texts = []
    for file in sorted(folder.rglob("*.md")):
        path = file.relative_to(folder).as_posix()
        text = file.read_text(encoding="utf-8", errors="replace")
        for heading, at, part in pieces(path, text):
            if len(part.split()) >= 20:
                stems = frozenset(stems_in(part))
                texts.append(Text(path, heading, (at, at + len(part)), part, stems))
    return texts


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a passage that say something by themselves, markup left in."""
    found = []
    plain = re.sub(r"(?ms)^ *(`{3,}|~{3,}).*?^ *\1[`~]* *$", "", text)
    for block in re.split(r"\n\s*\n", plain):
        if re.match(r"\s*(#|\||!|<|:{3}|/{3}|>|\{|    )", block):
            continue
        whole = " ".join(re.sub(r"^\s*(?:[-*+]|\d+[.)])\s+", "", block).split())
        found += [whole[a:b] for a, b in cut(whole, []) if 6 <= len(whole[a:b].split()) <= 40]
    return [
        one
        for one in found
        if one[-1] in ".!" and one[0].isupper() and not set('["\u201c') & set(one)
    ]


def beside(gold: Text, texts: Sequence[Text], said: str) -> list[Text]:
    """Return what a search would send beside a passage: most words shared with a sentence."""
    words = stems_in(said)
    others = sorted(
        (one for one in texts if one is not gold),
        key=lambda one: (-len(words & one.stems) / (len(one.stems) + 30), one.path, one.chars),
    )
    near = [one for one in others if one.path == gold.path][:3]
    far = [one for one in others if one.path != gold.path]
    return [*near, *far[: SENT_BESIDE - len(near)]]


def holds(text: Text, said: str) -> bool:
    """Tell whether a passage repeats a sentence, as some documents do."""
    return said in " ".join(text.text.split())


# How a sentence is changed: each returns an empty text where it cannot.


def shortened(said: str, _chance: random.Random) -> str:
    kept = re.sub(r" \([^()]*\)", "", said)
    head, comma, _tail = kept.rpartition(", ")
    if comma and len(head.split()) >= 6:
        kept = head + "."
    return kept if kept != said else ""


def turned(said: str, _chance: random.Random) -> str:
    head, comma, tail = said.rstrip(".!").partition(", ")
    return f"{tail[:1].upper()}{tail[1:]}, {head[:1].lower()}{head[1:]}." if comma else ""


def inflected(said: str, _chance: random.Random) -> str:
    def other(found: re.Match[str]) -> str:
        word = found[0]
        if word.endswith("ing"):
            return word[:-3] + "s"
        if word.endswith("s") and not word.endswith("ss"):
            return word[:-1]
        return word + ("d" if word.endswith("e") else "s")

    changed = re.sub(r"(?<![\w`/.-])[a-z]{5,}(?![\w`/.-])", other, said)
    return changed if changed != said else ""


def reworded(said: str, _chance: random.Random) -> str:
    changed = re.sub(r"\b[a-z]+\b", lambda found: SYNONYMS.get(found[0], found[0]), said)
    return f"According to the guide, {changed[:1].lower()}{changed[1:]}" if changed != said else ""


def number_changed(said: str, chance: random.Random) -> str:
    def other(found: re.Match[str]) -> str:
        digits = found[0]
        while digits == found[0]:
            digits = str(chance.randrange(10 ** (len(found[0]) - 1), 10 ** len(found[0])))
        return digits

    changed = re.sub(r"(?<![\w.,])\d+(?![\w]|[.,]\d)", other, said, count=1)
    return changed if changed != said else ""


def name_changed(said: str, chance: random.Random) -> str:
    names = ("Ravenna", "Okonkwo", "Lindqvist", "Zephyr", "Marbella", "Tanaka", "Vesuvius")
    spots = list(re.finditer(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b", said))
    if not spots:
        return ""
    spot = chance.choice(spots)
    return said[: spot.start()] + chance.choice(names) + said[spot.end() :]


def identifier_changed(said: str, chance: random.Random) -> str:
    names = ("retry_backoff_ms", "--skip-verify", "LegacyPool", "cache.ttl", "flush_queue()")
    spots = list(re.finditer(r"`[^`]+`", said))
    if not spots:
        return ""
    spot = chance.choice(spots)
    return f"{said[: spot.start()]}`{chance.choice(names)}`{said[spot.end() :]}"


def as_it_stands(said: str, _chance: random.Random) -> str:
    return said


SOUND: dict[str, Callable[[str, random.Random], str]] = {
    "as it stands": as_it_stands,
    "shortened": shortened,
    "turned round": turned,
    "inflected": inflected,
    "reworded, framed": reworded,
}
UNSOUND: dict[str, Callable[[str, random.Random], str]] = {
    "a number changed": number_changed,
    "an identifier changed": identifier_changed,
    "a name changed": name_changed,
}
ROWS = (
    *(f"sound: {name}" for name in (*SOUND, "two joined", "a question's words")),
    *(f"unsound: {name}" for name in UNSOUND),
    "unsound: another passage of the document cited",
    "unsound: a passage of another document cited",
    "unsound: said by another document",
    "unsound: a question's words, another passage of the document cited",
)
QUOTE_ROWS = (
    "sound: quoted, emphasis and white space changed",
    "sound: quoted with an ellipsis",
    "unsound: one word of a quotation changed",
    "unsound: quoted from another passage",
)
BARE_ROWS = (
    "sound: said without a mark",
    "sound: talk",
    "sound: in another language",
    "sound: in another language, without a mark",
    "unsound: not sent, without a mark",
)


class Bench:
    """Tallies by half and class."""

    def __init__(self) -> None:
        self.tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)

    def cited(self, half: str, name: str, said: str, sent: list[Text], number: int) -> None:
        """Check one sentence that cites a number."""
        checked = self._check(f"{said.rstrip('.!?')} [{number}].", sent)
        tally = self.tallies[half, name]
        supports = [one.support for one in checked.sentences if one.support is not None]
        if not supports:
            tally.unsaid += 1
            return
        tally.support.append(min(supports))
        tally.flagged += bool(checked.findings)

    def plain(self, half: str, name: str, text: str, sent: list[Text], word: str = "") -> None:
        """Check a text, and count whether a finding has a word in it."""
        checked = self._check(text, sent)
        tally = self.tallies[half, name]
        tally.support.append(1.0)
        tally.flagged += any(word in line for line in checked.findings)

    @staticmethod
    def _check(text: str, sent: list[Text]) -> Checked:
        return check(text, [one.sent(number) for number, one in enumerate(sent, start=1)])


def half_of(path: str) -> str:
    return ("tuned", "unseen")[sum(path.encode()) % 2]


def run_sentences(bench: Bench, texts: list[Text], strangers: list[str], seed: str) -> None:
    chance = random.Random(seed)
    pool = [(one, said) for one in texts for said in sentences_of(one.text)]
    for gold, said in chance.sample(pool, min(CASES_A_SET, len(pool))):
        half = half_of(gold.path)
        sent = [gold, *beside(gold, texts, said)]
        for name, change in SOUND.items():
            if changed := change(said, chance):
                bench.cited(half, f"sound: {name}", changed, sent, 1)
        run_joined(bench, half, said, sent, chance)
        for name, change in UNSOUND.items():
            if changed := change(said, chance):
                bench.cited(half, f"unsound: {name}", changed, sent, 1)
        if sent[1].path == gold.path and not holds(sent[1], said):
            name = "unsound: another passage of the document cited"
            bench.cited(half, name, said, sent, 2)
        if sent[-1].path != gold.path:
            name = "unsound: a passage of another document cited"
            bench.cited(half, name, said, sent, len(sent))
        stranger = chance.choice(strangers)
        bench.cited(half, "unsound: said by another document", stranger, sent, 1)
        run_uncited(bench, half, said, stranger, sent)
        run_quotes(bench, half, said, sent, chance)


def run_joined(bench: Bench, half: str, said: str, sent: list[Text], chance: random.Random) -> None:
    mates = [one for one in sentences_of(sent[0].text) if one != said]
    if mates:
        mate = chance.choice(mates)
        joined = f"{said.rstrip('.!')}, and {mate[:1].lower()}{mate[1:]}"
        bench.cited(half, "sound: two joined", joined, sent, 1)


def run_uncited(bench: Bench, half: str, said: str, stranger: str, sent: list[Text]) -> None:
    # Another sentence cites, so that the answer as a whole does.
    bench.plain(half, BARE_ROWS[0], f"Yes [1].\n\n{said}", sent, "no passage")
    bench.plain(half, BARE_ROWS[-1], f"Yes [1].\n\n{stranger}", sent, "no passage")


def run_quotes(bench: Bench, half: str, said: str, sent: list[Text], chance: random.Random) -> None:
    if "..." in said:
        return
    words = said.rstrip(".!").split()
    shape = " ".join(words[:2]).upper() + "\n**" + " ".join(words[2:]) + "**"
    bench.plain(half, QUOTE_ROWS[0], f"It says \u201c{shape}\u201d [1].", sent, "quoted")
    elided = [*words[:3], "\u2026", *words[-3:]]
    bench.plain(half, QUOTE_ROWS[1], f'It says "{" ".join(elided)}" [1].', sent, "quoted")
    words[chance.randrange(len(words))] = "marzipan"
    bench.plain(half, QUOTE_ROWS[2], f'It says "{" ".join(words)}" [1].', sent, "quoted")
    if not holds(sent[1], said):
        bench.plain(half, QUOTE_ROWS[3], f'It says "{said}" [2].', sent, "quoted")


def run_foreign(bench: Bench, texts: list[Text]) -> None:
    """Check each sentence beside its whole document, as it is cited and as it is not."""
    for path, said in FOREIGN.items():
        sent = [one for one in texts if one.path == path]
        marks = "".join(f"[{number}]" for number in range(1, len(sent) + 1))
        for one in said:
            bench.plain(half_of(one), BARE_ROWS[2], f"{one.rstrip('.')} {marks}.", sent)
            bench.plain(half_of(one), BARE_ROWS[3], f"Yes [1].\n\n{one}", sent)


def run_questions(bench: Bench, texts: list[Text], file: Path) -> None:
    """Check the words of the set's own questions, as if they were said of the passage they ask."""
    rows = [json.loads(row) for row in file.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        target = row["expect"][0]
        middle = sum(target["chars"]) // 2
        found = [
            one
            for one in texts
            if one.path == target["path"] and one.chars[0] <= middle < one.chars[1]
        ]
        if len(row["expect"]) > 1 or not found:
            continue
        sent = [found[0], *beside(found[0], texts, row["question"])]
        half = half_of(found[0].path)
        bench.cited(half, "sound: a question's words", row["question"], sent, 1)
        if sent[1].path == found[0].path:
            bench.cited(half, ROWS[-1], row["question"], sent, 2)


def table(bench: Bench, half: str) -> str:
    steps = " | ".join(f"< {step:.2f}" for step in STEPS)
    lines = [
        f"| {half}: flagged, % | n | as shipped | {steps} | median |",
        "| --- |" + " --- |" * (len(STEPS) + 3),
    ]
    for name in (*ROWS, *QUOTE_ROWS, *BARE_ROWS):
        tally = bench.tallies[half, name]
        count = len(tally.support)
        cells = [f"{100 * tally.share(step):.1f}" if name in ROWS else "" for step in STEPS]
        middle = f"{sorted(tally.support)[count // 2]:.2f}" if name in ROWS and count else ""
        shipped = f"{100 * tally.flagged / max(1, count):.1f}"
        lines.append(f"| {name} | {count} | {shipped} | {' | '.join(cells)} | {middle} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    options = parser.parse_args()
    if not EVAL.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no question sets at {EVAL}")
    sets = {name: read_set(folder) for name, folder in FOLDERS.items()}
    bench = Bench()
    for name, texts in sets.items():
        others = [one for other, many in sets.items() if other != name for one in many[::7]]
        strangers = [said for one in others for said in sentences_of(one.text)]
        run_sentences(bench, texts, strangers, f"{SEED} {name}")
        for place, text in enumerate(TALK):
            some = texts[place * 7 : place * 7 + 5]
            half = ("tuned", "unseen")[place % 2]
            bench.plain(half, BARE_ROWS[1], f"Yes [1].\n\n{text}", some, "no passage")
        file = EVAL / name / "questions.jsonl"
        if file.exists():
            run_questions(bench, texts, file)
        print(f"{name}: {len(texts)} passages", file=sys.stderr)
    run_foreign(bench, read_set(HOME / "sample_docs"))
    text = (
        f"Thresholds: {LEAST_SUPPORT} of what a sentence cites, {LEAST_UNCITED} of all that was "
        f"sent where it cites nothing.\n\n{table(bench, 'tuned')}\n\n{table(bench, 'unseen')}"
    )
    print(text)
    if options.write:
        write(text, "support")


if __name__ == "__main__":
    main()
