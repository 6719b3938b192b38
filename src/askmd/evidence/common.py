"""Common words: what a question may say beside what it is about.

English words among the first 8000 of the uncased vocabulary of BERT (Apache-2.0), which stand there
in the order of how often they occur; without names, short words and forms of other words here. Of
other languages only the words that hold a sentence together.
"""

# ruff: noqa: RUF001 - Russian letters look like Latin ones.

from __future__ import annotations

from functools import cache

_WORDS = """
    abandon abbey abc ability able aboard above abroad abruptly absence absent absolute absorbed
    abstract abuse academic accent accept acceptance access accessible accident accidentally
    acclaimed accommodate accompanied accompanying accomplished accordance according account
    accuracy accurate accused achieve achievement acid acknowledged acoustic acquire acquisition
    acre across act action activated active activist activity actor actress actual acute adaptation
    adapted add addition additional address adjacent adjusted administration administrative admiral
    admission admit adopt adoption adult advance advantage adventure advertising advice advised
    advisory affair affect affiliated afford afghanistan afraid africa african afternoon afterward
    again against age agency agent aggregate aggressive ago agree agreement agricultural agriculture
    ahead aid aim ain air aircraft airline airport aka alarm alaska album alcohol alert alfred
    algebra algorithm ali alice alien alive alleged alliance allied allies allocated allow almost
    alone along alongside alpha already altered alternate alternative although altogether always
    amateur amazing ambassador amendment america americans among amongst amount analysis ancestors
    anchor ancient andre angel anger angle angry animal animated animation ann anna anniversary
    announced annually anonymous another answer anti anticipation antonio anymore anyone anything
    anyway anywhere apart apartment app apparent appeal appear appearance apple application
    appointed appointment appreciate approach appropriate approval approved approximately arab
    arabic arc arch archaeological archbishop architect architectural architecture archive area
    arena argentina argue argument arizona arkansas arm armenian army arnold arose around arranged
    arrangement array arrest arrival arrive arrow arthur article artifacts artificial artillery
    artist artistic arts ash asian aside ask asleep aspect assault assembled assembly assessment
    assets assigned assignment assist assistance assistant associate association assume assumption
    athens athletes athletic atlanta atlantic atmosphere atomic attached attack attempt attend
    attendance attention attitude attorney attracted attraction attractive attributed audiences
    audio aunt austin australia australian austria author authority authorized auto automatic
    automatically autonomous autumn auxiliary available avenue average aviation avoid aware
    awareness away awful awkward axis baby bachelor back background backup backward bad bag baker
    balance ball ballet baltimore ban bang bangladesh bank baptist bar barbara barcelona bare baron
    baroque barrel barrier barry base baseball basic basically basin basis basketball bat bath
    bathroom battalion battery battle bay bbc beach beam bear beast beat beaten beautiful beauty
    became become bed bedroom beer beetle began begin begun behalf behavior behaviour behind beijing
    belgian belgium belief believe bell belly belong below belt ben bench beneath benefit bent
    bernard beside best bet beta beth beyond bible bid big biggest bike bill billboard billion billy
    bin binding biological birds birmingham birth birthday bishop bit bite black blade blake blame
    blank blanket bleeding blessed blew blind block blog blood bloody blow blue board boat bobby
    body bold bomb bone bonus book boot border born borough boss bother bottle bottom bought bound
    boundary bout bow bowl box boy boyfriend branch brand brazil brazilian break breakfast breast
    breath breathe brick bridge brief brigade bright brilliant bring brisbane bristol britain broad
    broadcast broadway broke broken bronze brooklyn brother brought brown bruce brushed budget
    buffalo build built bulgarian bulk bull bullet bunch burden buried burn burst bus bush business
    businessman busy butler button buy cabin cabinet cable cafe cake calculated calendar call calm
    came camera cameron camp campaign campbell campus canal cancelled cancer candidate canvas cap
    capability capable capacity cape capital captain capture car carbon cardinal care careful cargo
    caribbean carolina carriage carrier carry carter case cash cast castle casual cat catch category
    cathedral catherine catholic cattle caught cause cavalry cave cbs ceased ceiling celebrated
    celebration cell cemetery census center central centre century ceo ceremony certain certificate
    certified chain chair chairman challenge chamber champion championship chan chance change
    channel chaos chapter character characteristic characterized charge charity charlie charlotte
    chart chase cheap check cheek chef chemical chemistry chess chest chi chicken chief childhood
    children chile chip choice choir choose chorus chose chosen christ christian christmas church
    cincinnati cinema circle circuit circular circulation circumstances citation cited citizen city
    civil civilian claim claire clan class classic classical classification classified claude clause
    clay clean clear clerk cleveland client cliff climate climb clinical clinton clock close closest
    closure clothes clothing cloud club clue cluster coach coal coalition coast coastal coat code
    coffee cognitive coin col cole colin collaboration collapse collect collection collective
    collector college colombia colonel colonial colony color colour columbia column com combat
    combination combined come comedy comfort comfortable comic command commented comments commercial
    commission commit commitment committee common commonwealth commune communicate communication
    communist community compact companion company compared comparison compete competition
    competitive compilation compiled complaints complete completion complex complicated component
    composed composer composition compound comprehensive comprises comprising computer computing con
    conceived concentrated concentration concept concern concert concluded conclusion concrete
    condemned condition conducted conductor confidence confident configuration confirmed conflict
    confused confusion congregation congress congressional conjunction connect connecticut
    connection connor conscious consecutive consensus consent consequence consequently conservation
    conservative consider considerable considerably consideration consist consistent console
    consolidated constant constituency constitution constitutional construct construction consumed
    consumer consumption contact contain contemporary content contest context continental continue
    continuous contract contrary contrast contribute contribution control controversial controversy
    convention conventional conversation conversion convert convinced cook cool cooper cooperation
    cooperative coordinator copper copy copyright core corner corporate corps correct correspondence
    corresponding corridor corruption cost costa cotton couch council count country county couple
    course court cousin cover coverage cow crack craft craig crash crazy cream create creation
    creative creator creature credit creek crew cricket crime criminal crisis criteria critic
    critical criticism criticized crop cross crowd crown crucial cry cultural culture cup cure
    curious currency current curse curve custom cut cute cycle cylinder czech dad daily dakota
    dallas dam damage damp dan dance danger dangerous danish danny dare dark darkness data database
    date daughter dave dawn day dead deal dealt dean dear death debate debt debut decade decide
    decision declaration declared decline decorated decrease dedicated deemed deep defeat defence
    defend defensive define definitely definition degree del delay delegates delegation delhi
    deliberately delicate deliver delivery delta demand demo democracy democrat democratic
    demolished demon demonstrate demonstration den denmark dennis dense density deny departed
    departments departure dependent depending depends depicted depicting depicts deployed deployment
    depression depth deputy der derby derek derived des descendants descended descent describe
    description desert deserve design designated desire desk desperate despite destination destroy
    destruction detail detected detection detective determination determine detroit develop
    development device devon devoted dialect diameter diamond dictionary die diego differ difference
    different difficult difficulty dig digital dimension dimensional dining dinner diocese direct
    direction director dirt dirty disabled disappear disappointed disaster disc discontinued
    discover discovery discuss discussion disease dish disk dismissed disney disorder display
    dispute distance distant distinct distinction distinguish distributed distribution district
    diverse diversity divided divine diving division dna doc doctor document documentary dog doi
    doll dollar domain domestic dominant dominated donated door doorway dot double doubt down
    download downtown dozen draft drag dragon drained drama dramatic draw drawn dream dress drew
    drink drive driven drop drove drug drum drunk dry dual dublin duck due duke duncan duo duration
    dust dutch duty dvd dying dynamic dynasty eager eagle ear earl earlier earliest earn ease easier
    easily east eastern easy eat eaten echo economic economy eddie edge edinburgh edit edition
    editor educated educational effect effective efficiency efficient effort egg egypt egyptian
    eight eighteen either elaborate elder eldest elect election electoral electric electrical
    electricity electron electronic element elementary elevated elevation elevator eleven eligible
    eliminate elimination elite elizabeth elsewhere email embedded emerged emergency emily emma
    emotion emotional emperor emphasis empire employed employees employer employment empty enable
    enclosed encounter encourage end endemic endless enemy energy enforcement engaged engine england
    enhanced enjoy enormous enough ensemble ensure enter entertainment entire entitled entity
    entrance entry envelope environment environmental episode equal equality equation equipment
    equipped equivalent era erected error escape especially essence essential est establish
    establishment estate estimate etc ethan ethnic europe evaluation eve even event eventual every
    everybody everyday everyone everything everywhere evidence evident evil evolution evolved exact
    examination examined example excellent except exception excess exchange excited exciting
    exclusive executed execution executive exercise exhausted exhibit exhibition exist existence
    exit expand expansion expect expectations expedition expense expensive experience experiment
    experimental expert explain explanation exploration explore explosion export exposed exposure
    express expression extend extension extensive extent external extra extreme eye facade facebook
    faced faces facilitate facility facing fact factor factory faculty faded fail failure fair faith
    fake fall fallen fame familiar family famous fan fancy fantasy far farm farther fashion fast
    fastest fat fatal fate father fault favor favorable favorite favour fear feat feature fed
    federal federation fee feel feet fell fellow felt female fence ferry festival fever few fiction
    fictional field fifa fifteen fifth fifty fight figure file fill film filter fin final finance
    financial fine finest finger finish finite finland finnish fire firm first fish fist fit fitness
    five fix flag flame flash flat fled fleet flesh flew flight flip floating flood floor flow fluid
    flute fly focus fold folk follow food foot football forbidden force ford forehead foreign forest
    forever forget forgive forgot forgotten fork form formal format formation formula fort forth
    fortune forty forum forward fought found four fourteen fourth fox fragments frame framework
    franchise francis franklin free freedom frequency frequent fresh freyja friend friendship frog
    front frontier frowned frozen fruit frustrated fuel full fully fun function functional
    fundamental funeral funny fur furniture further furthermore fusion future gabriel gain galaxy
    gallery game gang gap garage garden gary gas gate gather gauge gave gay gaze gear gen gender
    gene general generate generation genetic genre gentle gently genuine genus geographic
    geographical geometry germans getting ghost giant gift gilbert girl girlfriend give given glad
    glance glasgow glass glen glenn global globe gmina goal god goddess goes going gold golden golf
    gone gonna good goodbye google gordon gospel got gothic gotta gotten governed governing
    government governor grab grace grade gradually graduate graduation graham grain grammar grand
    grandfather grandmother grandson grant graph graphic grass grateful grave gravity gray great
    greatest green greg gregory grew grey grid grin grip ground group grove grow grown growth
    guarantee guard guardian guess guest guidance guide guilty guinea guitar guitarist gulf gun guy
    gym habitat hadn hair half halfway hallway halt ham hampshire hand handful handle hang hans
    happen happiness happy harbour hard hardware harm harrison harry hart harvard hatch hate hawaii
    head headquarters heal health healthy hear heart heat heaven heavily heavy hebrew height held
    helen helicopter hello help hence henry heritage hero hers herself hey hid hidden hide high
    highest highway hill himself hindu hint hip hired hispanic historian historic historical history
    hit hms hockey hole holiday hollow hollywood holy home honest honey honor honorary honour hood
    hook hop hope horizon horizontal horn horrible horror horse hospital host hostile hot hotel hour
    house household houston howard however http hudson huge hugh hull human humor hundred hung
    hungary hungry hunting hurricane hurry hurt husband hybrid hydrogen hypothesis ibm idea ideal
    identical identification identify identity ignore iii ill illegal illness illustrated image
    imagine immediate immigrants immigration immune impact imperial implement implementation
    importance important imported imposed impossible impressed improve improvement inaugural inch
    incident include inclusion income incorporated increase incumbent indeed independence
    independent index india indian indiana indicate indigenous individual indonesia indoor induced
    industry infantry infected infection infinite influence influential information informed
    infrastructure inhabitants inherited initial initiated initiative injured injury inn innings
    innocent input inside insisted inspection inspector inspiration inspired installation installed
    instance instant instead institutions instructed instruction instrument instrumental insurance
    intact integral integrated integration intellectual intelligence intelligent intended intense
    intensity intent intention inter interaction interactive interchange interest interface
    interference interim interior intermediate internal internationally internet interpretation
    interpreted interrupted intersection interstate interview intimate introduce introduction
    invaded invasion invented invested investigate investigation investment invisible invitation
    invited involve involvement iowa iran iranian iraq ireland iris irish iron isaac isbn islam
    islamic island iso isolated israel israeli issue italian item itself ivy jack jacket jackson
    jacob jacques jail jane japan jaw jeans jeff jennifer jeremy jerry jerusalem jesse jesus jet
    jewish jews jimmy joan job johnny join joint jonathan jordan jose josh journalist journey joy
    judge judgment judicial julie julius jump junction junior jurisdiction jury justice justin
    kansas karl kate keep kelly kentucky kept key keyboard khan kick kid kill kilometers kilometres
    kind kingdom kings kiss kitchen knee knew knife knight knock knots know knowledge known korea
    kurt kyle label labor labour lack ladder lady laid lake landmark landscape lane language lanka
    lap large largest larry las last late latest latino latter laugh laughter launch laura law lawn
    lawsuit lawyer lay layout lead leadership leaf league leaned leaning learn lease least leather
    leave lecture led left leg legacy legal legend legislation legislative legislature length lens
    leo leon leonard les leslie lets letter letting level lewis liberal library licence licensed lie
    lieutenant life lifetime lift light lightning liked likely likes likewise lily limbs limit
    lincoln line linear link lion lips liquid list listen lit literally literary literature little
    live liverpool load lobby local locality located location lock locomotive lodge log logan logic
    logical logo lone long longest look loop loose lord lose lost lot loud louis louisiana love low
    lowest loyal luck lucky lucy luke lunch lung lying lyrics machine machinery mad made madison
    madrid magazines magic magical magnetic magnitude mail main maine mainstream maintain
    maintenance major majority make makeup malaysia male mall man manage management manchester
    mandatory manor mansion manual manuel manufactured manufacturer manufacturing many map mar
    marble marcus margaret margin maria marie marine maritime mark marketing markets marriage marry
    marshal marshall martial maryland mask mason mass massive master match mate material math matrix
    matter mature max maximum maybe mayor mean meant meanwhile measure measurement meat mechanical
    mechanism medals media median medical medicine medieval mediterranean medium meet melbourne
    member membership memorial memory men mental mention merchant merely merged merger merit mess
    message met method metres metro metropolitan mexican mexico miami michigan microsoft mid middle
    midnight migration mike milan mile milk mill million min mine mini minimal minimum minister
    ministry minor minority minute mirror miss missile mission mississippi missouri mistake mit
    mitchell mix mixture mobile mode model moderate modern modified module molecular molecules mom
    moment momentum monastery money monitor monkey monster month montreal monument mood moon moral
    morgan morning moscow mostly moth motion motor mount mountain mouse mouth move movement movie
    mph mrs much muhammad multi multiple munich municipal municipality murder murmured murphy murray
    muscle museum music musician muslim muttered mutual myself mystery naked name narrative narrow
    nathan nation native natural nature naval navigation navy nba nbc ncaa near nearby nearest
    necessarily necessary neck nee negative negotiations neighborhood neighboring neighbors
    neighbouring neil neither nelson nervous nest net network neutral nevada never nevertheless new
    newspaper next nfl nhl nice nick nickname nigeria night nine ninth noah noble nobody nod noise
    nominated nomination non nonetheless norfolk normal norman northeast northern northwest norway
    norwegian nose notable notably note nothing notice notion nova novel novelist now nowhere
    nuclear number numerous nurse oak object objective observation observed observer obtain obvious
    occasion occasional occupation occupied occur ocean odd offensive offer office official often
    ohio oil okay oklahoma old oldest oliver olivia olympic one ongoing online ontario onto onwards
    open opera operate operation operational operators opinion opponent opportunity opposed opposite
    opposition optical option orange orbit order ordinary oregon org organ organic organisation
    organised organization organize orientation oriented origin original originated orleans orthodox
    oscar others otherwise ottoman ought ourselves outcome outdoor outer output outside outstanding
    overall overcome overhead overseas overwhelming owned owner ownership owns oxygen pace pacific
    pack package page paid pain painful paint pair pakistan palace pale palm pan panel panic pants
    paper parade parallel parent parish park parliament parliamentary part partial participants
    participate participation particle particular partner partnership party pass passage passenger
    passion past pat patch patent path patient patrol pattern pause pay payment pdf peace peaceful
    peak pearl pedro peer pen penalty peninsula people per perceived percent percentage percussion
    perfect perform performance perhaps period permanent permission permit perry person personal
    personality personnel perspective peru pet pete phase phenomenon philip philippine philosophy
    phoenix phone photo photographs photography phrase physical physician piano pick picture piece
    pile pilot pin pine pink pioneer pipe pit pitch pittsburgh pizza place placement plain plan
    plane plant plastic plate plateau platform play playoff pleased pleasure plenty plot plus poem
    poet poetry point poison poland pole police policy polish political politician politics poll
    pollution pool poor pop pope popular popularity populated population porch port portal portion
    portland portrait portrayed portuguese position positive possess possession possibility possible
    possibly post pot potential pound pour poverty power powerful practical practice praised prayer
    pre preceding precise predecessor predicted prefecture prefer pregnant preliminary premier
    premiere premiership preparation prepare presence present preservation preserve president
    presidential pressed pressing pressure presumably pretend pretty prevent previous price pride
    priest primarily primary prime primitive prince princess principal principle print prior
    priority prison privacy private prix probability probably problem procedure proceed process
    proclaimed produce product production prof professional profile profit program programme
    progress progressive prohibited project prominent promise promote promotion promotional prompted
    proof proper property proportion proposal proposed protect protection protein protest protocol
    prototype proud prove proven provide province provincial provision provisional proximity
    psychology public publication publish puerto pull pulse pump punishment punk pupils purchase
    pure purple purpose pursue pursuit push put qualifier qualify quality quantum quarter quebec
    queen queensland question quick quiet quit quite quoted race rachel racial radar radiation
    radical radio raf rage rail railroad railway rain rainbow raise ram ran random range rank rape
    rapid rare rat rate rather ratio raw ray raymond reach reaction read ready real reality realize
    realm rear reason reasonable rebellion rebuilt recall receive recent reception recipient
    recognised recognition recognize recommended reconstruction record recover recovery rectangular
    recurring red reduce reduction reed refer referee reference reflect reflection reform refuse
    regard regardless regime regiment region regional register registration regular regulation
    regulatory reign rejected related relating relation relationship relative relax relay release
    relegated relevant reliable relief relieved religion religious relocated rely remain remainder
    remember reminded remix remote removal remove renamed rendered renovated repair repeat replace
    replacement reply report represent representation representative republic republican reputation
    request require requirement rescue researcher reservation reserve residence resident residential
    residing resigned resistance resolution resolve resort resource respect respective respond
    response responsibility responsible rest restaurant restoration restore restricted restrictions
    result resumed retail retain retire retirement retrieved return rev reveal revenge revenue
    reverse reviewed reviews revised revival revolution revolutionary reward rex rhythm rice rich
    rick rico rid ride ridge rifle right riley ring rio rises rising risk rival rivers road roberts
    robin robinson robot rock rocket rocky rod roger role roll roman romance romania romanian
    romanized romantic rome ron roof room root rope rotation rough round route routine row rubbed
    rugby ruined rule run rural rush russia sacred sacrifice sad safe safety said sail saint sake
    sale salt sample samuel sand sandy sang sank santa sao sara satellite satisfaction satisfied
    saturday save saw say scale scared scattered scene scent schedule scheme scholar scholarship
    school scientist scope score scotland scottish scout scream screen screw script sculpture sea
    seal sean search season seat seattle sebastian sec second secondary secret secretary section
    sector secure security see seek seem seemingly seen segment select selection self sell semi
    senate senator send senior sense sensitive sent sentence separate separation sequel sequence
    serbia serbian sergeant serial series serious serve service session set seth settle settlement
    seven seventh several severe sexual shade shadow shake shallow shape share sharp sheet shelf
    shell shelter sheriff shield shift ship shirt shock shoes shook shoot shop shore short shot
    shoulder shouted shoved show shown shrugged shut siblings sick side siege sigh sight sign signal
    signature significance significant silence silent silk silly silver similar simon simple
    simplified simply simultaneously sin since sing singapore single sink sister sit site situated
    situation six sixteen sixth size sketch skill skin skull sky slammed slave sleep slept slid
    slide slight slip slope slot slow small smallest smart smell smile smoke smooth snail snake snap
    snow soccer social socialist sofa soft software soil solar soldier sole solid solo solution
    solve somebody somehow someone something sometime somewhat somewhere son song songwriter soon
    sorry sort sought soul sound soundtrack source southeast southern southwest soviet space spain
    span spare speak special specialized species specific specifically specified spectrum speech
    speed spell spencer spend spent sphere spider spike spin spirit spiritual split spoke spoken
    sponsor sport spot spread spring spun squad squadron square squeeze sri stability stable stack
    stadium staff stage stained stairs stakes stance stand standard star stare start state statement
    static station statistical statistics status stay steady steal steel steep stem step steve
    stewart stick stiff still stock stolen stomach stone stood stop storage store storm story
    straight strand strange strategic strategy stream street strength stress stretch strict strike
    string strip stroke strong strongest struck structural structure struggle sts stuart stuck
    student studios study stuff stupid style sub subject submarine submitted subsequent subsidiary
    substance substantial substitute subtle suburb succeed success successful succession successive
    successor sudden suffer sufficient sugar suggest suggestion suicide suit suitable suite sullivan
    sultan sum summit sun sung sunset super superior supervision supply support suppose supreme sur
    sure surface surgery surprise surprisingly surrender surrounded surrounding survey survival
    survive survivors susan suspect suspended suspicious swallow sweat sweden swedish sweet swept
    swimming swing switch sword swung symbol symphony synonym synthesis system table tag tail taiwan
    take taken tale talent talk tall tamil tan tank tap tape target task taste taught tax teach
    teams tear technical technique technological ted teeth telephone television telling tells
    temperature temple temporarily temporary ten tennis tenor tent tenth tenure term terminal
    terminus terrible territory terror test texas text thailand thank theater theatre theme
    themselves theorem theoretical theory therapy thereafter thereby therefore thermal thesis thick
    thin thing think third thirteen thirty thompson though thought thousand threat threatened three
    threshold threw throat throne throughout throw thrown thrust thumb thus ticket tide tie tiger
    tight tightened till timber time tin tiny tip tired tissue title today together tokyo told tommy
    tomorrow ton tone tongue tonight tony took tool top topic torn toronto toss total touch tough
    tour tourism tourist tournament toward tower town township toy trace track trade tradition
    traditional traffic trail train trans transfer transform transformation transit transition
    translated translation transmission transport transportation trap travel treasurer treat
    treatment treaty tree trend trial triangle tribe tribute trick trigger trinity trio trip triple
    troops trophy tropical trouble truck truly trunk trust truth try tube tune tunnel turkey turkish
    turn twelve twentieth twenty twice twin twist two tyler type typical uefa ugly ukraine ukrainian
    ultimate unable uncertain uncle unclear und undergraduate underground underlying underneath
    understand understood unexpected unfortunately unified uniform unincorporated union unique unit
    unity universal universe universities unknown unless unlike unsuccessful unusual upcoming update
    upgraded upon upper upright ups upset upward urban usa usage use useful using uss usual utah
    utility valid valley valuable value valve vampire van vancouver vanished variable variant
    variation variety various vary vast vector vegas vehicle velocity venture venue version versus
    vertical vessel via vice victim victor victoria victorian victory video vienna vietnam view
    villa village violence violent violin virgin virtual virus visible vision visit visitor visual
    vital vocal voice voivodeship vol volleyball volume voluntary volunteer von vote vulnerable
    waist wait wake walk wall walter want war warm warned warner warning warrior washington waste
    watch water watts wave way wayne weak wealth wealthy weapon wear weather web website wedding
    wednesday week weekend weight weird welcome welfare well welsh went west wet whatever wheel
    whenever whereas wherever whether whilst whispered white whoever whole wide widened widespread
    widow width wife wild wildlife williams willing wilson win window wine wing winter wiped wire
    wisdom wise wish witch withdrawal withdrawn withdrew within witness woke wolf woman women wonder
    wonderful wood wooden wore work workshop world worldwide worn worry worse worship worst worth
    wound wrap wrestling wrist write written wrong wrote www xavier yanked yard yeah year yelled
    yellow yes yesterday yet yield yorkshire young youngest yours yourself youth zane zealand zero
    zone
"""
_FUNCTION_WORDS = """
    aber als auch auf aus bei beim bin bist das dass dem den der des die dies diese dieser durch ein
    eine einem einen einer eines für geht gibt haben hatte ich ihr im ist kann kein keine können man
    mein meine meinen mich mir mit muss nach nicht noch oder ohne sein sich sie sind soll sollte
    über und uns unter viel viele vom von vor wann warum was welche welchem welchen welcher welches
    wenn wer werde werden wie wieso wird wo wofür wozu zu zum zur au aux avec ce cette combien dans
    de du elle en est et il je la le les leur lequel mais mes moi mon ne nous où ou par pas pourquoi
    puis puis-je quand que quel quelle quelles quels qui quoi sans ses sont suis sur ta un une vous
    à été être al como con cual cuál cuáles cuando cuándo cuanto cuánto cuánta del desde donde dónde
    el ella entre es esta está este esto hay las lo los mi mis muy no para pero por porque puede
    puedo qué quién se si sin sobre son su sus también tiene tengo una uno y yo che chi come cosa
    cui da dalla dei della delle di dove e gli ha ho i nel nella non perché più posso qual quale
    quali quando quanto quanta quanti sono tra è ao aos as com do dos em essa esse eu foi isso meu
    minha na nas não nos num o onde os pela pelo pode quais quantos quem são sem seu sua tem um uma
    é aan bij dan dat deze dit een er gaat heb heeft het hoe hoeveel ik is kan maar mag met mijn
    moet naar niet nog om onder ook op over te tot uit van voor waar waarom wanneer wat welk welke
    wordt zijn zonder без был быть в вы где для до его ее если есть из или и к как какая какие какой
    когда кто куда ли меня мне можно мой моя на надо не нужно о об от по почему при с сколько у что
    чтобы это я czy co dla gdzie ile jak jaka jaki jakie jest kiedy kto która który mogę moje mój
    nie od po się w z za že jsem kde kdo kdy který má proč
"""
_ENDINGS = ("s", "es", "ed", "d", "ing", "ly", "er", "ers", "r")


def is_function_word(word: str) -> bool:
    """Return whether a lower-cased word only holds sentences together, in some language."""
    return word in _function_words()


def is_common(word: str) -> bool:
    """Return whether a lower-cased word, or the word it is a form of, is common English."""
    known = _known()
    if word in known or (word.endswith(("ies", "ied")) and f"{word[:-3]}y" in known):
        return True
    stems = [word.removesuffix(end) for end in _ENDINGS if word.endswith(end)]
    return any(
        stem in known or f"{stem}e" in known or (stem[-1] == stem[-2] and stem[:-1] in known)
        for stem in stems
        if len(stem) >= 3
    )


@cache
def _known() -> frozenset[str]:
    return frozenset(_WORDS.split())


@cache
def _function_words() -> frozenset[str]:
    return frozenset(_FUNCTION_WORDS.split())
