"""How English questions lean on what was said before: data."""

from __future__ import annotations

from askmd.conversation.grammar import Language

_ADVERBS = "be|still|even|really|ever|not|always|generally|also|usually|actually|best|better|then"
_ABOUT_ITSELF = (
    "able|going|supposed|used|allowed|meant|ready|likely|about|set|due|configured|called|easy|hard"
)

ENGLISH = Language(
    name="en",
    function="""
        a about after again all also always am an and any anybody anyone anything are aren as at be
        because been before being between both but by can cannot could couldn d did didn do does
        doesn doing don done during each either else every everybody everything for from had has
        hasn have haven having he her here him his how i if in into is isn it its just let ll m may
        maybe me might mine must my need needs no nobody nor not now of off on once only or other
        our out over own per please re s shall she should shouldn since so some somebody somehow
        someone something such t than that the their them then there these they this those through
        to too under until up upon us ve very via was wasn we were weren what whatever when where
        whether which while who whom whose why will with within without won would wouldn yes yet you
        your
    """,
    hollow="""
        add advantage advantages afterwards allow allowed already alternative alternatives another
        answer answers apply automatically avoid back bad benefit benefits best better big bit break
        breaks build by case cases cause causes change changed changes cheap cheaper check choose
        code come comes command commands compare configure consequence consequences correct
        correctly cost costs create dangerous day days declare default defaults delete deploy
        details difference differences different difficult disable disadvantage disadvantages
        downside drawback drawbacks earlier easier easy edit effect effects enable end enough error
        errors ever exactly example examples exist exists expect expensive explain export fail
        failed fails fast faster fastest few file files find first fix forget forgot generate get
        gets give gives go goes going good got hand handle happen happened happening happens hard
        help here hour hours idea if import important impossible install installed instead keep
        keeps kept kind know large larger last later latest leave left less like limit limits line
        list live long longer look looks lose lost main make makes manually many matter maximum mean
        means mend minimum minute minutes month months more most much name names necessary never new
        next night notice number numbers off often okay old one ones open option optional options
        order package part parts pass pay people person place point possible practice practise
        prefer prepare problem problems produce provision purpose put quick quickly quite reach read
        reason reasons receive recommended remove renew renewed replace require required rest
        restart result results revert right risk risks rotate rotated rule rules run running runs
        safe safely safer same save say says second seconds see serve set setting settings several
        shorter should show simple simpler single size slow slower small smaller smallest solution
        something sometimes soon stand stands start started step steps still stop stopped store sure
        switch syntax take takes tell test thing things third time times together tool tools true
        try turn turned twice two type undo update upgrade upload usage use used using usual value
        values verify version versions wait want watch way ways week weeks well what whole work
        working works worse worst worth would write wrong year years
    """,
    leads=r"(?:and|but|or|so|ok|okay|now|then|well|hm+|also|plus)\b[\s,:]*",
    openers=(
        r"(?:and|but|or|so|ok|okay|then|now|also)\b[\s,:]*(?:(?:what|how) about\b\s*)?"
        r"|(?:(?:what|how) about|(?:does the |the )?same (?:go )?(?:for|with))\b\s*"
    ),
    ties=(
        r"^(?:(?:and|but|so|ok|okay|or|then)\b[\s,]*)?"
        r"(?:what about|how about|what if|same (?:for|with|on|in)|likewise|what else|how else|"
        r"who else|where else|why not|and if|tell me more|more (?:about|on) (?:that|this|it)|"
        r"more details?\W*$|say more)\b"
        r"|\b(?:too|as well|instead|then|there|either|afterwards|after that|otherwise)\W*$"
        r"|\bthe (?:same|others?|latter|former|rest|first|second|third|last|next)"
        r"(?: (?:ones?|two|three))?\W*$|\bthe same\b(?! (?:time|as)\b)"
        r"|\b(?:the|an?|which|that|this|another|each|every|no)(?: (?!one\b)[\w-]+)? ones?\b"
        r"|\b(?:step|point|option|number|item|part|method|variant|way)s? "
        r"(?:\d+|one|two|three|four|five)\b"
        r"|\bthe (?:first|second|third|fourth|fifth|last|other|next|previous) "
        r"(?:step|point|option|item|part|method|variant|way|command|line|thing|case|approach)\b"
    ),
    expletives=(
        rf"\bit(?:'s)? (?:(?:{_ADVERBS}) ){{0,3}}(?!(?:{_ABOUT_ITSELF})\b)"
        r"(?:an? (?:good|bad) idea|[a-z]+(?<!ing)) (?:to|that|if|whether|for \w+ to)\b"
        r"|\bit (?:takes?|costs?|matters?|makes? sense|helps?|hurts?|pays?|worth)\b"
        r"(?= .{0,60}\b(?:to|that|if|whether|when|until|for|before)\b)"
        r"|\bit(?:'s| is) \w+ (?:to|that)\b"
        r"|\bthis (?:handbook|documentation|repo|repository|project|week|year|month|time)\b"
        r"|\b(?:this|these)\b(?=[^?]{0,80}[:`\"])"
    ),
    pointers=(
        r"\b(?:it|its|itself|they|them|their|theirs|this|these|those|he|she|him|such)\b"
        r"|\b(?:do|does|did|can|will|would|should|could|about|for|of|like|with|without|after|before"
        r"|from|by|to|than|on|in|at|all|why|how) that\b"
        r"|^(?:and |but |so |ok,? )?(?:is|was|isn't|wasn't|are|what'?s?(?: is)?|why is|how is|"
        r"when is|where is|since when is) that\b|\bthat(?:'s)?\W*$|^that(?:'s| is| was)\b"
        r"|\b(?:all|both|one|some|any|none|most|each|two|which) of (?:them|these|those)\b"
        r"|\b(?:do|use|need|keep|run|have) both\b|\bboth\W*$|\bin there\b"
    ),
    clauses=(
        r"[,;:.] |\b(?:and|but|or|when|if|because|after|before|so|while|until|once|unless|without|"
        r"though) "
    ),
    articles="a an the my our your his every each any this some one no two",
    asks=(
        r"(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|"
        r"should|shall|will|would|may|might|must|has|have|had|am|tell|show|explain|describe|list|"
        r"give|find|isn't|aren't|don't|doesn't|can't|won't)\b"
    ),
    fragments=(
        r"(?:on|in|for|with|without|from|at|to|under|after|before|during|by|as|via|over|inside|"
        r"outside|behind|between|only|just|not|even|every|each|all|any|the|an?|another|no|if|when|"
        r"because|like|than|since|until|instead)\b"
    ),
    elliptic=(
        r"(?:(?:how|when|where|why|what) )?(?:often |long |exactly )?"
        r"(?:do|does|can|should|must|may|could|would|will|did) (?:i|we|you|one|somebody|anybody) "
        r"(?:have to |need to |want to )?[a-z]+(?: (?:first|now|again|safely|manually))?"
        r"|(?:how|where|when|who|why) (?:\S+ ){1,4}(?:the|my|our) [\w-]+"
        r"|what(?:'s| is| does) (?:\S+ )?\d+(?: \S+){0,2}"
    ),
    forms="""
        again arabic authoritative brief briefly bullet bulleted bullets certain checklist chinese
        clearer concise concisely condense continue danish detail detailed dr dutch elaborate
        english example examples finnish five format french german gist greek hindi italian japanese
        json korean languages layman list longer markdown norwegian numbered only outline paragraph
        paragraphs paraphrase polish portuguese recap repeat rephrase reword rewrite russian
        sentence sentences short shorten shorter simple simpler simplify simply source sources
        spanish sum summarise summarize summary swedish table terms thank thankful thanks thx tl
        tl;dr tldr translate turkish ukrainian verbose yaml
    """,
    beside="""
        a about above all an and answer answers are as at beginner bit bullet by can child code
        command commands could do don down everything explain explanation few fewer for format full
        give great i i'm if im in into it items just kid kindly last less let like lines list long
        lot make me more most much my need now number of ok okay old one only other part plain
        please point points possible previous provide put quick quickly reply response s same say
        show skip so some step steps style t tell text that the them then these this those three to
        too two up us version very want was way were with without word words would write year years
        you your
    """,
    remarks=(
        r"(?:ok(?:ay)?,? |oh,? |but |and |so |hm+,? |sorry,? |wait,? )?(?:"
        r"(?:what|how) (?:do|did) you (?:just |exactly )?(?:mean|say)(?: (?:by|with) "
        r"(?:that|this|it))?"
        r"|what(?: exactly)? (?:does|did) (?:that|this|it|all that|all this) (?:even |all )?mean"
        r"|(?:really,? )?(?:are|were) you (?:really |absolutely |quite |very )?"
        r"(?:sure|certain|serious)(?: (?:about|of) (?:that|this|it))?"
        r"|really|seriously|is (?:that|this|it) (?:really |still |actually |all )?"
        r"(?:right|correct|true|all|so|certain|accurate|wrong)"
        r"|(?:that|this)(?:'s| is| sounds| looks)"
        r" (?:not )?(?:wrong|right|correct|great|good|perfect|helpful|it|all|true)"
        r"(?: (?:thanks|thank you))?"
        r"|(?:which|what) (?:file|page|document|doc|source|passage|section|chapter|part) "
        r"(?:says?|mentions?|states?|tells?|is|has|does|did)(?: (?:that|this|it|so|you))?"
        r"(?: (?:from|in|come from|say that|say this|use|get that from))?"
        r"|in (?:which|what) (?:file|page|document|section)(?: is (?:that|this|it))?"
        r"|where (?:does it say|is it written|did you (?:get|find|read|see)|do you (?:get|have))"
        r"(?: (?:that|this|it|so))?(?: from)?"
        r"|where (?:is|does|did) (?:that|this|it) (?:from|say|stand|written|come from)(?: that)?"
        r"|how do you know(?: (?:that|this|it))?|(?:says who|who says)(?: (?:that|so|this))?"
        r"|what(?:'s| is| was| are| were) (?:your|the) (?:sources?|references?|reference)"
        r"|(?:i )?(?:(?:still )?(?:do not|don't|did not|didn't) (?:get|understand|follow)"
        r"|can't follow|understand|see|got)(?: (?:it|that|this|a word|you))?(?: at all)?"
        r"(?:,? (?:please |can you )?(?:explain|say) .{1,40})?"
        r"|(?:please )?(?:go on|keep going|carry on|proceed|continue|and more|more|next|go ahead)"
        r"(?:,? please)?"
        r"|(?:many |ok,? |great,? |perfect,? |good,? |nice,? )?(?:thanks|thank you|thx|cheers)"
        r"(?:,? (?:a lot|a bunch|so much|very much|again|for .{1,30}|that .{1,30}|i .{1,30}))?"
        r"|ok(?:ay)?|yes|no|yep|nope|great|perfect|nice|good|cool|awesome|wow|hm+|huh|hi|hello|bye|"
        r"goodbye|good job|well done|got it|i see|all right|alright|sounds good|never ?mind"
        r"|(?:great|perfect|good|nice|cool|awesome|excellent),? (?:that|this|that's|it) .{1,30}"
        r"|that(?:'s| is) (?:all|what) (?:i|we) (?:needed|wanted).{0,20}"
        r"|you(?:'re| are) (?:wrong|right|mistaken)|(?:what|pardon|sorry|come again)"
        r"|(?:(?:say|put|explain) (?:it|that|this) )?(?:in other words|differently|another way)"
        r"|(?:now |but |please )?(?:with|without|no)(?: (?:any|the|more|less|fewer|all the))? "
        r"(?:explanations?|comments?|examples?|details?|introduction|fluff|jargon)"
        r"|explain (?:that|this|it)(?: to me)?(?: (?:again|better|differently|please))?"
        r")"
    ),
)
