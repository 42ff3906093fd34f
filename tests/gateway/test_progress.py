"""What a request has come to, before it has come to anything."""

from typing import Any

import pytest

from tidegate.core.receipt import Receipt
from tidegate.gateway.progress import Progress


def test_it_begins_with_nothing_known_and_the_ending_it_was_given() -> None:
    ended: list[int] = []
    connection: Any = object()
    it = Progress(Receipt("i", 0.0, "g", "chat"), connection, 1.0, lambda: ended.append(1))
    assert (it.ask, it.route, it.call, it.relay, it.answer) == (None,) * 5
    it.ending()
    assert ended == [1]


@pytest.mark.parametrize(("stream", "answer_until_s"), [(False, 3.0), (True, 9.0)])
def test_a_ladder_s_patience_ends_before_its_caller_s(stream: bool, answer_until_s: float) -> None:
    connection: Any = object()
    it = Progress(Receipt("i", 0.0, "g", "chat"), connection, 1.0, print)
    it.receipt.stream, it.until_s = stream, 9.0
    assert (it.answer_until_s, it.caller_until_s) == (9.0, 9.0)
    it.until_s, it.whole_until_s, it.impatient = 3.0, 9.0, True
    assert (it.answer_until_s, it.caller_until_s) == (answer_until_s, 9.0)
    for _ in range(2):
        it.wait_as_its_caller()
        assert (it.until_s, it.answer_until_s, it.caller_until_s) == (9.0, 9.0, 9.0)
