"""What was known when: told by one gateway, understood by another."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core import clock
from tidegate.core.cache_labels import Mark, Selector
from tidegate.core.outcome import Refusal
from tidegate.gateway.answer_cache import AnswerCache
from tidegate.gateway.as_of import AsOf


@given(st.text(max_size=40), st.floats(0, 1e9), st.text(max_size=20))
def test_it_is_read_as_it_was_written(machine: str, at_s: float, name: str) -> None:
    as_of = AsOf(machine, at_s, name)
    assert AsOf.read(as_of.written()) == as_of


@given(st.text(max_size=300))
def test_anything_else_is_refused(said: str) -> None:
    try:
        AsOf.read(said)
    except Refusal as no:
        assert no.code.name == "invalid_parameter"
        return
    pytest.fail(f"{said!r} was read")


def test_a_mark_is_of_what_had_been_heard_then() -> None:
    async def main() -> None:
        cache = AnswerCache()
        before = AsOf.now(clock.monotonic_s(), cache)
        cache.invalidate("1", Selector(tag="t"))
        await asyncio.sleep(0.001)
        after, now_s = AsOf.now(clock.monotonic_s(), cache), clock.monotonic_s()
        assert before.mark(now_s, cache, shared=False) == Mark(0)
        assert after.mark(now_s, cache, shared=False) == Mark(1)
        forged = AsOf(cache.machine, now_s + 60.0, "99999999999999-0")
        assert forged.mark(now_s, cache, shared=True) == Mark(0)
        assert forged.mark(now_s, cache, shared=False) is None
        # Of another machine, of before this process began, of what is still to come.
        for machine, at_s in (("x", now_s), (cache.machine, -1.0), (cache.machine, now_s + 9)):
            odd = AsOf(machine, at_s, "5-1")
            assert odd.mark(now_s, cache, shared=False) is None
            assert odd.mark(now_s, cache, shared=True) == Mark(0), "there is no store"

    asyncio.run(main())
