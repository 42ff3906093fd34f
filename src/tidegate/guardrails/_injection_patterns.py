"""Signs of instructions that are not the application's, each with its weight.

They are for an automaton, so that their time is linear in the text whatever the text is.
"""

from typing import Final

from tidegate.text.hints import plain_classes

_GAP: Final = r"(?:[\s,;:'\"()-]+[\w'/-]+){0,5}?[\s,;:'\"()-]+"
_SHORT: Final = r"(?:[\s,;:'\"()-]+[\w'/-]+){0,3}?[\s,;:'\"()-]+"
_BEFORE: Final = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|initial|original|former|past)"
)
_ORDERS: Final = (
    r"(?:instruction|prompt|rule|guideline|direction|directive|command|order|constraint"
    r"|restriction|assignment|programming|training|statement)s?\b"
)
_STOP: Final = (
    r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overlook|overrid(?:e|ing)|bypass(?:ing)?|neglect"
    r"|discard|skip|stop following|do(?: not|n't) (?:follow|obey|listen to|pay attention to)"
    r"|pay no attention to)\b"
)
_REVEAL: Final = (
    r"\b(?:reveal|show|print|repeat|display|output|tell|give|leak|share|write|return|list|expose"
    r"|recite|copy|say|read|describe|summari[sz]e|what (?:is|are|was|were)|what's"
    r"|spell[- ]?check)\b"
)
_MODEL: Final = r"(?:ai|a\.i\.|assistant|chat ?bot|bot|llm|language model|model|gpt|chatgpt|claude)"

_RAW: Final[tuple[tuple[float, str], ...]] = (
    # what came before is to count no more
    (0.7, rf"{_STOP}{_GAP}{_BEFORE}\b"),
    (
        0.6,
        rf"{_STOP}(?:[\s,]+(?:all|any|every|of|the|these|those|that|my|your|our"
        rf"|other)){{1,4}}[\s,]+"
        rf"(?:\w+\s+){{0,2}}{_ORDERS}",
    ),
    (
        0.7,
        rf"{_STOP}\s+(?:about\s+)?(?:everything|anything|all(?: of)? (?:that|this|it)|whatever"
        rf"|all)\b"
        r"(?:[\s,]+\w+){0,4}[\s,]+(?:before|above|said|told|know|learned|learnt|until|prior|so far"
        r"|written|mentioned|given|previously|asked|and (?:now )?(?:write|say|tell|answer|act))",
    ),
    (0.5, r"\b(?:forget|disregard)\s+(?:about\s+)?(?:everything|all(?: that)?|it all)\b"),
    (
        0.4,
        r"\bforget (?:everything|all|it all|that)\b[^.?!]{0,20}?[,.;:!]? ?(?:and )?(?:write"
        r"|say|tell)",
    ),
    (0.6, r"\bI want you to (?:act|behave|respond|pretend|role-?play) (?:as|like|to be|that)\b"),
    (
        0.6,
        r"\byou (?:are|will be) (?:now )?(?:role-?playing|acting|pretending|playing) (?:as"
        r"|the role|to)",
    ),
    (0.3, r"\b(?:now|so) you (?:act|are|will|must|should|have to)\b"),
    (
        0.5,
        r"\b(?:new|updated|changed|real|actual|different)\s+(?:\w+\s+)?(?:instruction|task"
        r"|order|rule"
        r"|directive|command|assignment|objective|prompt)s?\s*(?::|\bis\b|\bare\b|\bfollow)",
    ),
    (
        0.4,
        r"\b(?:your|the|a) (?:new|next|only|real|actual|main|true) (?:task|job|goal|role|purpose"
        r"|objective|mission|instruction|order)s?\b",
    ),
    (
        0.3,
        r"\b(?:instead|now),? (?:you (?:must|will|should|have to|need to) )?(?:say|write|print"
        r"|output"
        r"|respond|answer|tell|generate|give|repeat|act|focus|concentrate|do)\b",
    ),
    (0.3, r"\bstop (?:there|here|now|what you|doing|that)\b"),
    # what nobody should see
    (
        0.7,
        rf"{_REVEAL}{_GAP}(?:system|hidden|secret|initial|original|internal|confidential|pre)[- ]?"
        r"(?:prompt|instruction|message|directive|rule|guideline)s?\b",
    ),
    (
        0.5,
        rf"{_REVEAL}{_SHORT}(?:your|the|all|above|previous|full|entire|complete|exact|first"
        rf"|these)\s+"
        r"(?:\w+\s+){0,3}(?:prompt|instructions?|directives?)(?: text)?s?\b",
    ),
    (
        0.4,
        r"\b(?:prompt|instructions?|text|words|sentences?|message)s? (?:above|before this"
        r"|from above"
        r"|at the (?:start|beginning|top))\b",
    ),
    (0.3, r"\b(?:start|begin)s?(?:ing)? (?:with|from) (?:the )?(?:words? )?[\"'\u201c]?you are\b"),
    (
        0.6,
        r"\bwhat (?:are|were|is) your (?:\w+ )?(?:instructions?|prompt|rules|guidelines"
        r"|directives?)\b",
    ),
    (
        0.6,
        r"\b(?:print|repeat|spell-?check|proofread|check|translate|output"
        r"|copy)\b(?: \w+){0,6} (?:text|"
        r"input|prompt|everything|words) (?:from )?above\b|\babove (?:text|prompt"
        r"|input)\b.{0,60}\bprint\b",
    ),
    # a task is said to be done, and another given
    (
        0.6,
        r"\b(?:very good|well done|great(?: job)?|good job|perfect)\b.{0,40}\b(?:done|finished"
        r"|complete"
        r"d?|passed|first test)\b.{0,40}\b(?:now|next)\b",
    ),
    (0.5, r"\bnew (?:statement|prompt|input|context|session|conversation|challenge)\b ?[-:]"),
    (
        0.6,
        r"\bwhat (?:is|was|are|were)\b.{0,30}\b(?:beginning|start|first (?:word|line|sentence)"
        r"|sentence|text|line)s?\b.{0,20}\b(?:of your|of the prompt|before (?:the|this))\b",
    ),
    (
        0.6,
        r"\b(?:return|show|print|list|give)\b.{0,20}\byour (?:\w+ )?(?:prompts?|embeddings"
        r"|documents"
        r"|knowledge base|training data|context)\b",
    ),
    # somebody without rules
    (
        0.4,
        r"\b(?:you (?:are|will be|have become)(?: now| going to)|from now on|as of now"
        r"|henceforth)\b",
    ),
    (
        0.3,
        r"\b(?:pretend|imagine|act|role-?play|behave|simulate|respond|speak|play)\b(?: \w+){0,3} "
        r"(?:as(?: if)?|that|to be|you(?:'re| are)|like|the role)\b",
    ),
    (
        0.6,
        r"\b(?:do anything now|jail ?broken|developer mode|dev mode|god mode|dan mode"
        r"|sudo mode|debug mode|unrestricted mode|admin(?:istrator)? mode)\b",
    ),
    (
        0.4,
        r"\b(?:no|without(?: any)?|free of|remove(?: all)?|ignore) (?:\w+ )?(?:restriction"
        r"|limit(?:ation)?"
        r"|filter|moral|ethic|censorship|guardrail|safety|content polic|boundar)",
    ),
    (
        0.4,
        r"\b(?:unfiltered|uncensored|amoral|unrestricted|unethical)\b(?: \w+){0,3} (?:ai"
        r"|response|answer"
        r"|assistant|model|bot|advice)",
    ),
    # marks by which models tell who speaks
    (
        0.6,
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|>"
        r"|\[/?INST\]|<</?SYS>>|</?(?:system|assistant|user)(?:_prompt|_message)?>",
    ),
    (
        0.5,
        r"(?:^|\n)\s*(?:#{2,}|\*{2,}|-{3,}|={3,})\s*(?:end|begin|new|start|system|instruction"
        r"|admin|user)"
        r"[\w ]{0,40}(?:prompt|instruction|message|input|query|conversation|#|\*|-|=|:)",
    ),
    (0.4, r"(?:^|\n)\s*(?:system|assistant|admin|developer)\s*:\s*\S"),
    # to a model that reads somebody else's text
    (
        0.6,
        rf"\b(?:important|urgent|attention|note|message|instruction"
        rf"|reminder)s?\b.{{0,30}}\b(?:to|for)"
        rf"(?: the| any| all)?(?: \w+)? {_MODEL}s?\b",
    ),
    (0.5, rf"\bif you(?:'re| are) (?:an? )?(?:\w+ )?{_MODEL}\b"),
    (0.4, rf"\b(?:dear|hey|hello|attention),? (?:\w+ )?{_MODEL}\b"),
    (
        0.5,
        r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{1,200}[?&=][^)\s]{0,200}(?:\{|\[|data|prompt"
        r"|history|secret)",
    ),
    (
        0.5,
        r"\b(?:send|post|forward|email|upload|exfiltrate)\b(?: \w+){0,6} (?:conversation"
        r"|chat history|system"
        r" prompt|credentials|passwords?|api keys?|user data"
        r"|personal data)\b(?:[^.\n]{0,40})(?:to|at) ",
    ),
    (
        0.4,
        r"\b(?:do not|don't|never|without) (?:mention|tell|inform|reveal|disclos|warn|telling"
        r"|informing)\w*"
        r"(?: \w+){0,3} (?:user|human|anyone|anybody|person)\b",
    ),
    (
        0.6,
        r"\b(?:don'?n?'?t|do not|never) answer\b(?: \S+){0,6} (?:according to|based on|from"
        r"|using) (?:the )?"
        r"(?:provided|given|above|supplied)",
    ),
    # in other languages: what came before is to count no more, or what nobody should see
    (
        0.6,
        r"\b(?:was|wie) (?:sind|waren|lauten?|ist|war) (?:deine?|ihre?|der"
        r"|die) (?:\w+ )?(?:anweisung"
        r"|prompt|instruktion|vorgabe)",
    ),
    (
        0.6,
        r"\b(?:drucke?n?|zeige?n?|wiederhole?n?|gib|schreibe?n?|nenne?n?)\b.{0,40}\b(?:prompt"
        r"|eingabeaufforderung|deine anweisung|obige|text oben)",
    ),
    (0.6, r"\b(?:vergiss|vergessen sie|vergesst|ignorier\w*)\b(?: \w+){0,2} (?:alle[sn]?|was)\b"),
    (
        0.6,
        r"\b(?:sehr gut|gut gemacht|super|perfekt|danke)\b.{0,60}\b(?:erledigt|gen\u00fcgt"
        r"|bestanden"
        r"|fertig|gemacht)\b.{0,60}\b(?:nun|jetzt)\b",
    ),
    (0.6, r"\bdu bist (?:kein|keine|nicht)\b.{0,40}\bsondern\b"),
    (
        0.6,
        r"\bjetzt bist du\b|\bdu bist (?:jetzt|nun|ab jetzt)\b|\bich m\u00f6chte, dass (?:du"
        r"|sie) als\b",
    ),
    (0.6, r"\b(?:obige[nrs]?|bisherige[nrs]?)\b.{0,60}\b(?:ignorier|vergess|wiederhol|druck)"),
    (0.4, r"\b(?:deine|ihre) (?:neue |n\u00e4chste |einzige )?aufgabe (?:ist|besteht|lautet)\b"),
    (
        0.4,
        r"\b(?:tu so,? als|stell dir vor,? du|schl\u00fcpfe in die rolle|spiele? die rolle"
        r"|antworte (?:nur |ab jetzt |jetzt )?als)\b",
    ),
    (0.7, r"\b(?:zaboravi|ignori[sr]aj|zanemari)\b.{0,40}\b(?:instrukcij|pravila|sve|prethodn)"),
    (
        0.7,
        r"\b(?:ignorier|vergiss|vergesse|missachte|beachte(?:n sie)? nicht"
        r"|h[o\u00f6]re? nicht auf|abweichend|\u00fcbergeh)\w*\b(?:[\s,]+\S+){0,5}?"
        r"[\s,]+(?:vorherig|vorangehend|vorig|bisherig|zuvor|obig|fr\u00fcher|anweisung"
        r"|instruktion|regel|vorgabe|alles)",
    ),
    (
        0.7,
        r"\b(?:ignor[ae]|ignoren|olvid[ae]|olv\u00eddate|descarta|omite"
        r"|no hagas caso)\b(?:[\s,]+\S+){0,5}?[\s,]+"
        r"(?:anterior|previ[ao]|instruccion|instrucciones|reglas|indicaciones|todo|\u00f3rdenes)",
    ),
    (
        0.7,
        r"\b(?:ignore[rz]?|oublie[rz]?|n\u00e9glige[rz]?"
        r"|ne tiens? pas compte)\b(?:[\s,]+\S+){0,5}?[\s,]+"
        r"(?:pr\u00e9c\u00e9dent|ant\u00e9rieur|consigne|r\u00e8gle|ci-dessus|tout ce"
        r"|instructions pr|toutes les instr)",
    ),
    (
        0.7,
        r"\b(?:ignora|ignorate|dimentica|dimenticate|trascura)\b(?:[\s,]+\S+){0,5}?[\s,]+"
        r"(?:precedent|istruzion|regol|tutto|sopra)",
    ),
    (
        0.7,
        r"\b(?:ignore|esque\u00e7a|esquece|desconsidere|desconsidera)\b(?:[\s,]+\S+){0,5}?[\s,]+"
        r"(?:anterior|instru\u00e7|regras|tudo|acima)",
    ),
    (
        0.7,
        r"\b(?:negeer|vergeet)\b(?:[\s,]+\S+){0,5}?[\s,]+(?:vorige|eerdere|instructie|regels"
        r"|alles|bovenstaande)",
    ),
    (
        0.7,
        r"(?:\u0438\u0433\u043d\u043e\u0440\u0438\u0440\u0443"
        r"|\u0437\u0430\u0431\u0443\u0434\u044c"
        r"|\u043d\u0435 \u043e\u0431\u0440\u0430\u0449\u0430\u0439)\S*(?:\s+\S+){0,5}?\s+"
        r"(?:\u043f\u0440\u0435\u0434\u044b\u0434\u0443\u0449"
        r"|\u0438\u043d\u0441\u0442\u0440\u0443\u043a\u0446"
        r"|\u043f\u0440\u0430\u0432\u0438\u043b|\u0432\u0441[\u0435\u0451]"
        r"|\u0443\u043a\u0430\u0437\u0430\u043d)",
    ),
    (
        0.7,
        r"\b(?:zignoruj|ignoruj|zapomnij)\b(?:[\s,]+\S+){0,5}?[\s,]+(?:poprzedni|instrukcj"
        r"|zasad|wszystk|powy\u017csz)",
    ),
    (
        0.7,
        r"(?:\u5ffd\u7565|\u65e0\u89c6|\u7121\u8996|\u5fd8\u8bb0|\u5fd8\u8a18|\u5fd8\u6389"
        r"|\u4e0d\u8981\u7406\u4f1a|\u4e0d\u8981\u9075).{0,12}"
        r"(?:\u6307\u4ee4|\u6307\u793a|\u63d0\u793a|\u8bf4\u660e|\u8aaa\u660e|\u4e4b\u524d"
        r"|\u4ee5\u4e0a|\u4e0a\u9762|\u89c4\u5219|\u898f\u5247)",
    ),
    (
        0.7,
        r"(?:\u6307\u793a|\u547d\u4ee4|\u30d7\u30ed\u30f3\u30d7\u30c8"
        r"|\u30eb\u30fc\u30eb).{0,12}(?:\u7121\u8996|\u5fd8\u308c)",
    ),
    (
        0.7,
        r"(?:\uc9c0\uc2dc|\uba85\ub839|\ud504\ub86c\ud504\ud2b8"
        r"|\uaddc\uce59).{0,12}(?:\ubb34\uc2dc|\uc78a)",
    ),
    (
        0.6,
        r"\b(?:zeig|verrate|nenne|gib|was (?:ist|sind|steht))\b(?:[\s,]+\S+){0,5}?[\s,]+"
        r"(?:system-?prompt|systemanweisung|deine anweisungen|ersten prompt)",
    ),
    (
        0.6,
        r"\b(?:muestra|revela|dime|montre|r\u00e9v\u00e8le|mostra|rivela|mostre"
        r"|revele)\b(?:[\s,]+\S+){0,5}?[\s,]+"
        r"(?:prompt|instrucciones iniciales|instructions initiales|istruzioni iniziali)",
    ),
)
SIGNS: Final = tuple((weight, f"(?i:{plain_classes(source)})") for weight, source in _RAW)
