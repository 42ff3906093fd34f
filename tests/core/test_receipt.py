"""A receipt comes back from its frame as it was."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.frames import MAX_FRAME_BYTES, frames
from tidegate.core.receipt import Attempt, Receipt, decode_payload, encode_frame

tokens = st.none() | st.integers(min_value=0, max_value=10**9)
receipts = st.builds(
    Receipt,
    id=st.uuids().map(str),
    started_at_s=st.floats(min_value=0, max_value=2e9),
    gateway=st.just("gateway-0"),
    endpoint=st.sampled_from(["chat", "completions", "embeddings"]),
    team=st.none() | st.text(max_size=20),
    attributes=st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    input_tokens=tokens,
    output_tokens=tokens,
    cost_nanousd=tokens,
    ttft_s=st.none() | st.floats(min_value=0, max_value=1e4),
    attempts=st.lists(
        st.builds(Attempt, target=st.just("t"), replica=st.just("r"), started_s=st.just(0.5)),
        max_size=2,
    ),
)


@given(receipts)
def test_a_frame_gives_back_its_receipt(receipt: Receipt) -> None:
    [(end, payload)] = frames(encode_frame(receipt))
    assert end == len(encode_frame(receipt))
    assert payload is not None
    assert decode_payload(payload) == receipt


def test_what_would_not_fit_goes_without_what_somebody_else_made_long() -> None:
    long = Receipt("id", 0.0, "g", "chat", attributes={"it": "x" * MAX_FRAME_BYTES}, cost_nanousd=7)
    [(_, payload)] = frames(encode_frame(long))
    assert payload is not None
    assert decode_payload(payload) == Receipt("id", 0.0, "g", "chat", cost_nanousd=7)


def test_zero_is_kept_apart_from_unknown() -> None:
    known = Receipt("id", 0.0, "g", "chat", cache_read_tokens=0)
    [(_, payload)] = frames(encode_frame(known))
    assert payload is not None
    assert decode_payload(payload).cache_read_tokens == 0
    assert decode_payload(payload).output_tokens is None
