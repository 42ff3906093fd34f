import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.limit import Bucket, Calendar, Gauge, Reading, Shape
from tidegate.stores.redis_share import IDLE_S, Lot, Share
from tidegate.stores.redis_wants import Granted, Quota, Want

DAYS = (0, 86_400, 172_800, 259_200)
NEXT_DAYS = (86_400, 172_800, 259_200, 345_600)
BUDGET = Quota("spend", Calendar(1_000, "day"), lease_s=100.0)


def lot_of(amount: int = 4, granted: int = 14, quota: Quota = BUDGET, tight: bool = False) -> Lot:
    share = Share()
    reading = Reading(granted, quota.allowed, 9.0)
    lot = Lot(
        "g/1", share, Want(quota, "s", amount, None, DAYS), Granted(granted, tight, reading), 0.0
    )
    share.current = lot
    return lot


def spend(lot: Lot, amount: int, now_s: float = 1.0, periods: tuple[int, ...] = DAYS) -> bool:
    return lot.spend(Want(lot.want.quota, "s", amount, None, periods), now_s)  # type: ignore[arg-type]


def test_what_is_in_hand_is_spent_and_no_more() -> None:
    lot = lot_of()
    assert spend(lot, 6)
    assert not spend(lot, 5)
    assert spend(lot, 4)
    assert not spend(lot, 1)


def test_a_reading_leaves_out_what_is_in_hand() -> None:
    lot = lot_of()
    assert lot.reading == Reading(4, 1_000, 9.0)
    spend(lot, 6)
    assert lot.reading.used == 10


def test_nothing_is_spent_when_the_lease_may_have_ended() -> None:
    lot = lot_of()
    assert spend(lot, 1, now_s=79.9)
    assert not spend(lot, 1, now_s=80.0)


def test_nothing_of_one_period_is_spent_in_the_next() -> None:
    assert not spend(lot_of(), 1, periods=NEXT_DAYS)


def test_what_was_not_used_is_in_hand_again() -> None:
    lot = lot_of(granted=4)
    lot.give_back(4, 1, 0.0)
    assert (lot.held, lot.in_hand, lot.used) == (0, 3, 1)


def test_what_was_used_beyond_the_hold_goes_from_hand() -> None:
    lot = lot_of(4, 6)
    lot.give_back(4, 9, 0.0)
    assert (lot.held, lot.in_hand, lot.used) == (0, 0, 9)


@pytest.mark.parametrize(("shape", "in_hand"), [(Gauge(100), 4), (Bucket(1.0, 100), 1)])
def test_a_place_is_free_whatever_was_used_and_a_bucket_fills_by_itself(
    shape: Shape, in_hand: int
) -> None:
    lot = lot_of(4, 4, Quota("l", shape))
    lot.give_back(4, 0, 3.0)
    assert lot.in_hand == in_hand


@pytest.mark.parametrize(
    ("now_s", "tight", "in_hand"), [(1.0, False, 10), (1.0, True, 0), (IDLE_S + 1, False, 0)]
)
def test_a_slice_stays_in_hand_unless_it_is_idle_or_little_is_left(
    now_s: float, tight: bool, in_hand: int
) -> None:
    lot = lot_of(0, 25, tight=tight)
    lot.trim(now_s)
    assert lot.in_hand == in_hand
    assert (lot.share.current is lot) == bool(in_hand)


def test_what_changed_is_told_once_at_a_time() -> None:
    lot = lot_of()
    assert lot.due(1.0, 0) is None
    lot.give_back(4, 1, 0.0)
    told = lot.due(1.0, 30)
    assert told is not None
    assert (told.held, told.used, told.seq, told.reserve) == (13, 1, 1, 30)
    lot.trim(IDLE_S + 1)
    assert lot.due(1.0, 0) is None
    lot.arrived(tight=False)
    end = lot.due(2.0, 0)
    assert end is not None
    assert (end.held, end.used, end.seq, end.unknown) == (0, 0, 0, False)
    lot.arrived(tight=False)
    assert lot.over


def test_a_lease_is_renewed_before_it_ends() -> None:
    lot = lot_of()
    assert lot.due(33.0, 0) is None
    told = lot.due(34.0, 0)
    assert told is not None
    assert (told.held, told.used) == (14, 0)
    lot.arrived(tight=False)
    assert spend(lot, 1, now_s=113.0)


def test_what_redis_has_lost_is_told_anew_without_what_is_in_hand() -> None:
    lot = lot_of()
    lot.forget()
    told = lot.due(1.0, 0)
    assert told is not None
    assert (told.held, told.unknown) == (4, True)


def test_what_is_being_told_while_redis_loses_it_will_be_known() -> None:
    lot = lot_of()
    lot.used = 1
    assert lot.due(1.0, 0) is not None
    lot.forget()
    lot.arrived(tight=False)
    lot.give_back(4, 0, 0.0)
    lot.in_hand = 0
    end = lot.due(1.0, 0)
    assert end is not None
    assert (end.held, end.seq) == (0, 0)


@given(
    steps=st.lists(st.tuples(st.sampled_from(["take", "give", "tell", "trim"]), st.integers(0, 9)))
)
def test_redis_and_the_gateway_never_disagree_about_what_is_used(
    steps: list[tuple[str, int]],
) -> None:
    """What Redis has (told + used of all that was sent) is never less than what was used here."""
    lot, open_, used, sent = lot_of(0, 20), [], 0, 0
    for verb, n in steps:
        if verb == "take" and spend(lot, n):
            open_.append(n)
        elif verb == "give" and open_:
            held = open_.pop()
            lot.give_back(held, min(n, held), 0.0)
            used += min(n, held)
        elif verb == "trim":
            lot.share.tight = n > 7
            lot.trim(1.0)
        elif verb == "tell" and (told := lot.due(1.0, 0)) is not None:
            sent += told.used
            lot.arrived(lot.share.tight)
        assert sent + lot.told >= used + sum(open_) + lot.in_hand
        assert lot.held == sum(open_)
        assert lot.in_hand >= 0
