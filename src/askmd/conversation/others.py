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
        ändern aktualisieren bauen bereitstellen erzeuge erzeugen erstelle erstellen installiere
        installieren ausschalten beenden beheben beispiel besser dauert einschalten erste
        ersten fehler funktioniert grund gut häufig jetzt kosten kostet letzte letzten löschen mache
        machen macht möglich neu nächste nötig option passiert prüfen prüfe sicher schlimm schnell
        schritt schritte starten starte stoppen stelle testen teste unterschied wieder zeigen zweite
        zweiten vorteil nachteil alternative rückgängig danach davor her
    """,
    leads=r"(?:und|aber|oder|also|ok|okay|dann|nun|gut)\b[\s,]*",
    ties=(
        r"^(?:und |aber )?(?:was ist mit|wie (?:ist|sieht) es (?:mit|bei)|was (?:ist )?wenn|gilt das|"
        r"geht das|dasselbe|das gleiche|was noch|mehr dazu|erzähl mehr|warum nicht)\b"
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
        kurz kürzer kürzere länger knapp einfacher einfach ausführlicher ausführlich genauer
        zusammen zusammenfassen zusammenfassung satz sätzen tabelle liste stichpunkte stichpunkten
        stichworte stichworten übersetze übersetzen übersetz deutsch englisch französisch spanisch
        italienisch nochmal noch-mal nochmals wiederhole wiederholen weiter fortfahren beispiel
        beispiele quelle quellen markdown json umformulieren formuliere
    """,
    beside="""
        als auf bitte das dasselbe den der die dies ein eine einem einen einer einmal erkläre erklär
        erklären fass fasse fassen formuliere gib geht ins im in es kannst könntest mach mache mal
        mehr mir noch nur befehle befehl schritte schritt antwort so sage sag schreib schreibe
        du etwas drei zwei fünf wenigen worten und zeig zeige text ganze alles um am besten
        du's viel ist was deine
    """,
    remarks=(
        r"(?:vielen |herzlichen |ok,? |super,? )?dank(?:e)?(?: dir| schön| sehr| vielmals)?"
        r"|(?:bist du (?:dir )?(?:da )?(?:wirklich |ganz )?sicher|sicher|wirklich|echt|stimmt das"
        r"(?: wirklich)?|ist das (?:richtig|wahr|sicher|alles))"
        r"|(?:was|wie) meinst du(?: damit)?|was (?:heißt|bedeutet) (?:das|dies)(?: genau)?"
        r"|(?:das )?(?:verstehe|verstehe ich|versteh ich) (?:das )?nicht|ich verstehe (?:das )?nicht"
        r"|(?:wo|in welcher datei) steht das(?: geschrieben)?|woher weißt du das"
        r"|mach(?:e)? weiter|weiter(?: so)?|ok|okay|ja|nein|gut|super|prima|alles klar|perfekt|wie bitte"
    ),
)
FRENCH = Language(
    name="fr",
    letters="[çœêèù]",
    function="""
        a ai au aux avec ce cela celle celui ces cet cette ceci ça chaque combien comme comment dans
        de des dois doit donc du elle elles en encore entre est est-ce et être eux faire fait faut
        faut-il il ils je j l la le les leur lui là ma mais me mes moi mon même n ne non nos notre
        nous on ont ou où par pas pendant peut peut-on peux plus pour pourquoi puis puis-je qu quand
        que quel quelle quelles quels qui quoi sa sans se sera ses si son sont sous souvent suis sur
        ta te temps tes toi ton tous tout toute toutes tu un une va vers veux voir vos votre vous y
        à c d s t m est-il possible
    """,
    hollow="""
        ajouter alternative construire créer déployer écrire générer installer obtenir arrêter changer coûte différence dernier dernière défaut désactiver
        erreur étape exemple faire fonctionne important maintenant marche meilleur mieux modifier
        nécessaire option possible premier première problème raison redémarrer risque second
        seconde supprimer suivant sûr tester vérifier vite annuler dangereux ensuite après avant
        autre autres valable rapide dure
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
        court courte bref brève simple simplement résume résumer résumé phrase phrases tableau liste
        points traduis traduire traduction français anglais allemand espagnol italien encore répète
        répéter reformule reformuler continue continuer exemple exemples détail détails détaillé
        source sources markdown json
    """,
    beside="""
        plus moins s'il s il te t vous plaît plait le la les l en une un cela ça ce de manière façon
        peux pouvez tu me m donne donner donnes fais faire fait expliquer explique à dans sous forme
        d par trois deux cinq mots et seulement commandes commande étapes étape fois les réponse
        avec que ceci tout moi
    """,
    remarks=(
        r"(?:ok,? |super,? )?merci(?: beaucoup| bien| à toi)?"
        r"|(?:es-tu|êtes-vous|tu es|vous êtes|t'es)(?: vraiment)? sûre?(?: de (?:ça|cela))?|vraiment"
        r"|(?:que|qu'est-ce que tu|qu'est-ce que ça) (?:veux|veut|voulez|signifie)(?:-tu|-vous)?"
        r"(?: dire)?(?: par là)?|(?:ça|cela) veut dire quoi|c'est (?:vrai|tout|correct|sûr)"
        r"|je (?:ne )?comprends pas(?: ça)?|(?:où est-ce écrit|quel fichier (?:le )?dit (?:ça|cela))"
        r"|comment (?:le )?sais-tu(?: ça| cela)?|(?:vas-y|continue)|ok|oui|non|d'accord|parfait|super"
    ),
)
SPANISH = Language(
    name="es",
    letters="[¿¡ñ]",
    function="""
        a al algo ahí allí ante antes aquí así aun cada como con cual cuál cuáles cuando cuándo
        cuanta cuanto cuánta cuántas cuánto cuántos de debe debo del desde después donde dónde e el
        ella ellas ellos en entonces entre era es esa esas ese eso esos esta estas este esto estos
        está están existe existen ha hace hacer hago hasta hay la las le les lo los me mi mis más
        muy nada ni no nos nuestra nuestro o otra otro para pero poco por porque posible puede
        puedes puedo pues que qué quien quién quiero se sea ser si sin sobre solo son su sus sí
        también tan te tengo tiene todo todos tu tus u un una uno usa usar y ya yo
    """,
    hollow="""
        añadir alternativa anterior construyo construir crear creo desplegar despliego generar genero
        instalar instalo borrar cambiar caso cosa cuesta cómo defecto deshacer diferencia
        ejemplo eliminar error funciona falla importante límite mejor modificar necesario opción
        paso peligroso pasa pasos posible primero primera probar problema rápido razón reiniciar
        reinicio riesgo segundo segunda seguro siguiente sirve tarda tiempo último última ventaja
        verificar versión vuelvo necesita permisos requiere
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
        corto corta breve resume resumir resumen frase frases tabla lista puntos traduce traducir
        inglés español alemán francés italiano repite repetir reformula continúa continuar sigue
        ejemplo ejemplos simple sencillo sencilla sencillamente detalle detalles fuente fuentes
        markdown json traduzca resúmelo tradúcelo repítelo explícalo
    """,
    beside="""
        más menos por favor en una un la el lo como eso esto de forma manera puedes podrías darme
        dame me al tres dos cinco palabras y solo comandos comando pasos paso explica explicar
        explícame haz hazlo otra vez respuesta con que los las mi
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
        a ai al alla alle anche ancora c che chi ci ciò col come con cosa cos da dal dalla dei del
        della delle deve devo di dopo dove due e ed era essere fa faccio fare gli ha hanno ho i il
        in invece io la le lo loro ma mi mia mio nei nel nella no noi non nostra nostro o ogni per
        perché però più poi posso prima puoi può quale quali quando quanta quante quanti quanto
        quella quelle quelli quello questa queste questi questo qui se senza si sia sono sta su sua
        sul sulla suo sì tra tu tutti tutto un una uno va è c'è l d dov
    """,
    hollow="""
        aggiungere alternativa costruire costruisco creare creo generare genero installare installo
        scrivere scrivo annullare cambiare caso costa differenza errore esempio eliminare
        funziona importante limite meglio modificare necessario opzione passo pericoloso possibile
        primo prima problema provare rapido ragione riavviare riavvio rischio secondo seconda serve
        sicuro succede tempo ultimo ultima vantaggio verificare volta dura
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
        breve corto corta riassumi riassumere riassunto frase frasi tabella elenco lista punti
        traduci tradurre inglese italiano tedesco francese spagnolo ripeti ripetere riformula
        continua continuare esempio esempi semplice semplicemente dettaglio dettagli dettagliato
        fonte fonti markdown json
    """,
    beside="""
        più meno per favore in una un la il lo come questo quello di modo maniera puoi potresti
        farmi fammi fare dammi mi al tre due cinque parole e solo comandi comando passi passo spiega
        spiegare spiegami volta ancora risposta con che
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
        devo disso do dos e é ela elas ele eles em então entre era essa esse esses esta estar este
        estes está estão eu existe faço fazer foi há isso isto já lhe mais mas me mesmo meu meus
        minha muito na nas nem nesse nisso no nos nossa nosso não nós num o onde os ou outra outro
        para pela pelo pode podem por porque porquê posso qual quais quando quanta quanto quantos
        que quê quem se sem ser seu são sobre só sua são também te tem tenho tudo um uma usar vocês
        você à às
    """,
    hollow="""
        adicionar alternativa construir construo criar crio gerar gero instalar instalo apagar caso coisa custa desfazer diferença erro etapa exemplo
        funciona importante limite melhor mudar necessário opção passo perigoso possível primeiro
        primeira problema razão reiniciar rápido risco segundo segunda seguro serve tempo testar
        último última vantagem verificar versão demora acontece vezes
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
        curto curta breve resuma resumir resumo frase frases tabela lista pontos traduza traduzir
        inglês português alemão francês espanhol repita repetir reformule continue continuar exemplo
        exemplos simples simplesmente detalhe detalhes detalhado fonte fontes markdown json
    """,
    beside="""
        mais menos por favor em uma um a o os as como isso isto de forma maneira modo pode poderia
        me dar dê para três duas dois cinco palavras e só comandos comando passos passo explicar
        explique vez outra resposta com que do da no na novamente
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
