"""What makes a text a vector, so that texts that mean nearly the same lie near each other."""

from collections.abc import Sequence
from typing import Protocol

from tidegate.core import plugs

# 32-bit floats, little endian, of length one: the product of two is their cosine.
Vector = bytes


class EncoderUnavailable(Exception):
    """It cannot be had on this machine, or it is broken; the message says what to do."""


class Encoder(Protocol):
    """`name` is what the plan calls it. `version` names the weights too: vectors of two versions
    are not compared. `fast` ones need no thread of their own. Any thread may use it, and several
    may at once."""

    name: str
    version: str
    dimensions: int
    fast: bool

    def encode(self, texts: Sequence[str]) -> list[Vector | None]:
        """One for each; None for a text that is longer than it reads, or says nothing to it. It
        holds the thread that it runs in. EncoderUnavailable where it is broken."""


def open_encoder(name: str) -> Encoder:
    """The plug of that name, with its weights: a second, and up to 300 MB. EncoderUnavailable."""
    try:
        opened: Encoder = plugs.load("encoders", name)()
    except plugs.PlugError as error:
        raise EncoderUnavailable(str(error)) from error
    return opened


def why_unavailable(name: str) -> str | None:
    """Why there is no encoder of that name here; None where there is one. It is opened for that."""
    try:
        open_encoder(name)
    except EncoderUnavailable as error:
        return str(error)
    return None
