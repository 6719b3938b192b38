"""Questions of everyday life in many languages: what is asked of the wrong documents."""

# ruff: noqa: RUF001 - they come in every script.

from __future__ import annotations

_QUESTIONS = """
How long should I boil an egg so that the yolk stays soft?
Wie lange muss ein Hefeteig gehen?
What is the capital of Mongolia?
Welche Farbe hat ein reifer Granatapfel?
Who painted the ceiling of the Sistine Chapel?
Wer hat die Zauberflöte komponiert?
Why do cats purr when they sleep?
Wie wird das Wetter am Wochenende in Hamburg?
How often should I water a cactus in winter?
Quelle est la hauteur de la tour Eiffel ?
Which team won the football world cup in 1998?
Comment préparer une tarte aux pommes ?
What is a good recipe for pumpkin soup?
Qui a gagné le tour de France l'année dernière ?
How do I get red wine stains out of a carpet?
¿Cómo se prepara una tortilla de patatas?
When did the Roman Empire fall?
¿Cuál es el río más largo de América del Sur?
Can you recommend a quiet beach in Portugal?
¿A qué hora abre el museo los domingos?
How tall is the highest mountain in Africa?
Qual è la ricetta del risotto alla milanese?
What should I wear to a summer wedding?
In che anno è nato Leonardo da Vinci?
Why is the sky blue during the day?
Como faço para chegar à praia de ônibus?
How many legs does a lobster have?
Quantos jogadores tem um time de vôlei?
Is it safe to eat raw mushrooms?
Hoe lang moet je aardappelen koken?
What time does the last train to the airport leave?
Wat is het mooiste strand van Zeeland?
How do I teach my dog to sit?
Jak długo gotować pierogi?
Who wrote the play about the prince of Denmark?
Kto napisał Pana Tadeusza?
How do I change a flat tyre on a bicycle?
Jak vysoká je Sněžka?
What causes a rainbow after heavy rain?
Hur länge lever en älg?
How much sleep does a toddler need?
Miten saunan kiuas puhdistetaan?
Which planet has the most moons?
Mennyi ideig kell főzni a gulyást?
How do I fold a fitted sheet?
Türkiye'nin en kalabalık şehri hangisidir?
What are the symptoms of a broken toe?
Mercimek çorbası nasıl yapılır?
How do you say good morning in Hawaiian?
Làm thế nào để nấu phở bò?
Where do penguins live?
Gunung tertinggi di Indonesia apa namanya?
What is the best month to plant tomatoes?
Сколько лет живёт черепаха?
How do I stop my shoes from squeaking?
Как приготовить борщ без мяса?
Which instruments play in a string quartet?
Хто виграв чемпіонат Європи з футболу?
How long is a pregnancy of an elephant?
Πόσα νησιά έχει η Ελλάδα;
Can I bring a guitar as hand luggage on a plane?
כמה זמן אופים עוגת גבינה?
What was the first song the Beatles recorded?
ما هي عاصمة البرازيل؟
Why does bread rise in the oven?
كم يعيش الجمل في الصحراء؟
How far is the moon from the earth?
قد کوه دماوند چند متر است؟
What is the difference between jam and marmalade?
भारत का राष्ट्रीय पक्षी कौन सा है?
How do I tie a bow tie?
खीर बनाने में कितना दूध लगता है?
What do bees do in the winter?
বাংলাদেশের জাতীয় ফুল কী?
Who was the first woman to climb Everest?
மாம்பழம் எப்போது பழுக்கும்?
How do I get rid of hiccups?
长城有多长？
What is the currency of Thailand?
红烧肉怎么做才好吃？
Should I repot my orchid after it has bloomed?
猫为什么喜欢晒太阳？
What are the rules of cricket for beginners?
哪一年举办了北京奥运会？
How do I remove chewing gum from hair?
富士山の高さはどのくらいですか。
Which cheese goes well with pears?
おいしい味噌汁の作り方を教えてください。
How did the dinosaurs die out?
犬は一日に何時間寝ますか。
What is a typical salary of a nurse in Norway?
紅葉が見頃になるのはいつですか。
How do I write a letter of condolence?
김치찌개는 어떻게 끓이나요?
At what temperature does chocolate melt?
한라산의 높이는 얼마인가요?
Who discovered penicillin?
고양이는 하루에 몇 시간 자나요?
How many strings does a harp have?
ต้มยำกุ้งทำอย่างไร
My neighbour plays loud music at night, what can I do?
ช้างกินอะไรเป็นอาหาร
Is coffee bad for my blood pressure?
What happened at the battle of Waterloo?
How do I knit a scarf?
Which muscles does rowing train?
tell me a joke about a parrot
weather in Lisbon tomorrow
best pizza near the central station
lyrics of an old Irish drinking song
cheap flights to Iceland in March
"""
EVERYDAY = tuple(line for line in _QUESTIONS.split("\n") if line)
"""English ones and others by turns, so that each part of them is a sample of all."""
