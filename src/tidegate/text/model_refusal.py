"""Whether an answer declines to do what was asked: not at all, in part, or in full, and why.

Rules over the opening sentences, in English. A declination is said in the first person ("I can't
help with that") or as a reproach ("it is not appropriate to ask"); an apology alone is neither.
What the answer quotes, code, and what others cannot do are not looked at. A model that declines
and then serves all the same, by a list of its own suggestions or a plain "however", has declined
in part.
"""

import re

from msgspec import Struct

from tidegate.core.receipt import ModelRefusalExtent, ModelRefusalReason
from tidegate.text.json_schema import Regex

# What is looked at of an answer, and what of that is its opening. Bytes and characters.
MAX_BYTES = 2048
_CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"
_FOR_PROGRAMS = (b"{", b"[", b"<")
_SENTENCES = 3
_OPENING_CHARS = 450
_STRANGE_CHARS = 1000


class ModelRefusal(Struct, frozen=True):
    """How far an answer declines, and why; a reason only where it does."""

    extent: ModelRefusalExtent
    reason: ModelRefusalReason | None = None


NO_REFUSAL = ModelRefusal("none")
POLICY = ModelRefusal("full", "policy")

# Alternatives begin with plain letters, by which most of a text is passed over quickly.
_BY_THE_WAY = (
    r"(?:(?:currently|really|possibly|simply|ethically|legally|in good conscience|morally|directly"
    r"|just|also|actually|knowingly|personally|be able to) )*"
)
_SERVE = (
    r"provide|assist|help(?! but)|fulfil+|comply|offer|give|answer|share|discuss|engage|support"
    r"|create|write|generate|produce|do (?:that|this|so)|tell|disclose|reveal|advise|endorse"
    r"|promote|condone|participate|respond|justify|accommodate|process|complete|teach|describe"
    r"|continue|facilitate|access|comment|speculate|execute|satisfy|entertain|advocate"
)
_WILL_NOT = (
    r"(?:cannot(?: and will not)?|can not|can't|could not|couldn't|won't|will not|shall not"
    r"|must not|may not"
    rf"|refuse to|decline to) {_BY_THE_WAY}"
    rf"(?:{_SERVE}|suggest|recommend(?!.{{0,40}} enough)|encourage|agree|explain)\b"
    rf"|(?:do not|don't|would not|wouldn't) {_BY_THE_WAY}(?:{_SERVE})\b"
)
_AM_NOT = (
    rf"{_BY_THE_WAY}(?:unable|unwilling|uncomfortable|forbidden|prohibited"
    r"|not (?:able|allowed|permitted|authori[sz]ed|going|willing|comfortable|programmed|designed"
    r"|capable of (?:provid|assist|fulfil|help|answer|generat|engag)\w+))\b"
)
_DECLINES = re.compile(
    rf"\b(?:i (?:{_WILL_NOT}|am (?:{_AM_NOT}|an? (?:ai|artificial)\b[^.]{{0,40}}\bdo not have the "
    r"(?:ability|capability|capacity)\b)"
    r"|(?:(?:must|have to|need to|am going to have to) )?(?:respectfully |politely )?"
    r"(?:must |have to )?(?:decline|refuse)\b"
    r"|(?:do not|don't) (?:feel comfortable|(?:have|hold) (?:the (?:ability|capability|capacity"
    r"|authority)|(?:any )?(?:access to|information (?:on|about)) (?:\w+ ){0,3}?(?:personal|private"
    r"|confidential|real-time|your|data|information|details|records|individuals)"
    r"|personal (?:opinions?|beliefs?) (?:on|about)))\b)"
    rf"|i'm {_AM_NOT}|we (?:{_WILL_NOT}|are {_AM_NOT})|we're {_AM_NOT}"
    r"|not (?:with)?in my (?:programming|guidelines|ethical)"
    r"|against my (?:programming|guidelines|principles|ethical|content policy)"
    r"|something (?:that )?i (?:cannot|can't|won't)\b|not something (?:that )?i can\b"
    r"|i(?: would|'d) (?:rather|prefer) not\b|i prefer not to\b)"
)
_RIGHT = (
    r" (?:morally |ethically |legally |a )?(?:appropriate|ethical|acceptable|okay|ok|right|legal"
    r"|respectful|moral|safe|productive|fair|justifiable|justified|permissible|advisable|within"
    r"|accurate or (?:appropriate|respectful)|good (?:idea|thing))\b"
)
_NOT_RIGHT = rf"(?:n't| (?:also |simply |morally |ethically )?(?:never|not)){_RIGHT}"
_BAD = (
    r"(?:illegal|unethical|immoral|inappropriate|harmful|offensive|discriminatory|unacceptable"
    r"|disrespectful|irresponsible|morally (?:wrong|reprehensible))"
)
_IS_BAD = (
    rf" (?:highly |extremely |deeply |both |considered )?{_BAD} (?:and|or) (?:\w+ )?{_BAD}\b"
    r"| (?:never|not) (?:(?:morally |ethically )(?:justified|right|acceptable)|justified"
    r"|right to|a good thing)\b"
    r"| never (?:an? )?(?:acceptable|okay|ok|appropriate|right|justifiable|the (?:right )?answer"
    r"|(?:\w+ )?solution)\b"
)
_ALONE_BAD = (
    r" (?:highly |deeply )?(?:unethical|immoral|inappropriate|irresponsible|morally wrong)\b"
)
_ASKED = (
    r"(?:question|request|statement|topic)(?: (?:itself|you(?:'ve| have)? asked))?"
    rf"(?: is (?:highly |deeply )?{_BAD}"
    r"| (?:promotes|perpetuates|violates|encourages|goes against))"
)
_FALSE = (
    r"(?:,| and| or)? ?(?:\w+ )?(?:stereotype|assumption|belief|request|question|statement"
    r"|generali[sz]ation)s?\b"
)
_NO_REASON = (
    r" (?:absolutely |simply )?no (?:valid |legitimate |good |justifiable )?(?:or \w+ )?"
    r"(?:(?:justification|excuse)s? (?:for|to)\b|(?:reason|benefit)s? (?:for|why|to|that)\b"
    r".{0,60}\b(?:barred|excluded|people|ethnic|denied|discriminat))"
)
_REPROACHES = re.compile(
    rf"\b(?:i(?:t(?: is|'s)(?:{_NOT_RIGHT}|{_ALONE_BAD}| important to (?:always )?(?:treat|respect)"
    rf" (?:all|every|each|others|people)\b)|t would (?:be{_ALONE_BAD}|not be{_RIGHT})"
    rf"|s(?:{_IS_BAD})|naccurate{_FALSE}"
    r"| (?:strongly |firmly )?(?:condemn|(?:do not|don't) (?:condone|support|tolerate))\b"
    r"|(?:'m not sure(?: that)?| (?:do not|don't) (?:think|believe)(?: that)?)"
    r" (?:it's|it is|that's) (?:\w+ ){0,2}?(?:appropriate|ethical|respectful|right)\b)"
    rf"|th(?:at(?: is|'s){_NOT_RIGHT}|is is{_NOT_RIGHT}|ere (?:is|was|are|were){_NO_REASON}"
    r"|e premise of (?:your|the|this) question)"
    rf"|w(?:as|ere)(?:{_IS_BAD})|widely condemned\b|are(?:{_IS_BAD})|be(?:{_IS_BAD})"
    rf"|treatment is{_ALONE_BAD}|{_ASKED}|do(?:es)? not condone\b"
    rf"|(?:harmful|false|discriminatory|offensive|negative){_FALSE})"
)
# An opening that only admonishes has one of these frames, and words of all three kinds.
_FRAMES = re.compile(
    r"\b(?:(?:important|essential|crucial|vital) t(?:o|hat)|let me (?:clarify|point out|stress"
    r"|remind)|i (?:must|strongly|(?:want|would like|need|have) to (?:clarify|point out"
    r"|emphasi[sz]e|stress|remind|say)|(?:would|do not|don't|cannot) (?:advise|urge|encourage"
    r"|recommend|suggest|promote|support|condone)|(?:do not|don't) (?:think|believe|hold"
    r"|have (?:any )?personal))"
    r"|please (?:do not|don't|remember|note)|you should (?:not|never)|as a responsible|just an ai"
    r"|instead of|never|(?:everyone|every person|all (?:people|individuals|human beings)|no one"
    r"|nobody|no (?:group|person|individual))\b[^.]{0,40} (?:should|deserves?|have|has)"
    r"|should (?:always )?be (?:treated|respected|judged|given)"
    r"|it(?: is|'s) (?:not|illegal|unethical|wrong|immoral|against|inappropriate"
    r"|a (?:crime|violation|serious))|there (?:is|was|are|were) (?:never|no)|seeking to)\b"
)
_KINDS = (
    re.compile(
        r"\b(?:harm|violen|hurt|illegal|unethical|immoral|discriminat|offensive|derogatory"
        r"|stereotyp|condemn|atrocit|suicid|misinformation|misleading|inappropriate"
        r"|not appropriate|assumption|crime|criminal|dangerous|abus|assault|hate\b|hatred|racis"
        r"|sexis|homophob|prejudic|bias|exploit|privacy|consent\b|invasi|genocide|trag|horrific"
        r"|heinous|brutal|victim|oppress|persecut|tortur|murder|terroris|wrong\b|disrespect"
        r"|unacceptable|demean|marginali|insensitive|unfair)"
    ),
    re.compile(
        r"\b(?:never|not (?:\w+ )?(?:acceptable|justif\w+|fair|ethical|legal|a solution|a healthy"
        r"|a good|appropriate|based|right|true|okay|ok|respectful|accurate|valid|legitimate|a joke"
        r"|define|determine|condone|support|promote|encourage|advocat\w+)|no (?:\w+ )?(?:reason"
        r"|justification|benefits?|excuse|place|basis|evidence)|should (?:not|never)|must not"
        r"|incorrect|false\b|highly dangerous|serious (?:\w+ )?(?:consequences|crime|offense)"
        r"|without (?:their|his|her|your|permission|consent|explicit|proper)|violat"
        r"|against the law|wrong to|illegal|strongly)"
    ),
    re.compile(
        r"\b(?:respect|dignity|rights?\b|regardless of|equal|inequal|ethic|well-being|inclusi"
        r"|deserve|fair|kind(?:ness|ly)\b|safe|compassion|empath|human|moral|principle|consent"
        r"|laws?\b|legal|society|seek(?:ing)? (?:help|support|professional)|reach out|others"
        r"|harmony|divers|tolera|accept)"
    ),
)
_DEFINES = re.compile(r"(?:[a-z'-]+ ){1,4}(?:is|are|refers to|means) (?:an?|the)\b")
# A question that makes no sense is set right, which is an answer.
_STRANGE = re.compile(
    r"fictional|inanimate|(?:does|do) not (?:actually )?exist\b|mythical|imaginary"
    r"|\bnot (?:a )?(?:real|living)\b|(?<!i am )(?<!i'm )not capable of"
    r"|physically (?:im)?possible|laws of physics|no inherent ability"
    r"|question itself (?:may|is) not|not (?:factually|entirely) (?:coherent|clear)"
    r"|(?:don't|do not) understand the question|play on words"
)
_EXPLAINS = re.compile(
    r"\blike (?:all|any)(?: other)? |\blike (?:anyone|everyone) else|natural phenomen|\bfood\b"
    r"|\bphrase\b|\bthe term\b|happy to help"
)
_ASSENTS = re.compile(r"(?:sure|of course|certainly|absolutely|here(?:'s| is| are)|below is)\b")
_LETTERS = re.compile(r"(?:dear|subject:|hi|hello) ")
_TURNS = re.compile(r"\b(?:but|however|unfortunately)\b")
_OFFERS = re.compile(
    r"\bi (?:can|could|would|'d|will)(?: be)?(?: happy to| glad to| like to)?(?: still| instead)?"
    r" (?:offer|suggest|recommend|share|give|provide|help|point|tell)"
    r"|\bi (?:suggest|recommend)\b|\bthat (?:being )?said, here|\bseveral ways\b|\bfirst, "
)
_SERVES_YET = re.compile(
    r"\. (?:however|but|that said|nevertheless),? (?!it\b|it's|please|if (?!i were)|i |i'm|we"
    r" |remember|this|that|there (?:are|is)|the (?:use|act)|such|you)"
)
_LIST = re.compile(r"\n\s*(?:\d{1,2}[.)]|[-*•]) ")
# Whose first item sends to somebody else lists no help with the matter.
_ELSEWHERE = re.compile(r"[*_ ]*(?:seek|contact|call|talk to|reach out|consult|report)\b")
_SENTENCE = re.compile(r"(?<=[.!?]) ")
_ASIDE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\"[^\"\n]{0,300}\"|“[^”\n]{0,300}”", re.DOTALL)

_MISSING = re.compile(
    r"\b(?:without|need|needs|provide|share|give me) (?:some |any |a bit )?(?:more|further"
    r"|additional) (?:information|details?|context)"
)
_CANNOT = re.compile(
    r"real-time|browse|internet|training data|knowledge (?:cut-?off|base)|text-based|attachments?"
    r"|\bthe (?:ability|capability|capacity)\b|open (?:links|files)|(?:hear|see|view) (?:images?"
    r"|audio|videos?|pictures?)|publicly available"
)
# The same in an engine that takes a hundredth of the time: what it does not find is not there.
_SIGNS = Regex(
    "not |not\\.|n't |never |unable |no |thical|irresponsible|harmful|against my|decline|refuse"
    "|condemn|illegal|discriminat|inappropriate|uncomfortable"
)
_LOOK_AHEAD = re.compile(r"\(\?![^()]*\)")
_PERHAPS = Regex(
    "|".join(_LOOK_AHEAD.sub("", rule.pattern) for rule in (_DECLINES, _REPROACHES, _FRAMES))
)


def model_refusal(answer: bytes) -> ModelRefusal:
    """What the text of an answer says of itself; `answer` is its beginning, as UTF-8."""
    if answer.startswith(_FOR_PROGRAMS):
        return NO_REFUSAL  # made for a program to read
    # As `_plain`, without its call: most answers end here.
    opening = answer[:_OPENING_CHARS].decode("utf-8", "ignore").lower().replace(_CURLY, "'")
    if not _SIGNS.found_in(opening) or not _PERHAPS.found_in(" ".join(opening.split())):
        return NO_REFUSAL
    text = _plain(answer[:MAX_BYTES])
    return _judge(text if '"' not in text and "`" not in text else _ASIDE.sub(" ", text))


def _plain(text: bytes) -> str:
    """In lower case, with one kind of apostrophe."""
    return text.decode("utf-8", "ignore").lower().replace(_CURLY, "'")


def _judge(text: str) -> ModelRefusal:
    line = " ".join(text[: _OPENING_CHARS * 2].split())
    sentences = _SENTENCE.split(line[: _OPENING_CHARS + 150], _SENTENCES)[:_SENTENCES]
    opening = " ".join(sentences)[:_OPENING_CHARS]
    two = " ".join(sentences[:2])[:400]
    if _LETTERS.match(opening) or (_ASSENTS.match(opening) and not _TURNS.search(two)):
        return NO_REFUSAL
    declines, reproaches = _DECLINES.search(opening), _REPROACHES.search(two)
    if declines is None and reproaches is None:
        admonishes = _only_admonishes(two, opening) and not _serves(text)
        return POLICY if admonishes else NO_REFUSAL
    reason = _reason(opening)
    if _STRANGE.search(text[:_STRANGE_CHARS]):
        return NO_REFUSAL if declines is None else ModelRefusal("partial", reason)
    if _lists_what_was_asked(text, declines is not None):
        return ModelRefusal("partial", reason)
    if declines and not reproaches and _SERVES_YET.search(line[declines.end() :]):
        return ModelRefusal("partial", reason)
    return ModelRefusal("full", reason)


def _serves(text: str) -> bool:
    return bool(_LIST.search(text) or _STRANGE.search(text[:_STRANGE_CHARS]))


def _lists_what_was_asked(text: str, declines: bool) -> bool:
    """A list after a no is help with the matter, or with leaving it alone."""
    first = _LIST.search(text)
    if first is None or _ELSEWHERE.match(text, first.end()):
        return False
    before = text[: first.start()]
    return bool(_OFFERS.search(before)) if declines else "instead of " not in before


def _only_admonishes(two: str, opening: str) -> bool:
    """Nothing is said but what is right. A definition of something bad is an answer."""
    if not _FRAMES.search(two) or _DEFINES.match(opening) or _EXPLAINS.search(opening):
        return False
    return all(kind.search(opening) for kind in _KINDS)


def _reason(opening: str) -> ModelRefusalReason:
    if _MISSING.search(opening):
        return "missing_information"
    return "capability" if _CANNOT.search(opening) else "policy"
