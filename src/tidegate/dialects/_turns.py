"""A conversation with more turns at its end. The three dialects write plain ones alike."""

from typing import Any, Final

import msgspec
from msgspec import Raw

_decode = msgspec.json.Decoder(list[Raw] | str).decode
_encode: Final = msgspec.json.Encoder().encode


def with_turns(content: Raw, said: str, told: str) -> Raw:
    """`content` with the model's `said` and the user's `told` behind it; a bare text is the user's
    first turn."""
    turns: Any = _decode(content)
    before = [_turn("user", turns)] if isinstance(turns, str) else turns
    return Raw(_encode([*before, _turn("assistant", said), _turn("user", told)]))


def _turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}
