"""Answers in memory: found as they were put, within bounds of bytes and of time."""

import asyncio
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.cache_labels import Labels
from tidegate.core.kept_answer import ENTRY_BYTES, Found, KeptAnswer
from tidegate.stores.memory_answers import MemoryAnswers, Room

MANY = 1 << 30


def answer(body: bytes = b"{}", of: str = "r") -> KeptAnswer:
    return KeptAnswer(of, 1.0, 60.0, "t", False, body)


def get(answers: MemoryAnswers, key: bytes) -> Found | None:
    return asyncio.run(answers.get(key))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [100.0]
    monkeypatch.setattr(clock, "monotonic_s", lambda: at[0])
    return at


def test_an_answer_is_found_with_its_age_until_its_time_is_over(now: list[float]) -> None:
    answers = MemoryAnswers(1 << 20)
    answers.put(b"k", answer(), 60.0)
    now[0] += 59.0
    found = get(answers, b"k")
    assert found is not None
    assert (found.answer, found.age_s) == (answer(), 59.0)
    now[0] += 1.0
    assert get(answers, b"k") is None
    assert (len(answers), answers.size) == (0, 0)


def test_the_least_recently_used_makes_room() -> None:
    answers = MemoryAnswers(3 * (ENTRY_BYTES + 2))
    for name in (b"a", b"b", b"c"):
        answers.put(name, answer(), 60.0)
    assert get(answers, b"a") is not None
    answers.put(b"d", answer(), 60.0)
    assert [get(answers, name) is not None for name in (b"a", b"b", b"c", b"d")] == [
        *(True, False, True, True)
    ]
    assert answers.evicted == 1
    answers.bound(ENTRY_BYTES + 2)
    assert len(answers) == 1


def test_what_is_kept_of_its_forms_counts() -> None:
    answers = MemoryAnswers(2 * (ENTRY_BYTES + 2))
    answers.put(b"a", answer(), 60.0)
    answers.put(b"b", answer(), 60.0)
    answers.grew(b"b", 1)
    assert (len(answers), get(answers, b"a")) == (1, None)
    answers.grew(b"a", 1)
    answers.drop(b"b")
    assert answers.size == 0


def test_routes_share_what_a_process_has() -> None:
    room = Room(3 * (ENTRY_BYTES + 2))
    one, other = MemoryAnswers(MANY, room), MemoryAnswers(MANY, room)
    for name in (b"a", b"b"):
        one.put(name, answer(), 60.0)
        other.put(name, answer(), 60.0)
    assert (len(one), len(other)) == (2, 1), "who wants more makes room for it"
    assert room.size == one.size + other.size <= room.max_bytes
    one.clear()
    assert room.size == other.size


def test_what_is_larger_than_all_is_not_kept() -> None:
    answers = MemoryAnswers(ENTRY_BYTES)
    answers.put(b"a", answer(), 60.0)
    assert len(answers) == 0


class Canaries(RuleBasedStateMachine):
    """Each answer tells whose it is: no key ever finds another's, and no bound is passed."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = MemoryAnswers(6 * ENTRY_BYTES)
        self.last: dict[bytes, KeptAnswer] = {}

    keys = st.integers(0, 9).map(lambda number: b"%d" % number)

    @rule(key=keys, size=st.integers(0, 2 * ENTRY_BYTES), keep_s=st.sampled_from([0.0, 60.0]))
    def put(self, key: bytes, size: int, keep_s: float) -> None:
        self.last[key] = answer(key * size, key.decode())
        self.answers.put(key, self.last[key], keep_s)

    @rule(key=keys)
    def get(self, key: bytes) -> None:
        found = get(self.answers, key)
        assert found is None or found.answer is self.last[key]

    @rule(key=keys)
    def drop(self, key: bytes) -> None:
        self.answers.drop(key)
        assert get(self.answers, key) is None

    @rule(key=keys, more=st.integers(0, ENTRY_BYTES))
    def grow(self, key: bytes, more: int) -> None:
        self.answers.grew(key, more)

    @invariant()
    def within_bounds(self) -> None:
        assert 0 <= self.answers.size <= self.answers.max_bytes
        held: Any = self.answers._held
        assert self.answers.size == sum(it.size for it in held.values())


TestCanaries = Canaries.TestCase


def test_several_are_put_and_found_together() -> None:
    async def main() -> None:
        answers = MemoryAnswers(1 << 20)
        entries = [(b"%d" % number, answer(b"x" * number)) for number in range(5)]
        await answers.put_many(entries[1:], 60.0)
        found = await answers.get_many([key for key, _ in entries])
        assert found[0] is None
        assert [None if it is None else it.answer for it in found[1:]] == [
            it for _, it in entries[1:]
        ]

    asyncio.run(main())


def test_what_nobody_asks_for_any_more_does_not_keep_others_out(now: list[float]) -> None:
    room = Room(20 * (ENTRY_BYTES + 2))
    idle, busy = MemoryAnswers(MANY, room), MemoryAnswers(MANY, room)
    for number in range(20):
        idle.put(b"%d" % number, answer(), 60.0)
    now[0] += 3600.0
    for number in range(10):
        busy.put(b"%d" % number, answer(), 60.0)
    assert (len(idle), len(busy)) == (10, 10)
    idle.clear()
    del idle
    for number in range(30):
        busy.put(b"%d" % number, answer(), 60.0)
    assert (len(busy), room.size) == (20, room.max_bytes)


def test_labels_take_room_too() -> None:
    answers = MemoryAnswers(8 * ENTRY_BYTES)
    for number in range(8):
        labels = Labels(sources=tuple(f"{number} {it} ".ljust(128, "語") for it in range(32)))
        answers.put(b"%d" % number, replace(answer(), labels=labels), 60.0)
        assert len(answers) <= 1, "the words of one take more than 8 KiB"
