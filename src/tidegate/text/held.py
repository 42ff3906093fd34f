"""held: how much at the end of a text that still grows may become a part of something written in
a form: an address, a number, a key. Nothing in a form goes on across what is not held.

Looked at is only what is new, so the work for a text grows with its length and no faster.
"""

import re
from typing import Final

# Keys without a space in them may be long. What is longer is found only where it comes whole.
MOST_CHARS: Final = 8192
# The longest thing that is written in groups with spaces between them, and what may stand around.
GROUPED_CHARS: Final = 96
_BEGIN: Final = "-----BEGIN"
_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")
# Scripts without spaces between words, punctuation beyond ASCII, pictures: no form has them.
_APART: Final = r"\s\u02b0-\u036f\u2000-\uffff\U00010000-\U0010ffff\u0080-\u00a9"
_RUN: Final = re.compile(rf"[^{_APART}]*")
# Before a space, these go on behind it: digits, and the letters of an account number, which may
# stand behind a bracket or the like.
_GOES_ON: Final = re.compile(r"\S*[0-9]\S*|(?:\S*[^A-Za-z])?[A-Z]{1,4}")
_DIGIT: Final = re.compile("[0-9]")
_SPACES: Final = " \t"
_MOST_SPACES: Final = 3


def _run_before(text: str, at: int) -> int:
    found = _RUN.match(text[max(at - MOST_CHARS, 0) : at][::-1])
    return 0 if found is None else found.end()


def _unended(text: str) -> int:
    """Where a block of lines begins that has not ended; -1: nowhere."""
    begun = text.find(_BEGIN)
    while begun >= 0:
        end = _END.search(text, begun)
        if end is None:
            return begun
        begun = text.find(_BEGIN, end.end())
    return -1


def settled(text: str, since: int) -> int:
    """How much of `text` is held no more, now that it has grown from `since` on."""
    if text.isascii() and len(text) <= MOST_CHARS and _BEGIN not in text:
        fresh = text[since:] if since > 0 else text
        words = fresh.rsplit(None, 1)
        if fresh[-1:].isspace():
            start = len(text)
        elif not words or len(words[-1]) == len(fresh):
            return 0  # all that is new goes on with what is held
        else:
            start = len(text) - len(words[-1])
        before = text[:start].rsplit(None, 1)
        if not before or _ends_there(before[-1]):
            return start
    return _settled(text, since)


def _ends_there(word: str) -> bool:
    """Whether nothing in a form goes on behind this word of ASCII and a space."""
    return not word[-1].isupper() and (word.isalpha() or _DIGIT.search(word) is None)


def _settled(text: str, since: int) -> int:
    """The same of any text."""
    size = len(text)
    begun = _unended(text)
    if begun >= 0 and size - begun < MOST_CHARS:
        return begun - _run_before(text, begun)
    fresh = text[max(since, 0) :][::-1]
    run = _RUN.match(fresh)
    start = size if run is None else size - run.end()
    if start <= since and run is not None and run.end() == len(fresh):
        start = 0  # all that is new goes on with what is held
    while start > 0:
        stop = start
        while stop > 0 and text[stop - 1] in _SPACES and start - stop < _MOST_SPACES:
            stop -= 1
        if stop in (start, 0):
            break
        before = _RUN.match(text[max(stop - GROUPED_CHARS, 0) : stop][::-1])
        first = stop if before is None else stop - before.end()
        if first == stop or _GOES_ON.fullmatch(text, first, stop) is None:
            break
        start = first
        if size - start > GROUPED_CHARS:
            break
    if size - start > MOST_CHARS:
        return size - GROUPED_CHARS
    return start
