"""Hints: whether anything of many patterns can be in a text, in one pass of one automaton.

Its time is linear in the text whatever the patterns are, and there is no word boundary in them:
that of Unicode would send any text beyond ASCII the slow way.
"""

from collections.abc import Callable, Iterable
from typing import Final

import jsonschema_rs

_SIZE: Final = 16 * 1024 * 1024
_PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=_SIZE, dfa_size_limit=_SIZE)


class Hints:
    """ValueError when one of `patterns` is none."""

    def __init__(self, patterns: Iterable[str]) -> None:
        unlike = tuple(dict.fromkeys(patterns))
        self.any: Callable[[str], bool] = _never if not unlike else _found_in("|".join(unlike))


def _never(text: str) -> bool:
    del text
    return False


def _found_in(pattern: str) -> Callable[[str], bool]:
    schema = {"pattern": pattern}
    try:
        compiled = jsonschema_rs.validator_for(schema, pattern_options=_PATTERNS)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise ValueError(f"that is no pattern: {error}") from None
    found: Callable[[str], bool] = compiled.is_valid
    return found
