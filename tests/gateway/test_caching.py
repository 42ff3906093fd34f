"""What is heard of an answer that may be kept: all of it, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.cache import ExactCache
from tidegate.gateway.caching import Caching, Tape


@given(st.lists(st.binary(max_size=9), max_size=9), st.integers(0, 40))
def test_a_tape_holds_all_that_came_or_nothing(parts: list[bytes], most: int) -> None:
    tape = Tape(most)
    for part in parts:
        tape.add(part)
    whole = b"".join(parts)
    assert tape.whole() == (whole if len(whole) <= most else None)


def test_the_last_attempt_s_answer_is_heard() -> None:
    caching = Caching(ExactCache(max_entry_bytes=4), b"", b"k", keeps=True)
    caching.hear(b"1234")
    assert caching.heard() == b"1234"
    tape = caching.record()
    assert tape is not None
    tape.add(b"ab")
    assert caching.heard() == b"ab"
    caching.record()
    assert caching.heard() == b""


@pytest.mark.parametrize(("keeps", "body"), [(False, b"1"), (True, b"12345")])
def test_what_is_not_kept_is_not_heard(keeps: bool, body: bytes) -> None:
    caching = Caching(ExactCache(max_entry_bytes=4), b"", b"k", keeps=keeps)
    caching.hear(body)
    assert caching.heard() is None
    assert (caching.record() is None) is not keeps
