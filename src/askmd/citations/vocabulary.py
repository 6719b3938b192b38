"""Words that say nothing about what a document holds: data."""

from __future__ import annotations

_FUNCTION = """
    a about after again all also although always am an and another any are as at be because been
    before being below between both but by can cannot could did do does doing done during each
    either else even ever every for from further get gets given had has have having he hence her
    here him his how however i if in instead into is it its itself just let like made make makes
    many may me might more most much must my need needs neither never no nor not now of off often on
    once one only onto or other otherwise our out over own per rather same shall she should since so
    some still such than that the their them then there thereby therefore these they this those
    through thus to too under until up upon us use used uses using very via was we well were what
    when where whereas whether which while who whom whose why will with within without would yes yet
    you your yours yourself don doesn didn isn aren wasn weren won wouldn shouldn couldn cannot ll
    ve re
    aber als am an auch auf aus bei beim bis da damit dann das dass dein dem den der des die dies
    diese diesem diesen dieser dieses durch ein eine einem einen einer eines er es für hat haben
    ihr ihre im in ist kann können man mit muss müssen nach nicht noch nur oder sein sich sie sind
    so über um und unter vom von vor wenn werden wie wird wurde zu zum zur zwischen
    au aux avec ce ces cette dans de des du elle en est et être il ils la le les leur mais ne nous
    on ou où par pas plus pour qu que qui sa se ses son sont sur un une vous
    al como con cuando del donde el ella es está esta este esto la las lo los más no o para pero
    por puede que se ser si sin sobre son su sus un una y ya
    che con da dei del della di è gli il nel non per più sono un una uno
    ao com da das do dos em é na nas não no nos o os para pela pelo por são se um uma
    aan bij dat de die dit door een en het hoe in is kan met naar niet of om op te uit van voor
    was wat wordt zijn
"""
FUNCTION_WORDS = frozenset(_FUNCTION.split())
"""Of the languages that most answers are in."""

_SOURCES = """
    passage passages document documents documentation docs source sources context excerpt excerpts
    dokument dokumente dokumenten dokumentation textstelle textstellen passagen
"""
SOURCES = frozenset(_SOURCES.split())
"""What an answer calls what it was given: a sentence about them is no claim of theirs."""

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
