"""Whether somebody begins a turn by saying that the answer before it was wrong, and whether an
answer asks something itself.

Only a turn's beginning is looked at. A plain "no" is a correction where nothing had been asked, and
an answer where something had.
"""

import re
import unicodedata
from typing import Final, Literal

from tidegate.text import _correction_wording as wording
from tidegate.text.json_schema import Regex

# Which question an answer ends in: one that has to be answered first, or a courtesy.
Asks = Literal["clarification", "offer"]
_BEGINNING_CHARS: Final = 160
_END_CHARS: Final = 300
_LEADING: Final = re.compile(r"^[\W_]+")
_SENTENCE: Final = re.compile(r"[.!。\n]")
_APOSTROPHES: Final = str.maketrans("\u2019\u2018\u02bc\u00b4`", "'''''")
_CORRECTIONS, _DENIALS = Regex(wording.CORRECTIONS), Regex(wording.DENIALS)
_THANKS, _OFFERS, _ASKS = Regex(wording.THANKS), Regex(wording.OFFERS), Regex(wording.ASKS)


def is_correction(turn: str, asked: Asks | None = None) -> bool:
    """Whether the user's turn says so; `asked` is what the answer before it ended in."""
    beginning = _LEADING.sub("", _folded(turn[: 2 * _BEGINNING_CHARS]))[:_BEGINNING_CHARS]
    if asked == "clarification" or _THANKS.found_in(beginning):
        return False
    return _CORRECTIONS.found_in(beginning) or (asked is None and _DENIALS.found_in(beginning))


def asks(answer: str) -> Asks | None:
    """What an answer ends in; None: in no question."""
    end = _folded(answer[-_END_CHARS:])
    if not _ASKS.found_in(end):
        return None
    last = _SENTENCE.split(end.rstrip(" .。"))[-1]
    return "offer" if _OFFERS.found_in(last) else "clarification"


def _folded(text: str) -> str:
    """In small letters, with one kind of apostrophe and one space wherever there is any."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES).split())
