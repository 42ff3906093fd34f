"""Sentences of a text that grows: what is whole may go out.

A sentence ends with a full stop, a question or exclamation mark and a space behind it, with that of
a script which needs no space, or with its line. Neither does it within code (between fences), nor
behind an abbreviation, an initial or the number of a line.
"""

import re
from typing import Final

_FENCE: Final = "```"
_END: Final = re.compile(
    "[.!?\u2026\u0964\u061f\u06d4]{1,16}[\"')\\]\u201d\u2019\u00bb*_]{0,4}\\s"
    '|[\u3002\uff01\uff1f\uff61][\u300d\u300f\u201d\u2019\uff09)"]{0,3}(?=.)|\n',
    re.DOTALL,
)
_SHORT: Final = (
    "mr mrs ms dr prof st vs etc e.g i.e cf fig no vol pp approx dept est inc ltd co jr sr a.m p.m "
    "u.s u.k jan feb mar apr jun jul aug sep sept oct nov dec gen sen rep gov capt z.b d.h u.a bzw "
    "ca nr str usw evtl ggf inkl vgl abs bspw hr fr s.o s.u m mme mlle p.ex env av sra dra ud uds "
    "p.ej ee.uu sig dott ing ecc pag bijv d.w.z o.a dhr mevr \u0442.\u0435 \u0442.\u043a \u0433"
)
_ABBREVIATED: Final = frozenset(_SHORT.split())
_LAST_WORD: Final = re.compile(r"[^\s(\[{\"'\u00ab\u201c]*\Z")
_WORD_CHARS: Final = 24


class Sentences:
    """One text. Of one without an end `max_chars` are held."""

    __slots__ = ("_fenced", "_held", "_max_chars", "_scanned")

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._held = ""
        self._fenced = False
        self._scanned = 0

    @property
    def waiting(self) -> bool:
        return bool(self._held)

    def add(self, text: str) -> str:
        """What is whole by now."""
        held = self._held = self._held + text
        cut = self._cut(held)
        if not cut and len(held) > self._max_chars:
            cut = _between_words(held)
        return self._released(cut) if cut else ""

    def flush(self) -> str:
        """All that is held."""
        return self._released(len(self._held))

    def _released(self, cut: int) -> str:
        shown, self._held = self._held[:cut], self._held[cut:]
        self._scanned = max(self._scanned - cut, 0)
        if shown.count(_FENCE) % 2:
            self._fenced = not self._fenced
        return shown

    def _cut(self, held: str) -> int:
        """Behind the last sentence that is whole; 0 where none is. Each letter is read once, but
        for a few in front of what is new."""
        fenced, at, cut = self._fenced, 0, 0
        if self._scanned and not fenced and _FENCE not in held:
            at = max(self._scanned - 8, 0)
        self._scanned = len(held)
        while True:
            fence = held.find(_FENCE, at)
            if not fenced:
                stop = len(held) if fence < 0 else fence
                for match in _END.finditer(held, at, stop):
                    if _ends(held, match):
                        cut = match.end()
            if fence < 0:
                return cut
            at, fenced = fence + len(_FENCE), not fenced
            if not fenced:
                cut = max(cut, at)


def _ends(text: str, match: re.Match[str]) -> bool:
    if match[0][0] != ".":
        return True
    word = _LAST_WORD.search(text, max(match.start() - _WORD_CHARS, 0), match.start())
    last = "" if word is None else word[0]
    if last.lower() in _ABBREVIATED or (len(last) == 1 and last.isupper()):
        return False
    if last.isdigit() and len(last) <= 3:  # the number of a line
        before = text[: match.start() - len(last)]
        return bool(before.strip(" ")) and not before.endswith("\n")
    return True


def _between_words(text: str) -> int:
    space = max(text.rfind(" "), text.rfind("\n"))
    return space + 1 if space > 0 else len(text)
