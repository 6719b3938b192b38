"""How questions of other languages lean on what was said before: the commonest forms, as data."""

# ruff: noqa: RUF001 - full-width punctuation is what Chinese and Japanese are written with.

from __future__ import annotations

from askmd.conversation.grammar import Language, Unspaced

GERMAN = Language(
    name="de",
    letters="[äöüß]",
    function="""
        aber alle als also am an auch auf aus bei beim bin bis bist da dabei dafür damit dann daran
        darauf daraus darf das dass davon dazu dem den denn der des die dies diese diesem diesen
        dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas euch für geht
        gibt gilt habe haben hat hatte ich ihm ihn ihr im in ins ist ja jede jeden jeder jedes kann
        kannst kein keine können könnte lange man mehr mein meine meinem meinen mich mir mit muss
        müssen nach nicht noch nun nur ob oder oft ohne sein seine sich sie sind so soll sollen
        sollte tun um und uns unser unsere unter viel viele vom von vor wann war warum was weil
        welche welchem welchen welcher welches wem wen wenn wer werden weshalb wie wieso wieviel
        wird wo wofür woher wohin wozu würde zu zum zur zwischen über
    """,
    hollow="""
        aktualisieren alternative ausschalten bauen beenden beheben beispiel bereitstellen besser
        danach dauert davor einschalten erste erstelle erstellen ersten erzeuge erzeugen fehler
        funktioniert grund gut her häufig installiere installieren jetzt kosten kostet letzte
        letzten löschen mache machen macht möglich nachteil neu nächste nötig option passiert prüfe
        prüfen rückgängig schlimm schnell schritt schritte sicher starte starten stelle stoppen
        teste testen unterschied vorteil wieder zeigen zweite zweiten ändern
    """,
    leads=r"(?:und|aber|oder|also|ok|okay|dann|nun|gut)\b[\s,]*",
    ties=(
        r"^(?:und |aber )?(?:was ist mit|wie (?:ist|sieht) es (?:mit|bei)|was (?:ist )?wenn|"
        r"gilt das|geht das|dasselbe|das gleiche|was noch|mehr dazu|erzähl mehr|warum nicht)\b"
        r"|\b(?:auch|stattdessen|dann|dort|sonst|danach|dazu)\W*$"
        r"|\b(?:damit|dafür|davon|dazu|dabei|darauf|daran|daraus|dagegen)\b(?!, )"
        r"|\b(?:der|die|das) (?:erste|zweite|dritte|letzte|andere|gleiche|selbe)n?\W*$"
    ),
    expletives=(
        r"\bes (?:\w+ ){0,2}\w+,? (?:\S+ ){0,8}zu\b|\b(?:gibt|geht) es\b(?= \w+ \w+)"
        r"|\bdauert es\b(?=,? \w+ \w+)|\b(?:ist|wäre) es\b(?= \w+,)"
    ),
    pointers=(
        r"\b(?:es|ihn|ihm|dies|diese[mnrs]?|dessen|deren|ihnen)\b|(?-i:\bsie\b)|\ber\b"
        r"|\bdas(?!\s+(?-i:(?:[a-zäöüß]+\s+){0,2}[A-ZÄÖÜ]))"
    ),
    clauses=r"[,;:.] |\b(?:und|aber|oder) ",
    articles="der die das den dem ein eine einen einem einer mein meine meinen unser unsere",
    asks=(
        r"(?:was|welche[mnrs]?|wer|wen|wem|wann|wo|warum|wieso|weshalb|wie|wozu|wofür|woher|wohin|"
        r"ist|sind|kann|können|muss|soll|sollte|darf|gibt|hat|haben|wird|werden|erkläre?|zeige?|"
        r"nenne?)\b"
    ),
    fragments=(
        r"(?:auf|in|im|für|mit|ohne|von|vom|bei|beim|zu|zum|zur|unter|nach|vor|während|als|über|nur|"
        r"nicht|jede[nrs]?|alle|der|die|das|den|dem|ein|eine|kein|wenn|weil)\b"
    ),
    forms="""
        ausführlich ausführlicher beispiel beispiele deutsch einfach einfacher englisch formuliere
        fortfahren französisch genauer italienisch json knapp kurz kürzer kürzere liste länger
        markdown noch-mal nochmal nochmals quelle quellen satz spanisch stichpunkte stichpunkten
        stichworte stichworten sätzen tabelle umformulieren weiter wiederhole wiederholen zusammen
        zusammenfassen zusammenfassung übersetz übersetze übersetzen
    """,
    beside="""
        alles als am antwort auf befehl befehle besten bitte das dasselbe deine den der die dies
        drei du du's ein eine einem einen einer einmal erklär erkläre erklären es etwas fass fasse
        fassen formuliere fünf ganze geht gib im in ins ist kannst könntest mach mache mal mehr mir
        noch nur sag sage schreib schreibe schritt schritte so text um und viel was wenigen worten
        zeig zeige zwei
    """,
    remarks=(
        r"(?:vielen |herzlichen |ok,? |super,? )?dank(?:e)?(?: dir| schön| sehr| vielmals)?"
        r"|(?:bist du (?:dir )?(?:da )?(?:wirklich |ganz )?sicher|sicher|wirklich|echt|stimmt das"
        r"(?: wirklich)?|ist das (?:richtig|wahr|sicher|alles))"
        r"|(?:was|wie) meinst du(?: damit)?|was (?:heißt|bedeutet) (?:das|dies)(?: genau)?"
        r"|(?:das )?(?:verstehe|verstehe ich|versteh ich) (?:das )?nicht"
        r"|ich verstehe (?:das )?nicht"
        r"|(?:wo|in welcher datei) steht das(?: geschrieben)?|woher weißt du das"
        r"|mach(?:e)? weiter|weiter(?: so)?|ok|okay|ja|nein|gut|super|prima|alles klar|perfekt|"
        r"wie bitte"
    ),
)
FRENCH = Language(
    name="fr",
    letters="[çœêèù]",
    function="""
        a ai au aux avec c ce ceci cela celle celui ces cet cette chaque combien comme comment d
        dans de des dois doit donc du elle elles en encore entre est est-ce est-il et eux faire fait
        faut faut-il il ils j je l la le les leur lui là m ma mais me mes moi mon même n ne non nos
        notre nous on ont ou où par pas pendant peut peut-on peux plus possible pour pourquoi puis
        puis-je qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si son sont
        sous souvent suis sur t ta te temps tes toi ton tous tout toute toutes tu un une va vers
        veux voir vos votre vous y à ça être
    """,
    hollow="""
        ajouter alternative annuler après arrêter autre autres avant changer construire coûte créer
        dangereux dernier dernière différence dure défaut déployer désactiver ensuite erreur exemple
        faire fonctionne générer important installer maintenant marche meilleur mieux modifier
        nécessaire obtenir option possible premier première problème raison rapide redémarrer risque
        second seconde suivant supprimer sûr tester valable vite vérifier écrire étape
    """,
    leads=r"(?:et|mais|ou|donc|alors|ok|puis)\b[\s,]*",
    ties=(
        r"^(?:et |mais )?(?:qu'en est-il|et si|pareil pour|idem pour|la même chose|quoi d'autre|"
        r"pourquoi pas|dis-m'en plus)\b|\b(?:aussi|sinon|ensuite|là-bas|également|à la place)\W*$"
        r"|\b(?:celui|celle|ceux|celles)-(?:ci|là)\b"
        r"|\bl[ea] (?:premier|première|second|seconde|deuxième|dernier|dernière|même|autre)\W*$"
    ),
    expletives=(
        r"\b(?:est-il|il est|c'est) \w+ (?:de\b|d'|que\b)|\b(?:faut-il|il faut|il y a|y a-t-il|"
        r"existe-t-il|s'agit-il|ce qu[ei'])|qu'est-ce qu[ei']?|est-ce qu[ei']?"
    ),
    pointers=(
        r"\b(?:ça|cela|ceci|il|elle|ils|elles|lui|eux|en|y)\b(?=\W*$| \w+)(?<!\ben)(?<!\by)"
        r"|\b(?:ça|cela|ceci|y)\W*$|-(?:il|elle|ils|elles|le|la|les)\b|\bl'(?=\w+er\b)"
        r"|\b(?:l[ea]s?) (?=\w+(?:(?<!i)er|ir|re|oir)\b\W*$)|\bj'en\b|\bde l[ea]s? \w+er\W*$"
        r"|^(?:comment|pourquoi|quand|où|pour) l[ea]s? (?=\w+(?:er|ir|re)\b)"
    ),
    clauses=r"[,;:.] |\b(?:et|mais|ou|quand|si|pour) ",
    articles="le la les l un une des mon ma mes notre nos ce cette",
    asks=(
        r"(?:qu'|que|quoi|quel|quelle|quels|quelles|qui|quand|où|pourquoi|comment|combien|est-ce|"
        r"est-il|peut-on|puis-je|faut-il|y a-t-il|existe-t-il|explique|montre|donne|à quoi)"
    ),
    fragments=(
        r"(?:sur|dans|en|pour|avec|sans|de|du|à|au|aux|sous|après|avant|pendant|par|comme|seulement|"
        r"pas|chaque|tous|toutes|le|la|les|un|une|si|chez)\b"
    ),
    forms="""
        allemand anglais bref brève continue continuer court courte détail détaillé détails encore
        espagnol exemple exemples français italien json liste markdown phrase phrases points
        reformule reformuler répète répéter résume résumer résumé simple simplement source sources
        tableau traduction traduire traduis
    """,
    beside="""
        avec ce ceci cela cinq commande commandes d dans de deux donne donner donnes en et explique
        expliquer faire fais fait façon fois forme il l la le les m manière me moi moins mots par
        peux plait plaît plus pouvez que réponse s s'il seulement sous t te tout trois tu un une
        vous à ça étape étapes
    """,
    remarks=(
        r"(?:ok,? |super,? )?merci(?: beaucoup| bien| à toi)?"
        r"|(?:es-tu|êtes-vous|tu es|vous êtes|t'es)(?: vraiment)? sûre?(?: de (?:ça|cela))?"
        r"|vraiment"
        r"|(?:que|qu'est-ce que tu|qu'est-ce que ça) (?:veux|veut|voulez|signifie)(?:-tu|-vous)?"
        r"(?: dire)?(?: par là)?|(?:ça|cela) veut dire quoi|c'est (?:vrai|tout|correct|sûr)"
        r"|je (?:ne )?comprends pas(?: ça)?"
        r"|(?:où est-ce écrit|quel fichier (?:le )?dit (?:ça|cela))"
        r"|comment (?:le )?sais-tu(?: ça| cela)?|(?:vas-y|continue)|ok|oui|non|d'accord|parfait|"
        r"super"
    ),
)
SPANISH = Language(
    name="es",
    letters="[¿¡ñ]",
    function="""
        a ahí al algo allí ante antes aquí así aun cada como con cual cuando cuanta cuanto cuál
        cuáles cuándo cuánta cuántas cuánto cuántos de debe debo del desde después donde dónde e el
        ella ellas ellos en entonces entre era es esa esas ese eso esos esta estas este esto estos
        está están existe existen ha hace hacer hago hasta hay la las le les lo los me mi mis muy
        más nada ni no nos nuestra nuestro o otra otro para pero poco por porque posible puede
        puedes puedo pues que quien quiero quién qué se sea ser si sin sobre solo son su sus sí
        también tan te tengo tiene todo todos tu tus u un una uno usa usar y ya yo
    """,
    hollow="""
        alternativa anterior añadir borrar cambiar caso construir construyo cosa crear creo cuesta
        cómo defecto deshacer desplegar despliego diferencia ejemplo eliminar error falla funciona
        generar genero importante instalar instalo límite mejor modificar necesario necesita opción
        pasa paso pasos peligroso permisos posible primera primero probar problema razón reiniciar
        reinicio requiere riesgo rápido segunda segundo seguro siguiente sirve tarda tiempo ventaja
        verificar versión vuelvo última último
    """,
    leads=r"(?:y|pero|o|e|entonces|ok|vale|pues)\b[\s,]*[¿]?",
    ties=(
        r"^(?:y |pero )?(?:qué tal|y si|qué pasa con|qué hay de|lo mismo|igual para|qué más|"
        r"por qué no|cuéntame más)\b|\b(?:también|entonces|allí|ahí|después|en su lugar)\W*$"
        r"|\b(?:el|la|los|las) (?:primer[oa]|segund[oa]|últim[oa]|otr[oa]|mism[oa])s?\W*$"
        r"|\b(?:necesita|cuesta|tarda|funciona|dura|requiere|ocurre|sirve)\W*$"
    ),
    expletives=r"\blo que\b",
    pointers=(
        r"\b(?:eso|esto|ello|aquello|ésta?|ésos|él|ellos|ellas|lo)\b"
        r"|\b\w+(?:ar|er|ir|ár|ér|ír)(?:se)?l[oa]s?\b"
    ),
    clauses=r"[,;:.] |\b(?:y|pero|o|cuando|si|para) ",
    articles="el la los las un una unos unas mi mis nuestro nuestra este esta",
    asks=(
        r"(?:qué|cuál|cuáles|quién|cuándo|dónde|cómo|cuánto|cuánta|cuántos|cuántas|por qué|puedo|"
        r"se puede|es|son|hay|existe|debo|tengo|explica|muestra|dame|para qué)\b"
    ),
    fragments=(
        r"(?:en|para|con|sin|de|del|a|al|sobre|tras|después|antes|durante|por|como|solo|no|cada|"
        r"todos|todas|el|la|los|las|un|una|si|desde)\b"
    ),
    forms="""
        alemán breve continuar continúa corta corto detalle detalles ejemplo ejemplos español
        explícalo francés frase frases fuente fuentes inglés italiano json lista markdown puntos
        reformula repetir repite repítelo resume resumen resumir resúmelo sencilla sencillamente
        sencillo sigue simple tabla traduce traducir traduzca tradúcelo
    """,
    beside="""
        al cinco comando comandos como con dame darme de dos el en eso esto explica explicar
        explícame favor forma haz hazlo la las lo los manera me menos mi más otra palabras paso
        pasos podrías por puedes que respuesta solo tres un una vez y
    """,
    remarks=(
        r"(?:ok,? |vale,? |muchas |mil )?gracias(?: por .{1,20})?|(?:de verdad|en serio|seguro)"
        r"|(?:estás|está|estas)(?: usted)? (?:muy |realmente )?segur[oa](?: de eso)?"
        r"|(?:qué|a qué te) (?:quieres decir|refieres|significa eso|significa)(?: con eso)?"
        r"|no (?:lo )?entiendo(?: eso)?|(?:dónde|en qué archivo|qué archivo) (?:lo )?(?:dice|pone)"
        r"(?: eso)?|cómo lo sabes|es (?:eso )?(?:cierto|correcto|verdad|todo)|ok|vale|sí|no|"
        r"perfecto|genial|sigue|adelante"
    ),
)
ITALIAN = Language(
    name="it",
    letters="[òì]",
    function="""
        a ai al alla alle anche ancora c c'è che chi ci ciò col come con cos cosa d da dal dalla dei
        del della delle deve devo di dopo dov dove due e ed era essere fa faccio fare gli ha hanno
        ho i il in invece io l la le lo loro ma mi mia mio nei nel nella no noi non nostra nostro o
        ogni per perché però più poi posso prima puoi può quale quali quando quanta quante quanti
        quanto quella quelle quelli quello questa queste questi questo qui se senza si sia sono sta
        su sua sul sulla suo sì tra tu tutti tutto un una uno va è
    """,
    hollow="""
        aggiungere alternativa annullare cambiare caso costa costruire costruisco creare creo
        differenza dura eliminare errore esempio funziona generare genero importante installare
        installo limite meglio modificare necessario opzione passo pericoloso possibile prima primo
        problema provare ragione rapido riavviare riavvio rischio scrivere scrivo seconda secondo
        serve sicuro succede tempo ultima ultimo vantaggio verificare volta
    """,
    leads=r"(?:e|ed|ma|o|allora|quindi|ok|poi)\b[\s,]*",
    ties=(
        r"^(?:e |ma )?(?:e se|che ne dici di|lo stesso|cos'altro|perché no|dimmi di più)\b"
        r"|\b(?:anche|invece|allora|lì|poi|dopo)\W*$"
        r"|\b(?:il|la) (?:primo|prima|secondo|seconda|ultimo|ultima|altro|altra|stesso|stessa)\W*$"
        r"|\b(?:serve|costa|dura|funziona|succede)\W*$"
    ),
    expletives=r"\blo stato\b",
    pointers=(
        r"\b(?:questo|quello|ciò|questi|quelli|esso|essa|loro)\b(?= (?:è|sono|si|non|ha)\b|\W*$)"
        r"|^(?:e |ma )?(?:poi |dopo )?(?:come|perché|quando|dove|posso|devo) (?:l[oaie]|ne|ci)\b"
        r"(?= \w+\b)|\b\w+(?:ar|er|ir)l[oaie]\b"
    ),
    clauses=r"[,;:.] |\b(?:e|ma|o|quando|se|per) ",
    articles="il lo la i gli le un una uno mio mia nostro nostra questo questa l",
    asks=(
        r"(?:che|cosa|cos'|quale|quali|chi|quando|dove|dov'|come|quanto|quanta|quanti|quante|perché|"
        r"posso|si può|è|sono|c'è|ci sono|devo|spiega|mostra|dammi)"
    ),
    fragments=(
        r"(?:su|sul|sulla|in|nel|per|con|senza|di|del|a|al|da|dopo|prima|durante|come|solo|non|ogni|"
        r"tutti|tutte|il|lo|la|i|gli|le|un|una|se)\b"
    ),
    forms="""
        breve continua continuare corta corto dettagli dettagliato dettaglio elenco esempi esempio
        fonte fonti francese frase frasi inglese italiano json lista markdown punti riassumere
        riassumi riassunto riformula ripetere ripeti semplice semplicemente spagnolo tabella tedesco
        traduci tradurre
    """,
    beside="""
        al ancora che cinque comandi comando come con dammi di due e fammi fare farmi favore il in
        la lo maniera meno mi modo parole passi passo per più potresti puoi quello questo risposta
        solo spiega spiegami spiegare tre un una volta
    """,
    remarks=(
        r"(?:ok,? |molte )?grazie(?: mille| tante)?|(?:davvero|sul serio|sicuro)"
        r"|(?:ne )?sei (?:davvero )?sicur[oa](?: di questo)?"
        r"|(?:cosa|che cosa|che) (?:intendi|vuoi dire|significa|vuol dire)(?: con questo| questo)?"
        r"|non (?:ho )?(?:capito|capisco)|(?:dove|in quale file) (?:c'è scritto|lo dice|è scritto)"
        r"|come lo sai|è (?:vero|corretto|tutto)|ok|sì|no|perfetto|bene|va bene|vai avanti|continua"
    ),
)
PORTUGUESE = Language(
    name="pt",
    letters="[ãõ]",
    function="""
        a ao aos aquela aquele aquilo as até cada com como da das de dela dele deles depois desde
        devo disso do dos e ela elas ele eles em entre então era essa esse esses esta estar este
        estes está estão eu existe fazer faço foi há isso isto já lhe mais mas me mesmo meu meus
        minha muito na nas nem nesse nisso no nos nossa nosso num não nós o onde os ou outra outro
        para pela pelo pode podem por porque porquê posso quais qual quando quanta quanto quantos
        que quem quê se sem ser seu sobre sua são só também te tem tenho tudo um uma usar você vocês
        à às é
    """,
    hollow="""
        acontece adicionar alternativa apagar caso coisa construir construo criar crio custa demora
        desfazer diferença erro etapa exemplo funciona gerar gero importante instalar instalo limite
        melhor mudar necessário opção passo perigoso possível primeira primeiro problema razão
        reiniciar risco rápido segunda segundo seguro serve tempo testar vantagem verificar versão
        vezes última último
    """,
    leads=r"(?:e|mas|ou|então|ok|aí|daí)\b[\s,]*",
    ties=(
        r"^(?:e |mas )?(?:e se|que tal|o mesmo|e quanto|o que mais|por que não|conte mais)\b"
        r"|\b(?:também|então|ali|lá|depois|em vez disso)\W*$"
        r"|\b(?:o|a) (?:primeir[oa]|segund[oa]|últim[oa]|outr[oa]|mesm[oa])\W*$"
        r"|\b(?:custa|demora|funciona|dura|serve|acontece)\W*$"
    ),
    pointers=(
        r"\b(?:isso|isto|aquilo|disso|nisso|ele|ela|eles|elas|dele|dela|nele|nela)\b"
        r"|-(?:l[oa]s?|[oa]s?)\b"
    ),
    clauses=r"[,;:.] |\b(?:e|mas|ou|quando|se|para) ",
    articles="o a os as um uma meu minha nosso nossa este esta",
    asks=(
        r"(?:o que|que|qual|quais|quem|quando|onde|como|quanto|quanta|quantos|quantas|por ?qu[eê]|"
        r"posso|é|são|há|existe|devo|explique|mostre)\b"
    ),
    fragments=(
        r"(?:em|no|na|para|com|sem|de|do|da|a|ao|sob|após|antes|durante|por|como|só|não|cada|todos|"
        r"todas|o|os|as|um|uma|se|desde)\b"
    ),
    forms="""
        alemão breve continuar continue curta curto detalhado detalhe detalhes espanhol exemplo
        exemplos fonte fontes francês frase frases inglês json lista markdown pontos português
        reformule repetir repita resuma resumir resumo simples simplesmente tabela traduza traduzir
    """,
    beside="""
        a as cinco com comando comandos como da dar de do dois duas dê e em explicar explique favor
        forma isso isto mais maneira me menos modo na no novamente o os outra palavras para passo
        passos pode poderia por que resposta só três um uma vez
    """,
    remarks=(
        r"(?:ok,? |muito )?obrigad[oa](?: .{1,20})?|(?:sério|mesmo|de verdade|certeza)"
        r"|(?:você )?tem (?:a )?certeza(?: disso)?|(?:o que|que) (?:você )?(?:quer dizer|significa)"
        r"(?: com isso| isso)?|não (?:entendi|entendo|percebi)|(?:onde|em que arquivo) (?:está|diz)"
        r"(?: isso| escrito)?|como (?:você )?sabe(?: disso)?|ok|sim|não|perfeito|ótimo|"
        r"continue|pode continuar"
    ),
)
CHINESE = Unspaced(
    name="zh",
    letters="[\u4e00-\u9fff]",
    hollow=(
        "为什么|為什麼|什么时候|什麼時候|什么|什麼|怎么样|怎么办|怎么|怎麼|怎样|如何|哪里|哪裡|哪个|"
        "哪些|多久|多少|多大|多长|可以|能否|是否|需要|应该|然后|还有|请问|请|我|你|吗|嗎|呢|吧|的|了|"
        "是|有|会|要|能|用|做|到|在|把|被|和|与|就|都|也|再|不|行|办|好|一下|那么|那|这|它"
    ),
    ties=(
        "^(?:那么?|還有|还有|然后|但是?|可是|如果|要是|除此之外|另外)|它|[他她]们|"
        "这(?:个|样|些|种|里)?(?!篇)|那(?:个|样|些|种|里)|其(?:他|中|余)|上面|前者|后者|"
        "第[一二三四五两]个|一样|同样|呢[？?。]?$|也(?:可以|是|能)"
    ),
    forms=(
        "简短|更短|短一?点|简单|简洁|通俗|总结|總結|概括|归纳|翻译|翻譯|一句话|[一两三几]句话|表格|列表|"
        "列出|要点|重复|再说一[遍次]|再来一[遍次]|继续|繼續|举个?例子|例子|示例|详细|详细点|英[文语]|中文|"
        "德[文语]|法[文语]|日[文语]|谢谢|謝謝|多谢|感谢|你?确定|真的|什么意思|没看?懂|不明白|不懂|来源|"
        "出处|哪个文件|换[个种]说法|好的|明白了?"
    ),
    beside="请|用|把|它|这个|那个|这|那|一下|一点|些|成|为|以|形式|给|我|你|能|可以|吗|嗎|呢|吧|的|了|"
    "再|更|地|说|解释|步骤|命令|答案|回答|只|要|得|是|做|个|太|非常|啊|里|写|讲|刚才|和|到",
)
JAPANESE = Unspaced(
    name="ja",
    letters="[\u3041-\u30ff]",
    hollow=(
        "なぜ|どうして|どうすれば|どうやって|どのように|どこ|いつ|だれ|誰|どれくらい|どのくらい|どう|何|"
        "ですか|ますか|でしょうか|ください|教えて|いいです|できます|します|です|ます|のか|理由|方法|"
        "場合|する|して|した|には|では|とは|から|まで|より|は|が|を|に|へ|と|で|も|の|か|や|よ|ね|い|"
        "さい|いい|ん|な|ら"
    ),
    ties=(
        "^(?:では|じゃあ?|それで|あと|また|でも|しかし|もし)|それ|これ|あれ|そこ|そちら|その|この|あの|"
        "そう(?!です)|こう(?:する|いう)|同じ|他に|ほかに|次に|もう一つ|最初の|二番目|後者|前者|"
        "(?:では|の場合は?|でも|だと|なら|の方は)[？?]?$"
    ),
    forms=(
        "短く|簡潔|簡単に|わかりやすく|分かりやすく|要約|まとめて|翻訳|訳して|日本語|英語|ドイツ語|中国語|"
        "一文|一言|表に|表で|箇条書き|リストに|もう一度|繰り返し|続けて|続き|続い|例を|例えば|具体例|"
        "詳しく|ありがとう|感謝|本当|確か|どういう意味|意味|分かりません|わかりません|出典|どのファイル|"
        "了解|なるほど"
    ),
    beside="もっと|少し|もう|で|に|を|は|が|の|と|それ|これ|して|し|ください|下さい|くれ|お願い|いたします|"
    "します|ます|ました|です|か|ね|よ|見せて|教えて|言って|書いて|説明|ございます|ござい|どうも|いる|て|な|"
    "あり|さい|すか|手順|コマンド|だけ|回答|答え|さっき|何|挙げ|書かれ|そう|ん|こと|どう|いう",
)
SPACED = (GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE)
UNSPACED = (JAPANESE, CHINESE)
