"""The words that a veto goes by: English, where it does not say otherwise."""

from collections.abc import Iterable, Mapping
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _opposites(lines: Iterable[str]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in lines:
        left, right = map(_words, line.split("/"))
        for sides in ((left, right), (right, left)):
            for word in sides[0]:
                found[word] = found.get(word, frozenset()) | sides[1]
    return found


def _numbered(text: str, step: int = 1) -> dict[str, int]:
    return {word: step * n for n, word in enumerate(text.split()) if word != "_"}


def _first_of_each(groups: Iterable[str]) -> dict[str, str]:
    return {word: group.split()[0] for group in groups for word in group.split()}


# With the apostrophe and without it; three are other words without.
_NO: Final = _words(
    "don doesn didn isn aren wasn weren couldn wouldn shouldn hasn hadn mustn needn ain shan"
)
_NEGATED: Final = frozenset(f"{it}{t}" for it in _NO for t in ("'t", "t")) | _words(
    "can't won't haven't"
)
# Words that say no: English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Danish,
# Norwegian, Polish, Czech, Russian, Ukrainian.
NEGATIONS: Final = _NEGATED | _words(
    "not no never none nobody nothing nowhere neither nor cannot without except excluding"
    " nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne weder ne"
    " pas jamais aucun aucune rien sans ni sin nunca ningún ninguna ninguno nada jamás tampoco"
    " não nenhum nenhuma sem non nessun nessuno nessuna senza niente niet geen nooit niemand"
    " niets zonder inte ingen inget inga aldrig utan ikke ingenting uten uden bez nigdy nikt"
    " nic není nikdy nikdo не нет без никогда никто ничего нельзя ні немає ніколи"
)
# What says nothing by itself in a question, or is looked at by itself below.
SMALL: Final = _words(
    "a an the of to in on at for with as about and that this these those there it its so just"
    " really actually exactly please tell me know explain thanks i you we one my mine your yours"
    " our ours us myself yourself is are am was were be been being do does did done has have had"
    " having get gets getting got will would shall should can could may might must what which who"
    " whom whose when where why how if whether than or vs versus some any thing things way ways"
)

# Small where a text begins with them.
GREETINGS: Final = _words("hi hello hey")
# What an apostrophe ties to a word of English.
TIED: Final = _words("s t d m ll re ve")
# Where these are said others are spoken of as words, and none is small.
CITING: Final = _words(
    "translate translation spell spelling spelled spelt say pronounce pronounced plural singular"
    " synonym antonym verb noun adjective adverb pronoun word words phrase sentence grammar"
)

FIRST_PERSON: Final = _words("i me my mine myself we us our ours")
SECOND_PERSON: Final = _words("you your yours yourself")
PAST: Final = _words("was were did had")
FUTURE: Final = _words("will shall ll")
MODALS: Final[Mapping[str, str]] = _first_of_each(
    ("can could", "should must ought", "may might", "would d", "will shall ll")
)

# Question words, each with what it asks for.
KINDS: Final[Mapping[str, str]] = {
    "what": "what",
    "which": "what",
    "who": "who",
    "whom": "who",
    "whose": "who",
    "when": "when",
    "where": "where",
    "why": "why",
    "how": "how",
}
# What begins a question that is answered by yes or no; of one kind each.
WHETHER: Final[Mapping[str, str]] = {
    **MODALS,
    **_first_of_each(("is are am was were", "do does did", "has have had")),
}
# Behind `how` these ask for a way, whoever goes it.
GENERAL: Final = _words("do does can could should would may might must to")
# Between two of a kind, whichever comes first.
BESIDE: Final = _words("and or vs versus")
# What is said in many words, and its few: a part that is always there, and a pattern of words in
# small letters, one space between.
_IS: Final = "(?:'s| is| are| was| were| would be)"
PHRASES: Final = (
    (
        "what",
        rf"\bwhat{_IS} (?:the |a |an |some )?(?:of the )?(?:best |good |better )?(?:possible )?"
        r"(?:ways?|methods?|process|procedure|steps) (?:to|of|for)\b",
        "how to",
    ),
    (
        " do to ",
        r"\bwhat (?:should|can|could|must|would|do) (?:i|you|we|one|people) do to\b",
        "how to",
    ),
    (" reason", rf"\bwhat{_IS} the (?:main |real )?reasons? (?:for|of|that|why|behind)\b", "why"),
    ("how come", r"\bhow come\b", "why"),
    ("is it possible ", r"^is it possible (?:to|for)\b", "can i"),
    ("is there a", r"^is there (?:a|any) (?:possible )?way (?:to|of|for)\b", "can i"),
    ("in order to", r"\bin order to\b", "to"),
    ("lot", r"\b(?:a lot|lots) of\b", "many"),
)

# Whichever of a line is said, the same is meant.
SAME: Final[Mapping[str, str]] = _first_of_each(
    (
        "begin start commence",
        "buy purchase",
        "large big",
        "quick fast rapid quickly rapidly",
        "film movie",
        "delete remove erase",
        "fix repair",
        "car automobile",
        "phone telephone",
        "usa america",
        "uk britain",
        "photo picture",
        "choose select",
        "happen occur",
        "okay ok",
        "advantage benefit",
        "disadvantage drawback",
        "child kid children",
        "man men",
        "woman women",
        "foot feet",
        "person people",
        "mean meaning",
        "differ difference different",
    )
)
# The words of each line's one side, and those on its other: one says the opposite of the other, or
# something else of its kind.
OPPOSITES: Final = _opposites(
    (
        "enable activate on/disable deactivate off",
        "buy purchase/sell",
        "increase raise grow gain/decrease reduce lower shrink lose",
        "open/close shut",
        "before/after",
        "start begin/stop end finish quit",
        "add insert/remove delete erase",
        "install/uninstall",
        "lock/unlock",
        "block/unblock",
        "allow permit/forbid deny prohibit ban",
        "accept approve/reject decline refuse",
        "import/export",
        "upload/download",
        "upgrade/downgrade",
        "encrypt/decrypt",
        "encode/decode",
        "push/pull",
        "send/receive",
        "borrow/lend",
        "win/lose",
        "best better good/worst worse bad",
        "most more/least less fewer",
        "maximum max highest/minimum min lowest",
        "first/last",
        "always/never",
        "all every everyone/none nobody",
        "above over/below under",
        "up/down",
        "in inside/out outside",
        "left/right",
        "north/south",
        "east/west",
        "hot warm/cold cool",
        "high tall/low short",
        "long/short",
        "big large/small little",
        "old/new young",
        "early/late",
        "fast quick/slow",
        "strong/weak",
        "easy simple/hard difficult",
        "cheap/expensive",
        "rich/poor",
        "safe/dangerous unsafe",
        "legal/illegal",
        "possible/impossible",
        "public/private",
        "internal/external",
        "male man men boy husband father he his him/female woman women girl wife mother she her",
        "love like/hate dislike",
        "true right correct/false wrong incorrect",
        "positive/negative",
        "advantage benefit pro pros/disadvantage drawback con cons",
        "success succeed/failure fail",
        "alive live life/dead die death",
        "today/yesterday tomorrow",
        "day/night",
        "summer/winter",
        "front/back",
        "employer/employee",
        "teacher/student",
        "debit/credit",
        "input/output",
        "online/offline",
        "include/exclude",
        "agree/disagree",
        "appear/disappear",
        "with/without",
    )
)
# Words and signs of units, each to its own.
UNITS: Final[Mapping[str, str]] = _first_of_each(
    (
        "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes",
        "gram grams gramme grammes",
        "mg milligram milligrams",
        "lb lbs pound pounds",
        "oz ounce ounces",
        "ton tons tonne tonnes",
        "km kms kilometer kilometers kilometre kilometres",
        "meter meters metre metres",
        "cm cms centimeter centimeters centimetre centimetres",
        "mm millimeter millimeters millimetre millimetres",
        "mile miles",
        "ft foot feet",
        "inch inches",
        "yard yards",
        "liter liters litre litres",
        "ml milliliter milliliters millilitre millilitres",
        "gallon gallons",
        "acre acres",
        "hectare hectares",
        "celsius centigrade",
        "fahrenheit",
        "kelvin",
        "ms millisecond milliseconds",
        "sec secs second seconds",
        "minute minutes mins",
        "hour hours hr hrs",
        "day days",
        "week weeks",
        "month months",
        "year years yr yrs",
        "decade decades",
        "century centuries",
        "kb kilobyte kilobytes",
        "mb megabyte megabytes",
        "gb gigabyte gigabytes",
        "tb terabyte terabytes",
        "kbps",
        "mbps",
        "gbps",
        "hz hertz",
        "khz kilohertz",
        "mhz megahertz",
        "ghz gigahertz",
        "watt watts",
        "kw kilowatt kilowatts",
        "kwh",
        "volt volts",
        "calorie calories kcal",
        "percent % per_cent",
        "dollar dollars $ usd bucks",
        "euro euros € eur",
        "sterling £ gbp",
        "rupee rupees ₹ inr rs",
        "yen ¥ jpy",
        "yuan rmb cny",
    )
)
# Numbers in words. `one` and `second` are other words far too often.
ONES: Final = _numbered(
    "zero _ two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
)
TENS: Final = _numbered("_ _ twenty thirty forty fifty sixty seventy eighty ninety", 10)
SCALES: Final[Mapping[str, int]] = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "lakh": 10**5,
    "crore": 10**7,
}
# What is written right behind a number's digits.
SUFFIXES: Final[Mapping[str, int]] = {"k": 1000, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9}
ORDINALS: Final = _numbered(
    "_ first _ third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
)
