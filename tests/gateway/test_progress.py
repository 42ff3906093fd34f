"""What a request has come to, before it has come to anything."""

from typing import Any

from tidegate.core.receipt import Receipt
from tidegate.gateway.progress import Progress


def test_it_begins_with_nothing_known_and_the_ending_it_was_given() -> None:
    ended: list[int] = []
    connection: Any = object()
    it = Progress(Receipt("i", 0.0, "g", "chat"), connection, 1.0, lambda: ended.append(1))
    assert (it.ask, it.route, it.call, it.relay, it.answer) == (None,) * 5
    it.ending()
    assert ended == [1]
