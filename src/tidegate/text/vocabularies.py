"""Vocabularies of models, as quicktok holds them: tens of megabytes each, so only what a plan names
is loaded, and the library with the first of them."""

import ctypes
import sys
from collections.abc import Callable

import quicktok


def counter(encoding: str) -> Callable[[str], int]:
    """Counts a text's tokens by `encoding`, one of quicktok's. Takes a third of a second."""
    vocabulary = quicktok.get_encoding(encoding)
    give_memory_back()
    count: Callable[[str], int] = vocabulary.count
    return count


def give_memory_back() -> None:
    """Building a vocabulary leaves tens of megabytes of free heap; glibc can return them."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


plug = counter
