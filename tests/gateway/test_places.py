"""Taking a place at once and giving it back; who may go how far; what is noted of whom."""

import pytest
from tests.gateway import virtual
from tests.gateway.waiting import full, places, settled, wait

from tidegate.core.plan import Queueing
from tidegate.gateway.places import AMPLE, FIRST_CLASS_S, FIRST_WATCHED, Place, Places


def test_a_place_is_had_at_once_as_long_as_there_is_one() -> None:
    it = places()
    assert len(full(it)) == it.in_flight == 2


def learnt(it: Places) -> None:
    """A first token takes 0.1 s of 10."""
    for second in range(100):
        place = it.take(1, True, float(second))
        assert place is not None
        place.first_token(10, float(second), second + 0.1)
        place.release(second + 10.0)


def taken(it: Places, rank: int, now_s: float) -> list[Place]:
    """All streams' places that this class has at once."""
    out = []
    while (place := it.take(rank, True, now_s)) is not None:
        out.append(place)
    return out


def test_beyond_the_ample_part_only_the_first_class_goes_faster_than_answers_come() -> None:
    it = places(max_in_flight=100)
    learnt(it)
    assert it.limit.unanswered == 2
    many = taken(it, 1, 200.0)
    assert len(many) == AMPLE * 100
    for place in many:
        place.first_token(10, 200.0, 200.1)
    more = taken(it, 1, 200.1)
    assert len(more) == it.unanswered == 4
    assert len(taken(it, 0, 200.1)) == 16
    more[0].first_token(10, 200.0, 200.1)
    more[0].first_token(10, 200.0, 200.2)
    assert it.unanswered == 3 + 16


def test_where_the_first_class_comes_the_others_leave_it_room_and_half_the_pace() -> None:
    it = places(max_in_flight=100)
    learnt(it)
    first = it.take(0, True, 200.0)
    assert first is not None
    first.first_token(10, 200.0, 200.1)
    assert len(taken(it, 1, 200.1)) == it.limit.calm - 1
    for _ in range(100):
        for place in taken(it, 1, 200.1):
            place.first_token(10, 200.1, 200.2)
        it.unanswered = 0
    assert it.in_flight == 100 - 6
    assert len(taken(it, 1, 200.1 + FIRST_CLASS_S)) == 4


def test_the_first_class_goes_beyond_a_learnt_limit_but_not_beyond_a_written_one() -> None:
    for queueing, most, some in (
        (Queueing(), 512, 72),
        (Queueing(), 17, 17),
        (Queueing(adaptive_max=16), 512, 16),
        (Queueing(max_in_flight=16), 512, 16),
    ):
        it = Places(queueing, most)
        assert len(taken(it, 0, 0.0)) == some


def test_a_place_is_given_back_once() -> None:
    it = places()
    place, _ = full(it)
    place.release(1.0)
    with pytest.raises(RuntimeError, match="once"):
        place.release(1.0)
    assert it.in_flight == 1


def test_a_first_token_that_comes_after_the_end_changes_nothing() -> None:
    it = places()
    place = it.take(1, True, 0.0)
    assert place is not None
    place.release(1.0)
    place.first_token(10, 0.0, 2.0)
    assert it.unanswered == 0


def test_where_there_is_ample_room_few_are_watched_and_stand_for_all() -> None:
    it = Places(Queueing(), 512)
    stands_for = []
    for number in range(FIRST_WATCHED + 160):
        unwatched = it.take_unwatched(False)
        if unwatched is not None:
            assert unwatched is it.unwatched
            assert not it.leave_unwatched()
            continue
        place = it.take(1, True, float(number))
        assert place is not None
        stands_for.append(place.stands_for)
        place.release(number + 0.5)
    assert stands_for == [1] * FIRST_WATCHED + [16] * 10
    assert it.in_flight == it.unanswered == 0


def test_without_ample_room_or_with_somebody_in_line_everybody_is_looked_at() -> None:
    async def main() -> None:
        it = places(max_in_flight=100)
        for number in range(FIRST_WATCHED + 1):
            place = it.take(1, False, float(number))
            assert place is not None
            place.release(float(number))
        it.in_flight = it.limit.calm + 5
        assert it.take_unwatched(True) is not None
        assert it.take_unwatched(False) is None, "since the first class has come"
        it.in_flight = 100
        waiting = wait(it)
        await settled()
        it.in_flight = 0
        assert it.take_unwatched(False) is None
        waiting.cancel()

    virtual.run(main())
