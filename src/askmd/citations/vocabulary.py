"""Words that say nothing about what a document holds: data."""

from __future__ import annotations

_FUNCTION = {
    "en": """
        a about after again all also although always am an and another any are as at be because
        been before being below between both but by can cannot could did do does doing done during
        each either else even ever every for from further get gets given had has have having he
        hence her here him his how however i if in instead into is it its itself just let like
        made make makes many may me might more most much must my need needs neither never no nor
        not now of off often on once one only onto or other otherwise our out over own per rather
        same shall she should since so some still such than that the their them then there thereby
        therefore these they this those through thus to too under until up upon us use used uses
        using very via was we well were what when where whereas whether which while who whom whose
        why will with within without would yes yet you your yours yourself don doesn didn isn aren
        wasn weren won wouldn shouldn couldn cannot ll ve re
    """,
    "de": """
        aber als am an auch auf aus bei beim bis da damit dann das dass dein dem den der des die
        dies diese diesem diesen dieser dieses durch ein eine einem einen einer eines er es für
        hat haben ihr ihre im in ist kann können man mit muss müssen nach nicht noch nur oder sein
        sich sie sind so über um und unter vom von vor wenn werden wie wird wurde zu zum zur
        zwischen
    """,
    "fr": """
        au aux avec ce ces cette dans de des du elle en est et être il ils la le les leur mais ne
        nous on ou où par pas plus pour qu que qui sa se ses son sont sur un une vous
    """,
    "es": """
        al como con cuando del donde el ella es está esta este esto la las lo los más no o para
        pero por puede que se ser si sin sobre son su sus un una y ya
    """,
    "it": """
        che con da dei del della di è gli il nel non per più sono un una uno
    """,
    "pt": """
        ao com da das do dos em é na nas não no nos o os para pela pelo por são se um uma
    """,
    "nl": """
        aan bij dat de die dit door een en het hoe in is kan met naar niet of om op te uit van
        voor was wat wordt zijn
    """,
}
FUNCTION_WORDS = frozenset(word for words in _FUNCTION.values() for word in words.split())
"""Of the languages that most answers are in."""

_TELLING = {
    "de": """
        kein keine keinen keiner jeder jede jedes jeden alle allen sollte dürfen darf zuerst dort
        hier wo ihnen ihm bevor während mehr sobald also sind zum beim ob sofort dazu dafür
    """,
    "fr": """
        l d qu n s c j cela doit doivent peut faut ont avant après chaque tous toutes lors chez
        sans sous entre puis elles ils nos votre vos leurs aussi très soit toujours jamais
    """,
    "es": """
        hay cada debe deben antes después hasta desde también tiene tienen pueden todo todos toda
        todas luego nunca siempre cual quien sus está están
    """,
    "it": """
        l un altra deve devono può possono prima dopo ogni tutti tutte anche alla allo nella sul
    """,
    "pt": """
        deve devem pode podem antes depois cada todos todas também está até sem quando ele ela
    """,
    "nl": """
        moet moeten kunnen niet geen elke alle eerst daarna deze maar ook bij hun wel nog dan
    """,
    "sv": """
        och det att som en är på för med av till den har inte kan om men ett eller när från man
        måste ska detta alla efter
    """,
    "da": """
        og det at som en er på for med af til den har ikke kan om men et eller når fra skal dette
        alle efter
    """,
    "pl": """
        i w na z do nie się jest to że jak od po przez dla o są lub może należy tylko gdy przed co
        każdy musi
    """,
    "cs": """
        a v na se je že s z do o pro jak po které nebo není být jsou musí lze když před každý
    """,
    "tr": """
        ve bir bu için ile de da olarak gibi daha en sonra kadar değil olan her gerekir önce veya
    """,
}
FUNCTION_WORDS_OF = {
    language: frozenset(f"{_FUNCTION.get(language, '')} {_TELLING.get(language, '')}".split())
    for language in {**_FUNCTION, **_TELLING}
}
"""By language: what tells one from another."""

_CALLOUTS = """
    note notes tip tips warning important caution info information hint example danger attention
    remember reminder hinweis hinweise achtung tipp wichtig warnung vorsicht beispiel remarque
    conseil avertissement exemple astuce nota consejo aviso advertencia importante ejemplo atención
    sugerencia avviso attenzione suggerimento esempio dica atenção exemplo opmerking
    注意 提示 参考 警告 备注 重要 说明 注 補足 ヒント 참고 주의
"""
CALLOUTS = frozenset(_CALLOUTS.split())
"""What a callout is labelled with, before its colon."""

_LISTED = """
    line lines section sections page pages heading headings chapter file files see also and
    zeile zeilen abschnitt abschnitte seite seiten kapitel datei dateien siehe auch und
    ligne lignes voir et línea líneas sección ver
"""
_SOURCES = """
    passage passages document documents documentation docs source sources context excerpt excerpts
    dokument dokumente dokumenten dokumentation textstelle textstellen passagen
"""
_NAMES = """
    reference references citation citations quelle quellen fuente fuentes fonte fontes bron bronnen
    出典 来源 來源
"""
SOURCES = frozenset(_SOURCES.split())
"""What an answer calls what it was given: a sentence about them is no claim of theirs."""

LISTED = SOURCES | frozenset((_LISTED + _NAMES).split())
"""What a list of sources is made of, beside their names."""

_TALK = """
    above according answer answers ask asked anything clear detail details example explained feel
    following follows free glad guide happy help helps hope important information key know mention
    mentioned note
    overall please question questions say says see short step steps summarise summarize summary
    tell thing things way ways
    frage fragen gern gerne hilfe hoffe hilft antwort beispiel bitte folgende folgenden schritte
    zusammenfassung
"""
TALK = frozenset(_TALK.split()) | SOURCES
"""What an answer says about itself."""

NUMBERS = {
    word: str(number)
    for words in (
        "two three four five six seven eight nine ten eleven twelve",
        "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    )
    for number, word in enumerate(words.split(), start=2)
}
"""Small numbers by their names."""
