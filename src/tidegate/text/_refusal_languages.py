"""How models decline in other languages than English, in the first person or as those say it.

Only what is plainly a no of the one who answers: a verb of serving beside the negation. Texts are
in lower case with one kind of apostrophe.
"""

_GERMAN = (
    r"ich (?:kann|darf|werde|möchte)(?: [\w-]+){0,12}? (?:nicht|keine?[nrms]?)(?: [\w-]+){0,12}?"
    r" (?:(?:be|weiter)?(?:helfen|antworten)|unterstützen|bereitstellen|erfüllen|geben|erstellen"
    r"|anbieten|liefern|nachkommen|schreiben|teilen|besprechen|entsprechen|zugreifen)\b"
    r"|(?:dabei|damit|darauf|leider|das) kann ich(?: [\w-]+){0,4}? (?:nicht|keine?[nrms]?)\b"
    r"|ich bin (?:leider )?nicht (?:in der lage|befugt|berechtigt|dazu)\b"
    r"|ich muss(?: [\w-]+){0,6}? ablehnen\b"
)
_FRENCH = (
    r"je ne (?:peux|pourrai|saurais|vais)(?: malheureusement)?(?: pas)? (?:vous |t'|te |y )?"
    r"(?:aider|fournir|répondre|assister|donner|créer|écrire|satisfaire|accéder|discuter|partager|générer"
    r"|proposer|offrir|participer|accepter|faire (?:cela|ça))"
    r"|je ne suis (?:malheureusement )?pas (?:en mesure|autorisée?|capable|en capacité|programmée?)"
    r"|il m'est impossible d|je (?:refuse|dois refuser|dois décliner)\b"
)
_SPANISH = (
    r"no (?:puedo|podré|voy a) (?:ayudar|proporcionar|ofrecer|responder|cumplir|dar|crear|escribir"
    r"|generar|asistir|brindar|participar|hablar|compartir|facilitar|discutir|acceder|atender"
    r"|hacer eso)|no me es posible|(?:me niego a|debo rechazar|debo negarme)\b"
    r"|no estoy (?:en condiciones|autorizad|programad|capacitad|dispuest)"
)
_PORTUGUESE = (
    r"não (?:posso|consigo|poderei|vou) (?:te |lhe |o )?(?:ajudar|fornecer|oferecer|responder"
    r"|atender|dar|criar|escrever|gerar|auxiliar|participar|compartilhar|partilhar|discutir"
    r"|fazer isso)|não me é possível|não estou (?:autorizad|programad|apt[oa]|dispost)|recuso-me\b"
    r"|me recuso a\b"
)
_ITALIAN = (
    r"non (?:posso|potrò) (?:aiutar|fornir|offrir|risponder|soddisfar|dar[etlv]|crear|scriver"
    r"|generar|assister|partecipar|condivider|discuter|farlo)|non mi è possibile"
    r"|non sono (?:in grado|autorizzat|programmat)|mi rifiuto d|devo rifiutare"
)
_DUTCH = (
    r"(?:ik kan|kan ik)(?: [\w-]+){0,8}? (?:niet|geen)(?: [\w-]+){0,8}? (?:helpen|geven"
    r"|beantwoorden|verstrekken|voldoen|bieden|assisteren|meewerken|schrijven|maken|delen)\b"
    r"|(?:daar|hier)(?:mee)? kan ik(?: [\w-]+){0,4}? niet\b|ik ben niet (?:in staat|bevoegd)"
    r"|ik moet (?:dit|dat|je|uw?)?(?: [\w-]+){0,3} ?(?:weigeren|afwijzen)"
)
_POLISH = (
    r"nie (?:mogę|będę w stanie) (?:ci |panu |pani |w tym )?(?:pomóc|udzielić|spełnić|odpowiedzieć"
    r"|dostarczyć|podać|stworzyć|napisać|zrealizować)|nie jestem w stanie|muszę odmówić"
)
_RUSSIAN = (
    r"я не (?:могу|смогу|буду) (?:вам |тебе |вам в этом )?(?:помочь|помогать|предостав"
    r"|ответить|выполнить|дать|создать|написать|обсуждать|поделиться|содействовать)"
    r"|я не в состоянии|вынужден\w? отказать"
)
_CHINESE = (
    r"我(?:们)?(?:不能|无法|不可以|無法|没有办法|不会|拒绝)(?:为您|为你|向您|向你|给您|给你|在此|直接|為您|為你)?"
    r"(?:提供|回答|协助|帮助|帮您|帮你|满足|处理|生成|创建|撰写|参与|讨论|执行|透露|協助|幫助|處理|滿足|這樣做|这样做)"
)
_JAPANESE = (
    r"(?:お応え|お答え|応え|答え|対応|提供|お手伝い|手伝い|回答|支援|協力|お教え|生成|作成)"
    r"(?:を|は|に)?(?:する|し|いたし|すること|することは|することが)?"
    r"(?:は|が)?(?:できません|出来ません|できかねます|致しかねます|いたしかねます|しかねます)"
)
_KOREAN = (
    r"(?:도와|도움을|제공|답변|답해|응답|지원|수행|협조|안내)[^.\n]{0,12}?"
    r"(?:수(?:는|가)? 없|어렵습니다|않습니다)"
)

DECLINES_ELSEWHERE = (
    rf"\b(?:{_GERMAN}|{_FRENCH}|{_SPANISH}|{_PORTUGUESE}|{_ITALIAN}|{_DUTCH}|{_POLISH}|{_RUSSIAN})"
    rf"|{_CHINESE}|{_JAPANESE}|{_KOREAN}"
)
# Each declination holds one of these: where none is, there is none of those.
SIGNS_ELSEWHERE = (
    "nicht|kein|ablehnen|je ne |m'est imp|je refus|dois ref|dois décl|no puedo|no podr|no voy"
    "|no me es|no estoy|me niego|rechaz|negarme|não |recus|non po|non mi|non sono|mi rifiut"
    "|devo rif|niet|geen|weiger|afwijz|nie |odmówić|не |отказать"
    "|不能|无法|不可以|無法|没有办法|不会|拒绝|ません|ねます|없|어렵|않"
)
