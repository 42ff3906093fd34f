"""Batches of a target: files of requests that its provider answers within a day, for less."""

from typing import Final

from msgspec import Struct

from tidegate.core.price import Price

MAX_LINES: Final = 50_000


class Batches(Struct, frozen=True, omit_defaults=True):
    """What a target's provider asks for a line of a batch (None: nobody knows), and how many lines
    a file of it may have."""

    price: Price | None = None
    max_lines: int = MAX_LINES
