import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.json_follower import MAX_DEPTH, JsonFollower

_raw = msgspec.json.Decoder(msgspec.Raw).decode
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
# What JSON is made of, so that most texts go wrong late.
_PIECES = st.sampled_from(
    [
        *'{}[]:,"\\ \n\t0123456789.-+eEu/',
        *("true", "null", '"a"', "\\u00e9", "\\ud83d\\ude00", "é"),
        *('{"k": ', '"k":"v"', '"k":1,', '"k":[', ', "k" : ', "[1,2", "],", "},"),
    ]
)


def is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.ValidationError:  # a number that nobody can hold may be JSON all the same
        return with_any_number(text)
    except msgspec.DecodeError:
        return False
    return True


def with_any_number(text: bytes) -> bool:
    """Whether it is JSON, by a reader that holds every number."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def fed(*parts: bytes) -> JsonFollower:
    follower = JsonFollower()
    for part in parts:
        follower.feed(part)
    return follower


def cut(text: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(text) + 1) for place in places})
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


def verdict(follower: JsonFollower) -> tuple[bool, int | None]:
    return follower.complete, follower.error_at


@given(_JSON, st.lists(st.integers(0, 200), max_size=6), st.sampled_from([None, 1, 3]))
def test_what_msgspec_reads_is_complete_however_it_is_cut(value, places, indent):
    text = msgspec.json.format(msgspec.json.encode(value), indent=indent or 0)
    assert verdict(fed(*cut(text, places))) == (True, None)


@given(st.lists(_PIECES, max_size=14), st.lists(st.integers(0, 80), max_size=6))
def test_any_text_has_the_verdict_of_msgspec_however_it_is_cut(pieces, places):
    text = "".join(pieces).encode()
    whole = fed(text)
    assert whole.complete == is_json(text)
    assert verdict(fed(*cut(text, places))) == verdict(whole)
    assert verdict(fed(*(text[at : at + 1] for at in range(len(text))))) == verdict(whole)


@given(_JSON, st.integers(0, 500), _PIECES)
def test_what_is_broken_is_so_from_the_first_byte_after_which_nothing_helps(value, at, piece):
    text = msgspec.json.encode([value, {"k": "v" * 40, "n": -1.5e3}]).decode()
    at %= len(text)
    broken = (text[:at] + piece + text[at + 1 :]).encode()
    follower = fed(broken)
    assert follower.complete == is_json(broken)
    if follower.error_at is not None:
        assert fed(broken[: follower.error_at]).error_at is None
        assert fed(broken[: follower.error_at + 1]).error_at == follower.error_at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (b"Sure! {}", 0),
        (b"```json\n{}", 0),
        (b'{"a": 1,}', 8),
        (b'{"a" 1}', 5),
        (b"[1 2]", 3),
        (b"[01]", 2),
        (b'["\\x"]', 3),
        (b'["\\ud800"]', 8),
        (b'["a\nb"]', 3),
        (b"{} {}", 3),
        (b"nul1", 3),
        (b'{"a": 1, "bcdefghijklmnopqrstuvwxyz": 01}', 39),
    ],
)
def test_the_offset_of_what_cannot_be(text, at):
    assert fed(text).error_at == at


@pytest.mark.parametrize("text", [b"", b"{", b'{"a"', b'{"a":', b"[1", b'"abc', b"-", b"1.", b"tr"])
def test_what_may_still_become_json_is_neither(text):
    assert verdict(fed(text)) == (False, None)


def test_nesting_is_bounded():
    assert fed(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH).complete
    assert fed(b"[" * (MAX_DEPTH + 1)).error_at == MAX_DEPTH


def test_after_an_error_nothing_is_looked_at():
    follower = JsonFollower()
    assert follower.feed(b"[1,")
    assert not follower.feed(b"]")
    assert not follower.feed(b"1]")
    assert verdict(follower) == (False, 3)
