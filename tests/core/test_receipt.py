"""Journal frames survive cutting and damage."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.receipt import (
    FRAME_HEADER_BYTES,
    MAX_FRAME_BYTES,
    Attempt,
    Receipt,
    decode_payload,
    encode_frame,
    frames,
)

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


@given(st.lists(receipts, min_size=1, max_size=4), st.data())
def test_a_cut_journal_gives_the_whole_frames_before_the_cut(
    written: list[Receipt], data: st.DataObject
) -> None:
    journal = b"".join(encode_frame(receipt) for receipt in written)
    cut = data.draw(st.integers(0, len(journal)))
    read = list(frames(journal[:cut]))
    assert all(payload is not None for _, payload in read)
    assert [decode_payload(payload) for _, payload in read if payload] == written[: len(read)]
    end = read[-1][0] if read else 0
    assert [p for _, p in frames(journal, end)] == [p for _, p in frames(journal)][len(read) :]


@given(receipts, receipts, st.data())
def test_a_damaged_payload_ends_the_reading_there(
    first: Receipt, second: Receipt, data: st.DataObject
) -> None:
    journal = bytearray(encode_frame(first) + encode_frame(second))
    at = data.draw(st.integers(FRAME_HEADER_BYTES, len(encode_frame(first)) - 1))
    journal[at] ^= data.draw(st.integers(1, 255))
    assert list(frames(bytes(journal))) == [(0, None)]


def test_a_length_beyond_the_bound_is_damage() -> None:
    header = (MAX_FRAME_BYTES + 1).to_bytes(4, "little") + bytes(4)
    assert list(frames(header)) == [(0, None)]


def test_zero_is_kept_apart_from_unknown() -> None:
    known = Receipt("id", 0.0, "g", "chat", cache_read_tokens=0)
    [(_, payload)] = frames(encode_frame(known))
    assert payload is not None
    assert decode_payload(payload).cache_read_tokens == 0
    assert decode_payload(payload).output_tokens is None
