"""What makes a text a vector, so that texts that mean nearly the same lie near each other."""

from collections.abc import Sequence
from typing import Protocol

# 32-bit floats, little endian, of length one: the product of two is their cosine.
Vector = bytes


class EncoderUnavailable(Exception):
    """It cannot be had on this machine; the message says what to do."""


class Encoder(Protocol):
    """`name` is what the plan calls it. `version` names the weights too: vectors of two versions
    are not compared. `fast` ones need no thread of their own."""

    name: str
    version: str
    dimensions: int
    fast: bool

    def encode(self, texts: Sequence[str]) -> list[Vector]:
        """One for each. It holds the thread that it runs in."""
