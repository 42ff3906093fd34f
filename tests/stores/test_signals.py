"""Minutes for whoever looks at every tick: what changed, whole, and nothing else."""

import pytest
from sqlalchemy import Engine
from tests.stores.signal_rig import NOON_S, add, key, one

from tidegate.stats.histogram import merged
from tidegate.stores import database, signals
from tidegate.stores.signal_rows import histogram_of
from tidegate.stores.signals import Copies, Minute, News, Shadow


def news(engine: Engine, since: int = 0, from_s: float = 0.0) -> News:
    with database.reading(engine) as connection:
        return signals.minutes_after(connection, since, from_s=from_s)


def read(minute: Minute) -> dict[str, dict[int, int]]:
    return {name: merged(map(histogram_of, them)) for name, them in minute.latencies.items()}


def test_a_minute_is_everything_of_an_arm_whatever_its_target_or_recorder(engine: Engine) -> None:
    fast = {"ttft": {3: 1}}
    add(engine, {key(): one(fast, availability_good=3), key(target="large"): one(fast)}, "a")
    add(engine, {key(): one({"ttft": {3: 1, 9: 2}}, availability_good=1, availability_bad=2)}, "b")
    add(engine, {key(arm="canary"): one(output_tokens=7)}, "a")
    add(engine, {key(arm="shadow"): one()}, "a")
    canary, stable = news(engine).minutes
    assert (stable.minute_s, stable.route, stable.arm) == (NOON_S, "chat", "stable")
    assert stable.slis == {"availability": (4, 2)}
    assert read(stable) == {"ttft": {3: 3, 9: 2}}
    assert (canary.arm, canary.slis, canary.latencies) == ("canary", {}, {})


def test_only_minutes_that_have_changed_are_told_again_and_then_whole(engine: Engine) -> None:
    assert news(engine) == News(0, [])
    bins = {key(): one(), key(arm="canary"): one(), key(route="mail"): one()}
    add(engine, {key(NOON_S + 60): one(availability_good=1), **bins})
    first = news(engine)
    assert len(first.minutes) == 4
    assert news(engine, first.since) == News(first.since, [])
    add(engine, {key(NOON_S + 60, target="large"): one(availability_good=5)}, "another")
    second = news(engine, first.since)
    assert [(it.minute_s, it.slis["availability"]) for it in second.minutes] == [
        (NOON_S + 60, (6, 0))
    ]
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
    assert read(minute) == {"ttft": {}}


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
    assert found[1].slis == {"availability": (3, 2)} and read(found[1]) == {"ttft": {3: 2}}
    assert [it.slis for it in days] == [{}, {"availability": (3, 2)}]


def test_copies_of_all_releases_are_counted_by_one_question(engine: Engine) -> None:
    check_copies(engine)


@pytest.mark.postgres
def test_in_postgresql_too(shared_engine: Engine) -> None:
    check_copies(shared_engine)


def check_copies(engine: Engine) -> None:
    bins = {
        key(at_s, arm="shadow", route=route, release=f"{route}@{lane}"): one(
            failed=1, validity_bad=2, cost_nanousd=10 * lane, cost_unknown=3
        )
        for at_s in (NOON_S - 60, NOON_S, NOON_S + 60)
        for route in ("chat", "mail")
        for lane in (1, 2)
    }
    add(engine, {**bins, key(): one(), key(route="none"): one()})
    shadows = [
        Shadow("chat/one", "chat", "chat@1", NOON_S, NOON_S + 59.0),
        Shadow("chat/two", "chat", "chat@2", NOON_S - 60.0, NOON_S + 60.0),
        Shadow("mail/all", "mail", "", NOON_S + 60.0, NOON_S + 60.0),
        Shadow("none/new", "none", "", NOON_S, NOON_S),
    ]
    with database.reading(engine) as connection:
        found = signals.shadowed(connection, shadows)
        assert signals.shadowed(connection, []) == {}
    assert found == {
        "chat/one": Copies(2, 2, 4, 2, 20, 6),
        "chat/two": Copies(1, 1, 2, 3, 60, 9),
        "mail/all": Copies(2, 2, 4, 2, 30, 6),
    }
