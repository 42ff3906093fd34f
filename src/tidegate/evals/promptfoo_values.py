"""Values of promptfoo's assertions, read as it reads them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tidegate.evals.reading import raw


class Mistaken(Exception):
    """An assertion cannot be read; the message says what is wrong with it."""


def text(value: Any) -> str:
    """A scalar as promptfoo writes it into text."""
    if value is None:
        raise Mistaken("it needs a `value`")
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise Mistaken("its `value` must be a text")
    return bytes(raw(value)).decode()


def texts(value: Any) -> list[str]:
    """A list of texts, or one text with commas between them."""
    if isinstance(value, list) and value:
        return [text(it) for it in value]
    if not value:
        raise Mistaken("it needs a `value`")
    return [part.strip() for part in text(value).split(",")]


def number(assertion: Mapping[str, Any], name: str, absent: float) -> float:
    """A member that is a number from 0, also where a table has it as text; `absent` without it."""
    value = assertion.get(name, absent)
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value.strip(), type=int | float)
        except msgspec.DecodeError:
            raise Mistaken(f"its `{name}` must be a number") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise Mistaken(f"its `{name}` must be a number from 0")
    return value
