"""Minutes for whoever looks at every tick: what changed, whole, and nothing else."""

from sqlalchemy import Engine
from tests.stores.signal_rig import NOON_S, add, key, one

from tidegate.stores import database, signals
from tidegate.stores.signals import News


def news(engine: Engine, since: int = 0, from_s: float = 0.0) -> News:
    with database.reading(engine) as connection:
        return signals.minutes_after(connection, since, from_s=from_s)


def test_a_minute_is_everything_of_an_arm_whatever_its_target_or_recorder(engine: Engine) -> None:
    fast = {"ttft": {3: 1}}
    add(engine, {key(): one(fast, availability_good=3), key(target="large"): one(fast)}, "a")
    add(engine, {key(): one({"ttft": {3: 1, 9: 2}}, availability_good=1, availability_bad=2)}, "b")
    add(engine, {key(arm="canary"): one(output_tokens=7)}, "a")
    canary, stable = news(engine).minutes
    assert (stable.minute_s, stable.route, stable.arm) == (NOON_S, "chat", "stable")
    assert stable.slis == {"availability": (4, 2)}
    assert stable.latencies == {"ttft": {3: 3, 9: 2}}
    assert stable.counts["requests"] == 3
    assert (canary.arm, canary.slis, canary.counts["output_tokens"]) == ("canary", {}, 7)


def test_only_minutes_that_have_changed_are_told_again_and_then_whole(engine: Engine) -> None:
    assert news(engine) == News(0, [])
    add(engine, {key(): one(), key(NOON_S + 60): one()})
    first = news(engine)
    assert len(first.minutes) == 2
    assert news(engine, first.since) == News(first.since, [])
    add(engine, {key(NOON_S + 60, target="large"): one(requests=5)}, "another")
    second = news(engine, first.since)
    assert [(it.minute_s, it.counts["requests"]) for it in second.minutes] == [(NOON_S + 60, 6)]
    assert second.since > first.since


def test_what_was_long_ago_is_not_asked_for(engine: Engine) -> None:
    add(engine, {key(): one(), key(NOON_S + 60): one(), key(NOON_S + 120): one()})
    found = news(engine, from_s=NOON_S + 61)
    assert [it.minute_s for it in found.minutes] == [NOON_S + 60, NOON_S + 120]


def test_a_histogram_that_cannot_be_read_leaves_the_rest_known(engine: Engine) -> None:
    add(engine, {key(): one({"ttft": {3: 1}}, availability_good=1)})
    with database.writing(engine) as connection:
        connection.execute(signals.signal_details.update().values(ttft_histogram=b"\xc1"))
    [minute] = news(engine).minutes
    assert minute.slis == {"availability": (1, 0)}
    assert minute.latencies == {"ttft": {}}


def test_hours_and_days_are_told_whole_from_when_they_begin(engine: Engine) -> None:
    day_s, hour_s = NOON_S - NOON_S % 86_400, NOON_S - NOON_S % 3600
    slow = {"ttft": {3: 1}}
    bins = {key(): one(slow, availability_good=3), key(NOON_S + 60, target="large"): one(slow)}
    add(engine, {**bins, key(NOON_S + 3600): one(), key(arm="canary"): one()})
    add(engine, {key(): one(availability_bad=2)}, "another")
    with database.reading(engine) as connection:
        found = signals.spans(connection, 3600, hour_s, hour_s + 3600)
        days = signals.spans(connection, 86_400, day_s, day_s + 1)
        assert signals.spans(connection, 3600, hour_s + 1, hour_s + 3600) == []
    assert [(it.minute_s, it.arm) for it in found] == [(hour_s, "canary"), (hour_s, "stable")]
    assert found[1].slis == {"availability": (3, 2)} and found[1].latencies == {"ttft": {3: 2}}
    assert [it.counts["requests"] for it in days] == [1, 4]


def test_one_arm_s_minutes_are_asked_for_alone(engine: Engine) -> None:
    add(engine, {key(arm="shadow"): one(), key(): one(), key(route="mail", arm="shadow"): one()})
    add(engine, {key(NOON_S - 60, arm="shadow"): one(), key(NOON_S + 60, arm="shadow"): one()})
    with database.reading(engine) as connection:
        found = signals.of_arm(connection, "chat", "shadow", NOON_S + 59.0)
    assert [(it.minute_s, it.counts["requests"]) for it in found] == [(NOON_S, 1), (NOON_S + 60, 1)]
