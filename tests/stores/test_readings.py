"""What engines said, kept and asked for: unknown stays unknown, and sums of parts are no sums."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select

from tidegate.core.engine_signals import ENGINE_SIGNALS, STALE_S, Measured, Measurements
from tidegate.core.series import MAX_POINTS, Series, SignalQuery
from tidegate.core.signal import NoData, Value, Why
from tidegate.stores import database, readings
from tidegate.stores.readings import EngineSample
from tidegate.stores.schema_readings import readings as table
from tidegate.stores.schema_readings import readings_newest

NOON_S = 1_790_000_000.0 // 86_400 * 86_400 + 43_200
KV = "engine_kv_cache_usage"


def said(why: Why = "missing", **known: tuple[float, float]) -> Measurements:
    """Amounts and weights of these; nothing of the others."""
    given = {name: Measured(*pair, f"e:{name}") for name, pair in known.items()}
    return {**dict.fromkeys(ENGINE_SIGNALS, NoData(why)), **given}


def sample(
    at_s: float, measured: Measurements, target: str = "local", replica: str = "a:1"
) -> EngineSample:
    return EngineSample(target, replica, "vllm", at_s, measured)


def level(value: float) -> tuple[float, float]:
    return value, 1.0


def add(engine: Engine, *samples: EngineSample) -> None:
    with database.writing(engine) as connection:
        readings.add(connection, samples)


def asked(
    engine: Engine,
    *names: str,
    since_s: float = NOON_S,
    until_s: float = NOON_S + 60,
    apart: tuple[str, ...] = (),
    only: dict[str, str] | None = None,
) -> list[Series]:
    query = SignalQuery(names, since_s, until_s, only or {}, apart)
    with database.reading(engine) as connection:
        return readings.read(connection, query)


def value(engine: Engine, name: str) -> float | None:
    [series] = asked(engine, name)
    [(at_s, found)] = series.points
    assert at_s == NOON_S
    return found


def newest(engine: Engine, now_s: float) -> dict[tuple[str, str], Value | NoData]:
    with database.reading(engine) as connection:
        found = readings.latest(connection, now_s)
    return {(one.signal.scope, one.signal.name): one.signal.reading for one in found}


def test_a_minute_of_levels_is_their_mean(engine: Engine) -> None:
    for at, running in enumerate((2.0, 4.0, 9.0)):
        add(engine, sample(NOON_S + 10 * at, said(engine_running=level(running))))
    assert value(engine, "engine_running") == 5.0


def test_means_and_shares_are_of_all_that_was_counted(engine: Engine) -> None:
    add(engine, sample(NOON_S, said(engine_queue_s=(1.0, 1.0), engine_prefix_hits=(0.0, 10.0))))
    add(engine, sample(NOON_S, said(engine_queue_s=(9.0, 99.0), engine_prefix_hits=(90.0, 90.0))))
    assert value(engine, "engine_queue_s") == pytest.approx(0.1)
    assert value(engine, "engine_prefix_hits") == pytest.approx(0.9)


def test_what_nobody_knew_is_no_point_and_a_counted_nothing_is_zero(engine: Engine) -> None:
    add(engine, sample(NOON_S, said(engine_preemptions=(0.0, 10.0), engine_queue_s=(0.0, 0.0))))
    assert value(engine, "engine_preemptions") == 0.0
    assert value(engine, "engine_queue_s") is None
    assert value(engine, "engine_running") is None


def test_where_no_engine_was_read_there_is_no_series(engine: Engine) -> None:
    assert asked(engine, "engine_running") == []
    assert asked(engine, "something_else") == []


def test_replicas_together(engine: Engine) -> None:
    add(
        engine,
        sample(NOON_S, said(engine_running=level(3), engine_queue_s=(8, 2), **{KV: level(0.3)})),
        sample(
            NOON_S,
            said(engine_running=level(4), engine_queue_s=(2, 8), **{KV: level(0.9)}),
            replica="b:1",
        ),
    )
    assert value(engine, "engine_running") == 7.0
    assert value(engine, KV) == 0.9
    assert value(engine, "engine_queue_s") == 1.0


def test_a_sum_of_which_a_part_is_unknown_is_unknown(engine: Engine) -> None:
    add(engine, sample(NOON_S, said(engine_running=level(3), **{KV: level(0.3)})))
    add(engine, sample(NOON_S, said("unreachable"), replica="b:1"))
    assert value(engine, "engine_running") is None
    assert value(engine, KV) == 0.3


def test_told_apart_and_asked_for_by_target_and_replica(engine: Engine) -> None:
    for target, replica, running in (("x", "a:1", 1.0), ("x", "b:1", 2.0), ("y", "a:1", 4.0)):
        add(engine, sample(NOON_S, said(engine_running=level(running)), target, replica))

    def told(apart: tuple[str, ...], **only: str) -> dict[str, float | None]:
        found = asked(engine, "engine_running", apart=apart, only=only)
        return {series.scope: series.points[0][1] for series in found}

    assert told(()) == {"": 7.0}
    assert told(("target",)) == {"x": 3.0, "y": 4.0}
    assert told(("target", "replica")) == {"x/a:1": 1.0, "x/b:1": 2.0, "y/a:1": 4.0}
    assert told((), target="x") == {"": 3.0}
    assert told(("replica",), target="x") == {"a:1": 1.0, "b:1": 2.0}


def test_of_routes_and_arms_engines_know_nothing(engine: Engine) -> None:
    add(engine, sample(NOON_S, said(engine_running=level(1))))
    assert asked(engine, "engine_running", apart=("route",)) == []
    assert asked(engine, "engine_running", only={"arm": "canary"}) == []


@pytest.mark.parametrize("days", [0.1, 1, 7, 30, 100, 395])
def test_a_series_is_short_whole_and_even(engine: Engine, days: float) -> None:
    until_s = NOON_S + 1234.0
    since_s = until_s - days * 86_400
    for at_s in (since_s + 90_000, until_s - 90_000, until_s - 1):
        add(engine, sample(at_s, said(engine_running=level(2))))
    [series] = asked(engine, "engine_running", since_s=since_s, until_s=until_s)
    assert len(series.points) <= MAX_POINTS
    assert {b - a for (a, _), (b, _) in pairwise(series.points)} == {series.step_s}
    assert series.points[0][0] <= since_s < series.points[0][0] + series.step_s
    assert series.points[-1] == (series.points[-1][0], 2.0)
    assert None in {found for _, found in series.points}


def test_beyond_the_minutes_hours_tell(engine: Engine) -> None:
    old_s = NOON_S - readings.MINUTES_KEPT_S - 86_400
    add(engine, sample(old_s, said(engine_running=level(2))))
    add(engine, sample(NOON_S, said(engine_running=level(4))))
    with database.writing(engine) as connection:
        assert readings.trim(connection, NOON_S) == 1
    [series] = asked(engine, "engine_running", since_s=old_s, until_s=old_s + 3600)
    assert (series.step_s, series.points) == (3600.0, ((old_s, 2.0),))
    assert value(engine, "engine_running") == 4.0


def test_what_is_past_its_time_goes(engine: Engine) -> None:
    add(engine, sample(NOON_S - readings.KEPT_S - 86_401, said(engine_running=level(2))))
    with database.writing(engine) as connection:
        assert readings.trim(connection, NOON_S) == 4
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
        assert connection.execute(select(func.count()).select_from(readings_newest)).scalar() == 0


def test_the_newest_of_each_replica(engine: Engine) -> None:
    add(engine, sample(NOON_S, said(engine_running=level(3))))
    add(
        engine,
        sample(NOON_S + 20, said(engine_running=level(5), engine_queue_s=(0.0, 0.0))),
        sample(NOON_S + 10, said(engine_running=level(4))),
    )
    found = newest(engine, NOON_S + 21)
    assert found["local/a:1", "engine_running"] == Value(5.0)
    assert found["local/a:1", "engine_queue_s"] == NoData("no_traffic")
    assert found["local/a:1", KV] == NoData("missing")
    with database.reading(engine) as connection:
        one = readings.latest(connection, NOON_S + 21)[0]
        assert readings.latest(connection, NOON_S + 21, targets=["other"]) == []
    assert (one.alias, one.engine, one.signal.age_s) == ("e:engine_running", "vllm", 1.0)


@pytest.mark.parametrize("late_s", [STALE_S + 1, 1e6, -STALE_S - 1, -1e6])
def test_what_is_old_or_of_the_future_is_stale(engine: Engine, late_s: float) -> None:
    add(engine, sample(NOON_S, said(engine_running=level(3))))
    found = newest(engine, NOON_S + late_s)
    assert found["local/a:1", "engine_running"] == NoData("stale")


def test_why_nothing_is_known_is_kept(engine: Engine) -> None:
    add(engine, sample(NOON_S, said("unreachable")))
    assert set(newest(engine, NOON_S).values()) == {NoData("unreachable")}


@given(parts=st.lists(st.lists(st.floats(0, 1e6), max_size=4), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_however_it_comes_in_it_is_the_same(engine: Engine, parts: list[list[float]]) -> None:
    with database.writing(engine) as connection:
        connection.execute(delete(table))
    for part in parts:
        add(engine, *(sample(NOON_S + 1, said(engine_running=level(one))) for one in part))
    every = [one for part in parts for one in part]
    if every:
        assert value(engine, "engine_running") == pytest.approx(sum(every) / len(every))
    else:
        assert asked(engine, "engine_running") == []


def test_thirteen_months_of_a_hundred_replicas_are_read_in_days(sqlite_engine: Engine) -> None:
    day_s = readings.SPANS_S[-1]
    zeros = dict.fromkeys(readings._AMOUNTS, 1.0)
    rows = [
        {"span_s": day_s, "target": "t", "replica": f"r{at}", "start_s": day * day_s, **zeros}
        for at in range(100)
        for day in range(20_000, 20_395)
    ]
    with database.writing(sqlite_engine) as connection:
        connection.execute(table.insert(), rows)
    found = asked(
        sqlite_engine,
        "engine_running",
        since_s=20_000.0 * day_s,
        until_s=20_395.0 * day_s,
        apart=("replica",),
    )
    assert len(found) == 100
    assert all(len(series.points) == 395 for series in found)
