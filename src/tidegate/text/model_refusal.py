"""Whether an answer declines to do what was asked: not at all, in part, or in full, and why.

Rules over the opening sentences. A declination is said in the first person, in English or another
language; or, in English, as a reproach, or by an opening that speaks of right and wrong and of
little else. An apology alone is none of them. What the answer quotes, code, and what others cannot
do are not looked at. A model that declines and then serves all the same, by a list of its own
suggestions or a plain "however", has declined in part.
"""

import re

from msgspec import Struct

from tidegate.core.receipt import ModelRefusalExtent, ModelRefusalReason
from tidegate.text import _refusal_wording as en
from tidegate.text._refusal_languages import DECLINES_ELSEWHERE, SIGNS_ELSEWHERE
from tidegate.text.json_schema import Regex

# What is looked at of an answer, and what of that is its opening. Bytes and characters.
MAX_BYTES = 2048
_CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"
_FOR_PROGRAMS = (b"{", b"[", b"<")
_SENTENCES = 3
_OPENING_CHARS = 450
_STRANGE_CHARS = 1000
_TIPS_CHARS = 120
# From how many words of right and wrong, and how many of a hundred, nothing else is said.
_MORALS = 5
_MORALS_OF_AN_AI = 3
_MORALS_PER_HUNDRED = 9
# From how many words of right, wrong and harm a denial speaks of those.
_WRONGS = 3
_CRISIS = 2


class ModelRefusal(Struct, frozen=True):
    """How far an answer declines, and why; a reason only where it does."""

    extent: ModelRefusalExtent
    reason: ModelRefusalReason | None = None


NO_REFUSAL = ModelRefusal("none")
POLICY = ModelRefusal("full", "policy")

# The same in an engine that takes a hundredth of the time: what it does not find is not there.
_ENGLISH_SIGNS = (
    "not |not\\.|n't |never |unable |no |thical|irresponsible|harmful|against my|decline|refuse"
    "|condemn|illegal|discriminat|inappropriate|uncomfortable|important"
    "|prohibit|violates|outside of my|beyond my|something else"
    "|should |wrong|crime|offense|crisis|hotline|not alone|your life|misconception|deserve"
)
# A little more is found than the rules mean: no look-ahead, no bound on what lies between, and
# words that end where other letters than English ones begin, which takes a fifth of the memory.
_LOOK_AHEAD = re.compile(r"\(\?![^()]*\)")
_BOUND = re.compile(r"\{0,\d\d+\}")
_RULES = (
    en.DECLINES.pattern,
    en.REGRETS,
    en.REPROACHES,
    en.FRAMES,
    en.DENIES,
    en.CONDEMNS,
    en.CRISIS.pattern,
)
_PERHAPS = Regex(
    _BOUND.sub("*", _LOOK_AHEAD.sub("", "|".join(_RULES)))
    .replace(r"\w", "[^ .,;:!?]")
    .replace(r"\b", r"(?-u:\b)")
)
_REPROACHES, _FRAMES, _DENIES = Regex(en.REPROACHES), Regex(en.FRAMES), Regex(en.DENIES)
_STRANGE, _NATURE, _REGRETS = Regex(en.STRANGE), Regex(en.NATURE), Regex(en.REGRETS)
_CONDEMNS, _REDIRECTS = Regex(en.CONDEMNS), Regex(en.REDIRECTS)
# Most answers have none of any language. Two looks take half as long as one for all the words.
_SIGNS = Regex(_ENGLISH_SIGNS)
_SIGNS_ELSEWHERE, _DECLINES_ELSEWHERE = Regex(SIGNS_ELSEWHERE), Regex(DECLINES_ELSEWHERE)


def model_refusal(answer: bytes) -> ModelRefusal:
    """What the text of an answer says of itself; `answer` is its beginning, as UTF-8."""
    if answer.startswith(_FOR_PROGRAMS):
        return NO_REFUSAL  # made for a program to read
    opening = _plain(answer[:_OPENING_CHARS])
    if _SIGNS.found_in(opening) and _PERHAPS.found_in(" ".join(opening.split())):
        found = _judge(_without_asides(answer))
        if found is not NO_REFUSAL:
            return found
    return _elsewhere(answer) if _SIGNS_ELSEWHERE.found_in(opening) else NO_REFUSAL


def _without_asides(answer: bytes) -> str:
    return en.ASIDE.sub(" ", _plain(answer[:MAX_BYTES]))


def _elsewhere(answer: bytes) -> ModelRefusal:
    """The same of a text in another language than English, where only a plain no is known."""
    text = _without_asides(answer)
    sentences = en.SENTENCE.split(" ".join(text[:_OPENING_CHARS].split()), _SENTENCES)
    if not _DECLINES_ELSEWHERE.found_in(" ".join(sentences[:_SENTENCES])):
        return NO_REFUSAL
    return ModelRefusal("partial", "policy") if en.LIST.search(text) else POLICY


def _plain(text: bytes) -> str:
    """In lower case, with one kind of apostrophe."""
    return text.decode("utf-8", "ignore").lower().replace(_CURLY, "'")


def _judge(text: str) -> ModelRefusal:
    line = " ".join(text[: _OPENING_CHARS * 2].split())
    courtesy = en.COURTESIES.match(line)
    line = line[courtesy.end() :] if courtesy else line
    sentences = en.SENTENCE.split(line[: _OPENING_CHARS + 150], _SENTENCES)[:_SENTENCES]
    opening = " ".join(sentences)[:_OPENING_CHARS]
    two = " ".join(sentences[:2])[:400]
    if en.LETTERS.match(opening) or (en.ASSENTS.match(opening) and not en.TURNS.search(two)):
        return NO_REFUSAL
    declines, reproaches = en.DECLINES.search(opening), _REPROACHES.found_in(two)
    if declines is None:
        return _reproach(text, opening, two, reproaches=reproaches or _REGRETS.found_in(two))
    reason = _reason(opening)
    before = _before_help(text)
    if _STRANGE.found_in(text[:_STRANGE_CHARS]) or (before and en.OFFERS.search(before)):
        return ModelRefusal("partial", reason)
    rest = line[declines.end() :]
    if en.HELPS_YET.search(rest) or (not reproaches and en.SERVES_YET.search(rest)):
        return ModelRefusal("partial", reason)
    return ModelRefusal("full", reason)


def _reproach(text: str, opening: str, two: str, *, reproaches: bool) -> ModelRefusal:
    """Where nobody says no: whether what was asked is only found fault with."""
    if en.DEFINES.match(opening):
        return NO_REFUSAL  # to say what something bad is, is an answer
    if not reproaches:
        if en.LIST.search(text):
            return NO_REFUSAL
        moral = _admonishes(opening, two) or _denies(opening, two) or _redirects(opening, two)
        return POLICY if moral else NO_REFUSAL
    if _STRANGE.found_in(text[:_STRANGE_CHARS]) and not _admonishes(opening, two):
        return NO_REFUSAL
    before = _before_help(text)
    helps = before is not None and en.TIPS.search(before.rstrip()[-_TIPS_CHARS:]) is not None
    return ModelRefusal("partial" if helps else "full", _reason(opening))


def _admonishes(opening: str, two: str) -> bool:
    """Whether right and wrong are spoken of and little else."""
    if not _FRAMES.found_in(two):
        return False
    morals = len(en.MORALS.findall(opening))
    words = opening.count(" ") + 1
    enough = _MORALS_OF_AN_AI if en.AN_AI.search(two) else _MORALS
    return morals >= enough and morals * 100 >= words * _MORALS_PER_HUNDRED


def _denies(opening: str, two: str) -> bool:
    """Whether what the question takes for granted is called wrong, and no reason given but that."""
    if not _DENIES.found_in(two) or _NATURE.found_in(opening) or _STRANGE.found_in(opening):
        return False
    return len(en.MORALS.findall(opening)) + len(en.WRONGS.findall(opening)) >= _WRONGS


def _redirects(opening: str, two: str) -> bool:
    """Whether who asked is only warned, and sent to somebody who helps with what is behind it."""
    if len(en.CRISIS.findall(opening)) >= _CRISIS:
        return True
    return _CONDEMNS.found_in(two) and _REDIRECTS.found_in(opening)


def _before_help(text: str) -> str | None:
    """What comes before a list of help with the matter. Where to turn to, and what to do instead of
    it, is none."""
    listed = en.LIST.search(text)
    if listed is None or en.ELSEWHERE.match(text, listed.end()):
        return None
    before = text[: listed.start()]
    return None if "instead of " in before else before


def _reason(opening: str) -> ModelRefusalReason:
    if en.MISSING.search(opening):
        return "missing_information"
    return "capability" if en.CANNOT.search(opening) else "policy"
