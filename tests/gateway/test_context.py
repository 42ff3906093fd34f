"""The context of a request, as its head tells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.outcome import Refusal
from tidegate.core.priority import Priority
from tidegate.core.receipt import Receipt
from tidegate.gateway.context import MAX_ID_CHARS, Context, identifier, read_context


def test_an_empty_head_tells_nothing() -> None:
    assert read_context({}) == Context()


@pytest.mark.parametrize(
    ("baggage", "retrieval_s", "tool_s"),
    [
        (b"tidegate.retrieval_ms=5", 0.005, None),
        (b"x=1,tidegate.tool_ms=2.5;p=1 , tidegate.retrieval_ms = 1", 0.001, 0.0025),
        (b"tidegate.retrieval_ms=1e9", None, None),
        (b"xtidegate.retrieval_ms=5", None, None),
        (b"tidegate.retrieval_ms=9999999999", None, None),
    ],
)
def test_times_of_the_application(
    baggage: bytes, retrieval_s: float | None, tool_s: float | None
) -> None:
    context = read_context({b"baggage": baggage})
    assert (context.retrieval_s, context.tool_s) == (retrieval_s, tool_s)


@pytest.mark.parametrize(
    ("headers", "deadline_s"),
    [
        ({b"x-tidegate-timeout": b"2.5"}, 2.5),
        ({b"x-stainless-read-timeout": b"600"}, 600.0),
        ({b"x-stainless-read-timeout": b"600", b"x-tidegate-timeout": b"3"}, 3.0),
        ({b"x-stainless-timeout": b"60"}, 60.0),
        ({b"x-stainless-timeout": b"60", b"x-stainless-read-timeout": b"30.5"}, 30.5),
        ({b"x-stainless-timeout": b"NOT_GIVEN", b"x-stainless-read-timeout": b"600.0"}, 600.0),
        ({b"x-stainless-timeout": b"60", b"x-tidegate-timeout": b"90"}, 90.0),
        ({b"x-stainless-timeout": b"None"}, None),
        ({b"x-stainless-timeout": b"0"}, None),
        ({b"x-stainless-read-timeout": b"0"}, None),
        ({b"x-stainless-read-timeout": b"-1"}, None),
        ({b"x-stainless-read-timeout": b"1e3"}, None),
        ({b"x-stainless-read-timeout": b"999999999"}, None),
        ({b"x-stainless-read-timeout": "\u0661".encode()}, None),
    ],
)
def test_how_long_the_caller_waits(headers: dict[bytes, bytes], deadline_s: float | None) -> None:
    assert read_context(headers).deadline_s == deadline_s


@pytest.mark.parametrize("value", [b"", b"0", b"-1", b"inf", b"nan", b"1e3", b"5s", b"86400.1"])
def test_a_deadline_written_for_us_must_be_one(value: bytes) -> None:
    with pytest.raises(Refusal, match="must be seconds") as refused:
        read_context({b"x-tidegate-timeout": value})
    assert (refused.value.code.status, refused.value.param) == (400, "x-tidegate-timeout")


@pytest.mark.parametrize(
    ("granted", "asked", "served_as"),
    [
        ("interactive", b"batch", "batch"),
        ("standard", b"Standard", "standard"),
        ("standard", b"interactive", "standard"),
        ("interactive", None, "interactive"),
    ],
)
@pytest.mark.parametrize("header", [b"x-tidegate-priority", b"x-litellm-priority"])
def test_a_caller_may_lower_its_priority_and_not_raise_it(
    header: bytes, granted: Priority, asked: bytes | None, served_as: Priority
) -> None:
    receipt = Receipt("i", 0.0, "g", "chat", priority=granted)
    read_context({} if asked is None else {header: asked}).note(receipt)
    assert receipt.priority == served_as


@pytest.mark.parametrize("value", [b"", b"urgent", b"0", b"batch,interactive", b"\xff"])
def test_a_priority_that_is_none_is_refused(value: bytes) -> None:
    with pytest.raises(Refusal, match="interactive, standard, batch") as refused:
        read_context({b"x-tidegate-priority": value})
    assert (refused.value.code.status, refused.value.param) == (400, "x-tidegate-priority")


@given(st.text())
def test_an_identifier_is_short_and_printable_or_absent(text: str) -> None:
    found = identifier(text)
    assert found is None or (found == text and text.isprintable() and len(text) <= MAX_ID_CHARS)


@given(st.dictionaries(st.sampled_from([b"baggage", b"traceparent", b"x-request-id"]), st.binary()))
def test_any_head_is_read(headers: dict[bytes, bytes]) -> None:
    read_context(headers)
