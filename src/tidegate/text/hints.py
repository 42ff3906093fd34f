"""Hints: whether anything of many patterns can be in a text, in one pass of one automaton.

Its time is linear in the text whatever the patterns are, and there is no word boundary in them:
that of Unicode would send any text beyond ASCII the slow way.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

import jsonschema_rs

_SIZE: Final = 16 * 1024 * 1024
_CLASSES: Final = {
    r"\b": r"(?-u:\b)",
    r"\s": r" \t\r\n",
    r"\w": "0-9A-Za-z_\u00c0-\u024f",
    r"\S": r"[^ \t\r\n]",
}
_MEMBERS: Final = (r"\s", r"\w")
_KEPT: Final = 256  # patterns, compiled
_PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=_SIZE, dfa_size_limit=_SIZE)


class Hints:
    """ValueError when one of `patterns` is none."""

    def __init__(self, patterns: Iterable[str]) -> None:
        unlike = tuple(dict.fromkeys(patterns))
        self.any: Callable[[str], bool] = _never if not unlike else _found_in("|".join(unlike))


def plain_classes(pattern: str) -> str:
    """A pattern with the short classes of ASCII and Latin in place of Unicode's, which make for
    large and slow automata: letters and digits, spaces, boundaries of words."""
    out: list[str] = []
    at, within = 0, False
    while at < len(pattern):
        one = pattern[at : at + 2] if pattern[at] == "\\" else pattern[at]
        at += len(one)
        if one in _CLASSES:
            inner = _CLASSES[one]
            out.append(inner if within or one not in _MEMBERS else f"[{inner}]")
            continue
        within = (within or one == "[") and one != "]"
        out.append(one)
    return "".join(out)


def _never(text: str) -> bool:
    del text
    return False


@lru_cache(maxsize=_KEPT)
def _found_in(pattern: str) -> Callable[[str], bool]:
    schema = {"pattern": pattern}
    try:
        compiled = jsonschema_rs.validator_for(schema, pattern_options=_PATTERNS)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise ValueError(f"that is no pattern: {error}") from None
    found: Callable[[str], bool] = compiled.is_valid
    return found
