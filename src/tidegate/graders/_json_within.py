"""JSON that stands within a text, such as between the words of a model."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from tidegate.text.strict_json import UNREADABLE

_MARK = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
_OPENS = "{["
# A text of brackets alone must not be read once for each of them.
_READ_TIMES = 4


class TooTangled(Exception):
    """The text has too many brackets that belong to nothing."""


def json_within(text: str) -> Iterator[Any]:
    """Objects and arrays in `text`, in order, none within another. TooTangled when it is not sure
    that there are no more."""
    left = _READ_TIMES * len(text) + 1000
    at = _next_open(text, 0)
    while at is not None:
        end, looked = _end_of(text, at, left)
        left -= looked
        if left <= 0:
            raise TooTangled
        if end is not None:
            left -= end - at
            try:
                value = msgspec.json.decode(text[at:end])
            except UNREADABLE:
                end = None
            else:
                yield value
        at = _next_open(text, at + 1 if end is None else end)


def _next_open(text: str, start: int) -> int | None:
    found = [at for at in (text.find("{", start), text.find("[", start)) if at >= 0]
    return min(found) if found else None


def _end_of(text: str, start: int, most: int) -> tuple[int | None, int]:
    """Where what opens at `start` is closed, and how many characters were looked at."""
    depth, within_text = 0, False
    for mark in _MARK.finditer(text, start, min(len(text), start + most)):
        sign = mark[0]
        if sign == '"':
            within_text = not within_text
        if within_text or sign[0] in '"\\':
            continue
        depth += 1 if sign in _OPENS else -1
        if depth == 0:
            return mark.end(), mark.end() - start
    return None, min(len(text), start + most) - start
