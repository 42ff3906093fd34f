"""Where there is nowhere to keep vectors, none are found."""

import asyncio

from tidegate.core.neighbours import NOWHERE, Vectors


def test_nowhere_nothing_is_found_and_nothing_fails() -> None:
    store: Vectors = NOWHERE
    store.put(b"p", b"k", b"", "q", 60.0)
    assert asyncio.run(store.nearest(b"p", b"", 1)) == []
    store.drop(b"p", b"k")
