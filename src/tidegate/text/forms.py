"""Forms: what can be known by how it is written, as rows of a table.

A pattern finds what may be one, a judge says how much of it is. What an earlier row has found no
later one sees.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

# How many letters at the beginning of what a pattern has found are the thing; 0: none is.
Judge = Callable[[str], int]
_PART: Final = re.compile(r"\w+")
_BREAK: Final = re.compile(r"\n|[.,;!?] (?=[^\W\d_])")
_TAKEN: Final = "\0"
# Where a pattern needs what stands before the thing, this group is the thing.
THING: Final = "it"


class Form(Struct, frozen=True):
    """`pattern` finds it, `judge` says how much of that is it. `hint`, for an automaton without
    look-around, is found in any text that this is found in. `locale`: whose it is, where it is one
    country's."""

    kind: str
    pattern: re.Pattern[str]
    hint: str
    judge: Judge | None = None
    locale: str | None = None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it stands, each (start, end), from the left. What runs on into another thing is
        cut there, and the other looked for."""
        search, judge, at = self.pattern.search, self.judge, 0
        group = THING if THING in self.pattern.groupindex else 0
        while (match := search(text, at)) is not None:
            start, end = match.span(group)
            length = end - start if judge is None else judge(match[group])
            if length:
                yield start, start + length
                at = max(start + length, match.start() + 1)
            else:
                part = _PART.search(text, start, end)
                at = max(match.start() + 1, start if part is None else part.end())


def find(forms: Iterable[Form], text: str) -> list[tuple[int, int, str]]:
    """All that there is of these, (start, end, kind), in the order of the text."""
    found: list[tuple[int, int, str]] = []
    for form in forms:
        here = [(start, end, form.kind) for start, end in form.spans(text)]
        if here:
            found += here
            text = _without(text, here)
    found.sort()
    return found


def pieces(text: str, size: int) -> Iterator[tuple[int, str]]:
    """The text in pieces of about so many characters, each with its place: they end with a line, or
    behind a comma or the like within one, where nothing in a form goes on."""
    start = 0
    while len(text) - start > size:
        found = _BREAK.search(text, start + size)
        if found is None:
            break
        yield start, text[start : found.end()]
        start = found.end()
    yield start, text[start:]


def _without(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """As long as before, and nothing can be found where these are."""
    pieces: list[str] = []
    at = 0
    for start, end, _ in spans:
        pieces += (text[at:start], _TAKEN * (end - start))
        at = end
    return "".join([*pieces, text[at:]])
