"""restoring: what stood for something of a request becomes that again, for its caller alone."""

import re
from collections.abc import Mapping
from typing import Final

MOST_NAME_CHARS: Final = 60
_PLACEHOLDER: Final = re.compile(r"<[A-Z0-9][A-Z0-9_]{0,59}_[0-9]{1,6}>")
_MOST_CHARS: Final = 70
_BEGUN: Final = re.compile(r"<(?:[A-Z0-9][A-Z0-9_]*)?\Z")


def restored(text: str, things: Mapping[str, str]) -> str:
    """A whole text."""
    if not things or "<" not in text:
        return text
    return _PLACEHOLDER.sub(lambda it: things.get(it[0], it[0]), text)


class Restoring:
    """A text that grows: what may still become a placeholder is held."""

    __slots__ = ("_held", "_things")

    def __init__(self, things: Mapping[str, str]) -> None:
        self._things = things
        self._held = ""

    def add(self, text: str) -> str:
        text = self._held + text
        begun = text.rfind("<")
        cut = len(text)
        if begun >= 0 and cut - begun <= _MOST_CHARS and _BEGUN.match(text, begun) is not None:
            cut = begun
        self._held = text[cut:]
        return restored(text[:cut], self._things)

    def flush(self) -> str:
        held, self._held = self._held, ""
        return restored(held, self._things)
