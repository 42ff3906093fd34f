"""Which models think without showing it: of these, what is seen of an answer is not all of it."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Raw

from tidegate.core.model_name import plain_name

# Models by the beginning of their names, as their providers have published it.
_HIDING: Final = (
    *("o1", "o3", "o4-mini", "gpt-5", "codex-mini"),
    *("gemini-2.5", "gemini-3", "gemini-4", "grok-4", "nova-2"),
    *("gemini-pro-latest", "gemini-flash-latest", "gemini-flash-lite-latest"),
)
_SHOWING: Final = ("gpt-5-chat",)
# Claude shows a summary of what it thought, and charges for the whole.
_SUMMING_UP: Final = re.compile(r"claude-[a-z]+-(?:[4-9]|\d\d)(?!\d)")
# The members by which callers want a model to think, and what in them says that it shall not.
_WISHES: Final = ("thinking", "reasoning", "reasoning_effort", "output_config")
_NO_WISHES: Final = (b'"disabled"', b'"none"')
# What may follow a model's name: its version, or how a provider serves it (`:online`, `@001`).
_NEXT: Final = ("", "-", ".", ":", "@")


def hides_reasoning(model: str) -> bool:
    """Whether tokens of this model may be charged that no text tells of."""
    name = plain_name(model)
    return _begins(name, _HIDING) and not _begins(name, _SHOWING)


def sums_up_reasoning(model: str) -> bool:
    """Whether what this model shows of its thinking is less than what it charges for."""
    return _SUMMING_UP.match(plain_name(model)) is not None


def asks_to_think(members: Mapping[str, Raw]) -> bool:
    """Whether a request in any dialect may make a model think that does not by itself. A form of
    the answer alone (`output_config`) does not."""
    for name in _WISHES:
        wish = bytes(members.get(name, b"null"))
        if wish == b"null" or any(no in wish for no in _NO_WISHES):
            continue
        if name != "output_config" or b'"effort"' in wish:
            return True
    return False


def _begins(name: str, starts: tuple[str, ...]) -> bool:
    return any(name.startswith(one) and name[len(one) :][:1] in _NEXT for one in starts)
