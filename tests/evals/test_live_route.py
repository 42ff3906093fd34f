"""What of a route may be begun, and what is said where it is not graded as declared."""

import msgspec
from tests.evals.live_rig import JUDGED, Time

from tidegate.core.clock import IdSource
from tidegate.core.declared_capture import DeclaredCapture
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.evals.live_route import MOST_AT_ONCE, WINDOW_S, LiveRoute, asked_of, purse_of
from tidegate.stores.live_answers import Judged, Kept

ROUTE = DeclaredRoute(quality=JUDGED, capture=DeclaredCapture(0.05))
FAST = msgspec.structs.replace(JUDGED, per_hour=100_000)


def route(
    time: Time, before: tuple[Judged, ...] = (), quality: DeclaredQuality = FAST
) -> LiveRoute:
    asked = asked_of(msgspec.structs.replace(ROUTE, quality=quality))
    assert asked is not None
    purse = purse_of(asked, before, time.clocks())
    return LiveRoute("chat", asked, before, purse, time.clocks())


def kept(time: Time, count: int) -> list[Kept]:
    ids, at_s = IdSource(), time.clocks().wall_s()
    return [Kept(ids.new(), at_s, None, "v1", "m") for _ in range(count)]


def known(it: LiveRoute) -> None:
    """What a judgement costs is known, so that several may be under way."""
    one = it.next()
    assert one is not None
    it.well(one, 1)


def test_a_route_without_checks_is_not_graded() -> None:
    assert asked_of(DeclaredRoute()) is None
    assert asked_of(DeclaredRoute(quality=DeclaredQuality())) is None
    asked = asked_of(ROUTE)
    assert asked is not None and asked.asks


def test_as_many_at_once_as_are_allowed_and_one_while_it_is_doubtful() -> None:
    time = Time()
    it = route(time)
    it.looked(kept(time, 100))
    known(it)
    begun = list(iter(it.next, None))
    assert len(begun) == it.running == MOST_AT_ONCE
    assert it.put_aside(begun[0], "unreachable")
    assert it.next() is None
    for one in begun[1:]:
        it.well(one, 1)
    it.well(begun[0], 1)  # it has ended before, and does so once
    assert it.running == 0
    one = it.next()
    assert one is not None
    it.failed(one, "none", 1)
    assert len(list(iter(it.next, None))) == 1


def test_captures_are_looked_for_less_often_the_longer_it_takes() -> None:
    time = Time()
    it = route(time)
    first = it.look_from()
    assert first is not None and it.look_from() is None
    time.now_s = 2.0
    it.looked([])  # it took two seconds
    time.now_s = 19.0
    assert it.look_from() is None
    time.now_s = 21.0
    second = it.look_from()
    assert second is not None and second > first


def test_what_was_captured_long_ago_is_not_taken_up() -> None:
    time = Time()
    it = route(time)
    old = [one._replace(at_s=one.at_s - WINDOW_S - 1) for one in kept(time, 3)]
    it.looked(old)
    assert it.next() is None


def test_captures_that_do_not_come_are_told_when_it_is_no_chance() -> None:
    it = route(Time())
    assert it.may_be_missed(399) is None
    which = it.may_be_missed(400)
    assert which is not None and which[0].share == 0.05
    assert it.wrong(19, None) is None
    assert it.wrong(20, None) == "no captured requests come"


def test_what_waits_for_a_judge_that_is_away_for_days_is_bounded() -> None:
    time = Time()
    it = route(time)
    for _ in range(3000):
        it.looked(kept(time, 1))
        one = it.next()
        assert one is not None
        it.put_aside(one, "unreachable")
        time.now_s += 11.0
    assert len(it._aside) <= WINDOW_S / 11 + 2


def test_a_judge_that_is_too_slow_for_long_is_told() -> None:
    time = Time()
    it = route(time)
    it.looked(kept(time, 900))
    known(it)
    while it.next() is not None:
        pass
    for _ in range(60):
        assert it.wrong(0, None) is None
        time.now_s += 10.0
    assert "slower" in (it.wrong(0, None) or "")
    assert route(time).wrong(0, "its judge has drifted") == "its judge has drifted"


def test_spending_and_pace_go_on_where_they_were() -> None:
    time = Time()
    at_s = time.clocks().wall_s()
    before = tuple(Judged(f"r{n}", at_s - 10, at_s - 20, 400_000_000, "j") for n in range(2))
    it = route(time, before, JUDGED)
    it.looked(kept(time, 10))
    assert it.purse.spent == 800_000_000
    assert it.next() is None  # of one dollar another would not fit
    assert "spent" in (it.wrong(0, None) or "")
    dear = Judged("r3", at_s - 86_000, at_s - 86_000, 4_000_000_000, "j")
    it = route(time, (dear,), JUDGED)
    it.looked(kept(time, 10))
    assert it.next() is not None  # what was dear yesterday says nothing of today
    unknown = Judged("r3", at_s - 10, at_s - 20, None, "")
    assert route(time, (unknown,)).purse.is_unknown
