"""Names of models and makers, and the phrases by which an answer speaks of itself, in some twenty languages."""

# Unmistakable: nothing else is called so. Patterns over folded text (lower case, no accents, Latin look-alikes).
MODELS = (
    r"chat[\s-]?gpt",
    r"gpt[\s-]?[2-9](?:\.\d+)*(?:o\b|[\s-]?turbo\b|[\s-]?mini\b|[\s-]?nano\b|k\b)*",
    r"gpt[\s-]?oss",
    r"claude",
    r"qwen(?:[\s-]?\d+(?:\.\d+)*)?|qwq|qianwen|tongyi",
    r"deep[\s-]?seek(?:[\s-]?[vr]\d[\d.]*\d|[\s-]?[vr]\d)?(?:\s+ai\b)?",
    r"mixtral|codestral|ministral|magistral|devstral|pixtral|le chat",
    r"llama[\s-]?[1-9](?:\.\d+)*|tinyllama|code[\s-]?llama",
    r"chatglm|glm[\s-]?\d(?:\.\d+)*|zhipu qingyan",
    r"hunyuan|doubao|baichuan|internlm|minimax|skywork|longcat|ernie bot|wenxin yiyan",
    r"vicuna|guanaco|wizardlm|wizardcoder|airoboros|mythomax|stablelm|starcoder|openassistant|redpajama|openchat",
    r"olmo|tulu|nemotron|exaone|hyperclova(?:\s?x)?|smollm|dbrx|bloomz|jamba|bielik|eurollm|apertus|openhermes",
    r"yandexgpt|gigachat|saiga",
    r"phi[\s-]?[1-9](?:\.\d+|[\s-]?mini\b|[\s-]?medium\b)*",
    r"gemma[\s-]?\d?|gemini (?:\d(?:\.\d+)*|pro|flash|ultra|nano|advanced)",
    r"command[\s-]r\b\+?",
    r"microsoft copilot|github copilot",
    r"通义千问|千问|文心一言|豆包|智谱清言|混元|讯飞星火|星火认知大模型",
    r"гигачат|яндексгпт|чатгпт|深度求索|딥시크",
)
# Also words or people: they count only where the answer speaks of itself.
AMBIGUOUS = (
    r"llama|gemini|bard|palm[\s-]?2?|phi|falcon|alpaca|koala|dolly|bloom|zephyr|starling|orca|dolphin|hermes|granite",
    r"mistral|grok|kimi|ernie|solar|aya|command|nova|titan|copilot|arctic|yi|pi|reka|perplexity|opus|sonnet|haiku|bing",
    r"step[\s-]?\d|seed|ling|mimo|nous|cogito|sarvam|typhoon|tongyi|abab",
)
MAKERS = (
    r"open[\s-]?ai|anthropic(?:\s+pbc)?|(?:google\s+)?deepmind|google(?:\s+(?:ai|research|brain))?",
    r"meta(?:\s+(?:ai|platforms))?|facebook(?:\s+ai)?|microsoft(?:\s+(?:research|azure))?|mistral(?:\s+ai)?",
    r"alibaba(?:\s+(?:cloud|group))?|aliyun|baidu|tencent|byte[\s-]?dance|zhipu(?:\s+ai)?|z\.ai",
    r"moonshot(?:\s+ai)?|01[\s.-]?ai|stepfun|huawei|xiaomi|iflytek|sense[\s-]?time|shanghai ai lab(?:oratory)?",
    r"cohere(?:\s+(?:for ai|labs))?|ai21(?:\s+labs)?|amazon(?:\s+web services)?|aws|nvidia|ibm|apple|x\.?ai",
    r"hugging\s?face|stability(?:\s+ai)?|databricks|mosaicml|salesforce|snowflake|servicenow|liquid ai|aleph alpha",
    r"(?:the\s+)?technology innovation institute|tii|lmsys(?:\s+org)?|large model systems organization|eleuther\s?ai",
    r"(?:the\s+)?allen institute(?: for (?:ai|artificial intelligence))?|ai2|nous research|together(?:\s+ai)?|upstage",
    r"naver|kakao|lg ai research|samsung|sber(?:bank)?|yandex|inflection(?:\s+ai)?|perplexity(?:\s+ai)?|sarvam ai",
    r"阿里云|阿里巴巴(?:集团)?|达摩院|通义实验室|百度|腾讯|字节跳动|智谱(?:ai)?|月之暗面|谷歌|微软|华为|科大讯飞",
    r"яндекс(?:ом|а)?|сбер(?:ом|а|банк(?:ом|а)?)?|гугл(?:ом)?",
    r"구글|네이버|카카오|알리바바(?:\s?클라우드)?|오픈에이아이|앤트로픽|메타|마이크로소프트",
    r"グーグル|アリババ(?:クラウド)?|マイクロソフト|メタ|オープンai|アンソロピック",
    r"علي بابا(?: كلاود)?|جوجل|غوغل|اوبن اي|مايكروسوفت|ميتا|انثروبيك",
    r"गूगल|ओपनएआई|अलीबाबा(?: क्लाउड)?|माइक्रोसॉफ्ट|एंथ्रोपिक|मेटा",
)

# Where an answer begins to speak of itself. A trigger is a whole word (or, without spaces between words, a string).
TRIGGERS = (
    # English
    r"i\s+am|i\s*['’]?m|i\s+was|i\s*['’]ve\s+been|i\s+have\s+been|my\s+name(?:\s+is|['’]s)|(?:you\s+can\s+)?call\s+me|i\s+go\s+by",
    r"as\s+an?\s+(?:ai|a\.i\.|artificial|large\s+language|language|virtual|chatbot|assistant|llm)|my\s+(?:creators?|developers?|makers?|parent\s+company)",
    r"as\s+an?|i\s+run\s+on|you(?:\s+are|['’]re)\s+(?:talking|speaking|chatting|interacting)\s+(?:to|with)|(?:hello|hi|hey)[,!]?\s+this\s+is|i\s+identify\s+as",
    r"the\s+(?:language\s+)?model\s+(?:behind|powering)\s+(?:me|this\s+\w+)",
    # German, Dutch, Swedish, Danish and Norwegian
    r"ich\s+bin|mein\s+name\s+(?:ist|lautet)|ich\s+hei(?:ss|ß)e|ich\s+wurde|als\s+(?:ki|ai|künstliche|sprachmodell|großes|sprachassistent)[\w-]*",
    r"ik\s+ben|mijn\s+naam\s+is|ik\s+heet|ik\s+(?:werd|ben)|als\s+(?:een\s+)?(?:taalmodel|kunstmatige|groot\s+taalmodel|ai-?\w*)",
    r"jag\s+är|jag\s+heter|mitt\s+namn\s+är|jag\s+har|som\s+(?:en\s+)?(?:ai|språkmodell)[\w-]*|jeg\s+er|jeg\s+hedder|mit\s+navn\s+er|mitt\s+navn\s+er",
    # French, Spanish, Portuguese, Italian, Romanian
    r"je\s+suis|je\s+m['’]appelle|mon\s+nom\s+est|je\s+me\s+nomme|j['’]ai\s+été|en\s+tant\s+qu(?:e|['’])\s*(?:une?\s+)?(?:ia|modèle|assistant|intelligence|grand)\w*",
    r"(?:yo\s+)?soy|me\s+llamo|mi\s+nombre\s+es|fui|he\s+sido|como\s+(?:una?\s+)?(?:ia|modelo|asistente|inteligencia|gran)",
    r"(?:eu\s+)?sou|meu\s+nome\s+é|chamo-me|me\s+chamo|como\s+(?:uma?\s+)?(?:assistente|grande)",
    r"(?:io\s+)?sono|mi\s+chiamo|il\s+mio\s+nome\s+è|(?:in\s+quanto|come)\s+(?:un['’]?\s*)?(?:ia|modello|assistente|intelligenza)",
    r"(?:eu\s+)?sunt|mă\s+numesc|numele\s+meu\s+este|am\s+fost|ca\s+(?:un\s+)?(?:model|ia|asistent)",
    # Polish, Czech, Russian, Ukrainian
    r"jestem|nazywam\s+się|mam\s+na\s+imię|moje\s+imię\s+to|zostałe?[ma]m?|jako\s+(?:model|ai|sztuczna|asystent|duży)|jsem|jmenuji\s+se|jako\s+(?:jazykový|umělá)",
    r"я|меня\s+зовут|моё\s+имя|мое\s+имя|меня\s+создал\w*|как\s+(?:ии|искусственный|языковая|большая|модель|ассистент)|мене\s+звати|моє\s+ім['’]я|як\s+(?:ші|мовна)",
    # Turkish, Indonesian and Malay, Vietnamese, Finnish, Hungarian, Greek
    r"ben(?:im\s+adım)?|adım|saya|aku|nama\s+saya|sebagai\s+(?:sebuah\s+)?(?:ai|model|asisten)|tôi(?:\s+tên)?\s+là|mình\s+là|tên\s+(?:của\s+)?tôi\s+là|tôi\s+được|là\s+một\s+(?:mô\s+hình|trợ\s+lý|ai)",
    r"olen|nimeni\s+on|(?:én\s+)?vagyok|a\s+nevem|είμαι|με\s+λένε|το\s+όνομά\s+μου\s+είναι|ως\s+(?:μοντέλο|τεχνητή)",
    # Arabic, Hebrew, Persian, Hindi
    r"أنا|اسمي|بصفتي|كنموذج|كذكاء|لقد\s+تم|تم\s+(?:تطويري|تدريبي|إنشائي)|אני|שמי|من|मैं|मेरा\s+नाम|मुझे",
)
SPACELESS_TRIGGERS = (
    r"我是|我叫|我的名字(?:是|叫)|我由|我被|作为(?:一个|一款|一名|一種)?|本人是|我係|我乃",
    r"(?:私|わたし|僕|ぼく|俺)(?:の名前)?は|わたくしは|当モデルは|저는|나는|제\s*이름은|내\s*이름은|저의\s*이름은",
    r"ฉันคือ|ผมคือ|ฉันชื่อ|ผมชื่อ",
)
# What may stand between a trigger and a name.
FILLERS = (
    r"an?|the|your|just|actually|indeed|not|called|named|known|as|is|are|be|and|or|also|simply|of|on|from|at|by|here",
    r"version|variant|edition|instance|member|part|series|family|new|latest|next|generation|open|source|\d+[bk]?|parameter|team|researchers?|engineers?|people|company|folks|lab|organi[sz]ation|experts?|which|that|who|was|were|been|has|have",
    r"friendly|helpful|personal|digital|online|multimodal|multilingual|conversational|intelligent|advanced|powerful|interactive|pre[\s-]?trained|fine[\s-]?tuned|state|art",
    r"ein|eine|einem|einen|einer|das|der|die|den|dem|vom|von|namens|genannt|und|wurde|wird|firma|unternehmen|auf|basierend|basiert",
    r"une?|le|la|les|l['’]|d['’]|de|du|des|par|qui|a|ete|été|nomme|nommé|appele|appelé|et|est|entreprise|société|conçu|conçue|sur",
    r"uno|una|el|los|las|del|por|llamado|llamada|que|fue|ha|sido|y|empresa|compañía|sobre",
    r"um|uma|o|os|da|do|pela|pelo|chamado|chamada|foi|e|é|empresa|dalla|dal|dell['’]|della|di|il|lo|un['’]?|gli|che|chiamato|stato|stata|azienda|su",
    r"een|het|van|door|genaamd|die|dat|is|en|bedrijf|ett|en|av|som|kallas|har|av|och|företaget|et|af",
    r"przez|firmę|firmy|od|o|nazwie|stworzon\w+|opracowan\w+|wytrenowan\w+|szkolon\w+|společností|firmou|od|se|jménem",
    r"это|эта|этот|-|от|из|под|названием|именем|который|которая|компани\w+|команд\w+|на|основе|и|від|компані\w+|що|є",
    r"bir|olan|tarafindan|adlı|adında|adalah|sebuah|oleh|yang|dari|bernama|perusahaan|một|bởi|của|được|tên|là|công\s+ty|từ",
    r"on|yritys|egy|által|είναι|ένα|μια|της|του|από|την|τη|η|ο|το",
    r"של|את|על|ידי|חברת|הוא|אשר|ש",
    r"هو|هي|من|قبل|شركة|بواسطة|في|على|يدعى|اسمه|एक|का|की|के|और|से",
)
# Words that say that a thing was made, or that it is an AI: a maker's name needs one of them.
MADE = (
    r"developed|created|trained|made|built|designed|powered|maintained|produced|provided|introduced|released|operated|owned|programmed|engineered|based",
    r"ai|a\.i\.|artificial|intelligence|large\s+language|language|models?|llm|assistant|chatbot|chat|bot|virtual|neural|network|system|program|software|agent|creators?|developers?|makers?",
    r"entwickelt\w*|trainiert\w*|erstellt\w*|geschaffen\w*|programmiert\w*|erschaffen\w*|bereitgestellt\w*|ki[\w-]*|künstliche[nrs]?|intelligenz|große[sn]?|sprachmodell\w*|modell\w*|assistent\w*|sprachassistent\w*",
    r"développ\w+|cré+\w*|entraîn\w+|form[ée]e?|ia|artificielle|intelligence|modèle|grand|langage|langue|assistante?|virtuel\w*",
    r"desarrollad\w+|cread\w+|entrenad\w+|inteligencia|artificial|modelo|lenguaje|gran|asistente|desenvolvid\w+|criad\w+|treinad\w+|inteligência|linguagem|grande|assistente",
    r"sviluppat\w+|creat\w+|addestrat\w+|intelligenza|artificiale|modello|linguistico|linguaggio|grande|dezvoltat\w*|antrenat\w*|creat\w*|inteligență|artificială|limbaj",
    r"ontwikkeld\w*|getraind\w*|gemaakt\w*|gebouwd\w*|taalmodel\w*|kunstmatige|intelligentie|groot|utveckla\w+|träna\w+|skapa\w+|språkmodell\w*|stor|stort|udvikle\w+|trænet|skabt|sprogmodel\w*|utviklet|trent",
    r"stworzon\w+|opracowan\w+|wytrenowan\w+|wyszkolon\w+|sztuczna|inteligencja|inteligencją|model\w*|językow\w+|duż\w+|asystent\w*|vyvinut\w*|vytvořen\w*|trénovan\w*|jazykov\w+|velk\w+|umělá|inteligence",
    r"разработан\w*|создан\w*|создал\w*|обучен\w*|натренирован\w*|ии|искусственн\w+|интеллект\w*|больш\w+|языков\w+|модел\w+|ассистент\w*|помощник\w*|нейросет\w+|чат-?бот\w*|розроблен\w*|створен\w*|навчен\w*|мовн\w+|велик\w+|штучн\w+|інтелект\w*|помічник",
    r"geliştiril\w*|oluşturul\w*|eğitil\w*|yapay|zeka|zekâ|büyük|dil|modeli\w*|asistan\w*|dikembangkan|dibuat|dilatih|diciptakan|kecerdasan|buatan|bahasa|besar|asisten",
    r"phát|triển|tạo|ra|huấn|luyện|đào|mô|hình|ngôn|ngữ|lớn|trí|tuệ|nhân|trợ|lý|ảo|kehittämä|kouluttama|tekoäly\w*|kielimalli|fejlesztett\w*|nyelvi|modell|mesterséges|αναπτύχθηκ\w+|εκπαιδευ\w+|δημιουργήθηκ\w+|γλωσσικό|μοντέλο|μεγάλο|τεχνητή\w*|νοημοσύνη\w*",
    r"מודל|שפה|שפותח|פותח|שפותחה|אומן|שאומן|נוצר|שנוצר|בינה|מלאכותית|עוזר|גדול|גדולה",
    r"نموذج|لغوي|لغة|كبير|ذكاء|اصطناعي|مساعد|تم|تطويره|تطويري|تدريبه|تدريبي|تطوير|تدريب|إنشائي|إنشاؤه|طورته|طورتني|طوّرته|دربته|दविकसित|विकसित|प्रशिक्षित|बनाया|भाषा|मॉडल|सहायक|एआई|कृत्रिम|बुद्धिमत्ता|बड़ा",
)
SPACELESS_FILLERS = (
    r"一个|一款|一名|由|来自|基于|的|叫|名为|是|公司|团队|自主|所|旗下|这|个|大型|超大规模|大|规模|，|、|：|“|”|「|」|『|』|您|你",
    r"が|によって|により|の|に|から|は|と|という|、|株式会社|から生まれた",
    r"는|은|이|가|의|에서|에|의해|라는|이라는|회사|에서\s",
)
SPACELESS_MADE = (
    r"人工智能|語言模型|语言模型|大模型|模型|助手|助理|聊天机器人|机器人|智能|ai|开发|開發|训练|訓練|研发|研發|创建|打造|推出|提供|创造|构建",
    r"開発|作成|訓練|学習|提供|人工知能|言語モデル|大規模|モデル|アシスタント|チャットボット|トレーニング|作られ",
    r"인공지능|언어|모델|대규모|대형|개발|훈련|만든|만들어진|만들|학습|제작|어시스턴트|챗봇|비서",
)
# After a name, in languages that put the verb there; within the same sentence.
MADE_AFTER = (
    r"['’]s\s+(?:\w+\s+){0,3}(?:ai|assistant|chatbot|model)\b|\s+(?:large\s+|language\s+|ai\s+)*(?:ai|language\s+model|model|assistant|chatbot)\b"
    r"(?!\s+(?:research|engineer|scient|developer|expert|team|ethic|polic|train|employee|user|customer)\w*)",
    r"[^.!?\n]{0,40}\b(?:entwickelt|trainiert|erstellt|geschaffen|programmiert|erschaffen|ontwikkeld|getraind|gemaakt)\w*",
    r"\s+tarafından\b|\s+द्वारा|\s+ने\s|\s*(?:के|की)\s+द्वारा|['’]\w+\s+geliştir\w+",
    r"[^。！？\n]{0,20}?(?:开发|训练|研发|创建|打造|推出|研究|创造|構建|构建|開發|訓練|旗下|的(?:一个|一款)?(?:大型)?(?:ai|人工智能|语言模型|大模型|助手|大语言模型))",
    r"\s*(?:によって|により|が|に|の)[^。！？\n]{0,20}?(?:開発|訓練|作成|作られ|トレーニング|学習|言語モデル|アシスタント|ai|人工知能)",
    r"\s*(?:에서|이|가|에|의)\s*[^.!?\n]{0,20}?(?:개발|훈련|만든|만들|학습|제작|언어\s*모델|ai|인공지능)",
    r"\s+által\b",
)
# After a model's name, where the words before it alone do not say "I am": "Ben Qwen, …", "私はQwenです".
NAMED_AFTER = (
    r"\s*(?:です|と申します|という|といいます|と言います|であり|で、|だ。|입니다|이라고|라고|이며|예요|이에요|라는)",
    r"\s*(?:['’]?\s*(?:im|ım|um|üm|yim|yım)\b|[,.!:;]|\s*$|\s+हूँ|\s+हूं|\s+है|\s+ครับ|\s+ค่ะ)",
)
# Triggers that alone mean little: a name or a common word; what follows the name must agree.
WEAK_TRIGGERS = (
    r"as\s+an?",
    r"ben",
    r"aku",
    r"saya",
    r"मैं",
    r"मुझे",
    r"من",
    r"olen",
    r"sono",
    r"sunt",
    r"jsem",
    r"fui",
    r"я",
)

RATER_PHRASES = (
    r"(?:dear|attention|note\s+to(?:\s+the)?|hello|hi|hey)[,:]?\s+(?:the\s+)?(?:raters?|judges?|graders?|evaluators?|annotators?|reviewers?\s+of\s+(?:this|these)\s+(?:answer|response)s?)\b",
    r"(?:if\s+you\s+are|to)\s+(?:the\s+|a\s+|an\s+)?(?:human\s+)?(?:rater|grader|evaluator|annotator|judge)\s+(?:reading|evaluating|comparing|of)\b",
    r"(?:please\s+|you\s+should\s+|you\s+must\s+|do\s+)?(?:choose|pick|select|prefer|vote\s+for|upvote|rate|score|rank|mark)\s+(?:this|my|the\s+current)\s+(?:answer|response|output|reply|completion)\b",
    r"(?:this|my)\s+(?:answer|response|output)\s+(?:is|should\s+be)\s+(?:the\s+)?(?:better|best|preferred|superior|chosen|rated|the\s+winner)\b",
    r"(?:response|answer|assistant|output|card)\s+[ab]\s+(?:is|was|should\s+be)\s+(?:the\s+)?(?:clearly\s+|much\s+)?(?:better|best|preferred|superior|worse|winner|chosen)\b",
    r"(?:ignore|disregard|do\s+not\s+(?:choose|read))\s+(?:the\s+)?other\s+(?:answer|response|output|assistant|card)\b",
    r"(?:ignore|disregard)\s+(?:all\s+|any\s+)?(?:previous|prior|above|your|the)\s+(?:instructions|rating\s+instructions|criteria|guidelines|rubric)\b",
    r"(?:give|award|assign)\s+(?:me|this\s+(?:answer|response)|my\s+(?:answer|response))\s+(?:a\s+|the\s+)?(?:full|high(?:est)?|top|perfect|maximum|\d+)",
    r"\[\[[ab]\]\]",
    r"(?:wähle|wählen\s+sie|bewerte|bewerten\s+sie)\s+(?:bitte\s+)?(?:diese|meine)\s+antwort|(?:choisissez|sélectionnez|préférez)\s+(?:cette|ma)\s+réponse",
    r"(?:elige|elija|selecciona|prefiere)\s+(?:esta|mi)\s+respuesta|(?:escolha|selecione)\s+(?:esta|a\s+minha|minha)\s+resposta|(?:scegli|preferisci)\s+(?:questa|la\s+mia)\s+risposta",
    r"выбер(?:и|ите)\s+(?:этот|мой)\s+ответ|请(?:选择|投票给)(?:这个|我的)(?:回答|答案|回复)|この回答を選んで|이\s*(?:답변|응답)을\s*선택",
)
