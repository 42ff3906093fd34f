"""The context of a request, as its head tells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.text())
def test_an_identifier_is_short_and_printable_or_absent(text: str) -> None:
    found = identifier(text)
    assert found is None or (found == text and text.isprintable() and len(text) <= MAX_ID_CHARS)


@given(st.dictionaries(st.sampled_from([b"baggage", b"traceparent", b"x-request-id"]), st.binary()))
def test_any_head_is_read(headers: dict[bytes, bytes]) -> None:
    read_context(headers)
