"""Signals over time: what a point is, how many there are, and of which rows."""

import pytest
from sqlalchemy import Engine, func, select
from tests.stores.signal_rig import add, key, one

from tidegate.core.bin import BinKey
from tidegate.core.series import MAX_POINTS, Series, SignalQuery
from tidegate.stats.histogram import bucket_of
from tidegate.stores import database, signal_bins, signal_series
from tidegate.stores.errors import AskedTooMuch
from tidegate.stores.schema_signals import signals
from tidegate.stores.signal_bins import DAY_S, HOUR_S

NOON_S = 1_790_000_040 // DAY_S * DAY_S + DAY_S // 2


def read(engine: Engine, query: SignalQuery) -> list[Series]:
    with database.reading(engine) as connection:
        return signal_series.read(connection, query)


def ask(engine: Engine, *names: str, since_s: float = NOON_S, **more: object) -> list[Series]:
    return read(engine, SignalQuery(names, since_s, since_s + 240, **more))  # type: ignore[arg-type]


def at(minute: int, **named: str) -> BinKey:
    return key(NOON_S + 60 * minute, **named)


def values(series: Series) -> list[float | None]:
    return [value for _, value in series.points]


def test_what_nobody_knows_is_no_zero(engine: Engine) -> None:
    add(engine, {at(0): one(requests=60), at(2): one(requests=0, failed=0)})
    rate, failed = ask(engine, "request_rate", "failed_share")
    assert [at_s for at_s, _ in rate.points] == [NOON_S + 60 * n for n in range(4)]
    assert values(rate) == [1.0, None, 0.0, None]
    assert values(failed) == [0.0, None, None, None]
    assert (rate.unit, rate.step_s, rate.scope) == ("1/s", 60, "")


def test_a_share_is_that_of_all_and_no_mean_of_shares(engine: Engine) -> None:
    add(engine, {at(0): one(requests=99, failed=0), at(0, target="large"): one(failed=1)}, "a")
    add(engine, {at(0): one(requests=100, failed=1)}, "b")
    [whole] = ask(engine, "failed_share")
    assert values(whole)[0] == 2 / 200


def test_indicators_count_only_who_took_part(engine: Engine) -> None:
    add(engine, {at(0): one(requests=50, availability_good=9, availability_bad=1)})
    [whole] = ask(engine, "availability")
    assert values(whole) == [0.9, None, None, None]


def test_money_is_told_in_dollars(engine: Engine) -> None:
    add(engine, {at(0): one(requests=4, cost_nanousd=2 * 10**9)})
    hourly, each = ask(engine, "cost_usd_per_h", "cost_usd_per_request")
    assert values(hourly)[0] == pytest.approx(120)
    assert values(each)[0] == pytest.approx(0.5)


def test_a_quantile_is_that_of_all_values_of_the_step(engine: Engine) -> None:
    slow, fast = {bucket_of(2.0): 10}, {bucket_of(0.1): 90}
    add(engine, {at(0): one({"ttft": slow}), at(0, target="large"): one({"ttft": fast})}, "a")
    add(engine, {at(1): one({"ttft": fast})}, "b")
    p50, p95 = ask(engine, "ttft_p50_s", "ttft_p95_s")
    assert values(p50)[:3] == [pytest.approx(0.1, rel=0.02), pytest.approx(0.1, rel=0.02), None]
    assert values(p95)[0] == pytest.approx(2.0, rel=0.02)


def test_series_are_told_apart_and_chosen_by_whose_they_are(engine: Engine) -> None:
    add(engine, {at(0): one(requests=60), at(0, arm="canary"): one(requests=6)})
    add(engine, {at(0, route="search", target="large"): one(requests=120)})
    apart = ask(engine, "request_rate", apart=("route", "arm"))
    assert [(it.scope, values(it)[0]) for it in apart] == [
        ("chat/canary", 0.1),
        ("chat/stable", 1.0),
        ("search/stable", 2.0),
    ]
    [chosen] = ask(engine, "request_rate", only={"route": "chat"})
    assert values(chosen)[0] == 1.1
    assert ask(engine, "request_rate", only={"route": "no such"}) == []
    assert ask(engine, "request_rate", only={"replica": "r0"}) == []
    assert ask(engine, "engine_running") == []


def test_long_windows_are_read_of_coarse_rows_and_say_the_same(engine: Engine) -> None:
    days = range(0, 396, 5)
    add(engine, {key(NOON_S - DAY_S * day): one(requests=864) for day in days})
    query = SignalQuery(("request_rate",), NOON_S - 395 * DAY_S, NOON_S + DAY_S / 2)
    [whole] = read(engine, query)
    assert whole.step_s == DAY_S
    assert len(whole.points) == 396 <= MAX_POINTS
    known = [value for value in values(whole) if value is not None]
    assert known == [pytest.approx(0.01)] * len(days)


def test_minutes_that_are_gone_are_read_as_hours(engine: Engine) -> None:
    add(engine, {at(0): one(requests=36), at(1): one(requests=36), at(6 * 1440): one()})
    signal_bins.drop_old(engine, NOON_S + 6 * DAY_S)
    [whole] = ask(engine, "request_rate")
    assert (whole.step_s, values(whole)) == (HOUR_S, [0.02])
    [young] = ask(engine, "request_rate", since_s=NOON_S + 6 * DAY_S)
    assert young.step_s == 60


def test_many_series_share_the_rows_of_one_answer(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(engine, {at(0, route=f"r{number}"): one({"ttft": {3: 1}}) for number in range(50)})
    week = SignalQuery(("ttft_p95_s",), NOON_S - 395 * DAY_S, NOON_S + 60, apart=("route",))
    assert {it.step_s for it in read(engine, week)} == {7 * DAY_S}
    monkeypatch.setattr(signal_series, "MAX_SERIES", 49)
    with pytest.raises(AskedTooMuch, match="50 series"):
        read(engine, week)


def test_every_span_of_a_scope_is_there(engine: Engine) -> None:
    add(engine, {at(0): one()})
    with database.reading(engine) as connection:
        count = connection.execute(select(func.count()).select_from(signals)).scalar()
    assert count == len(signal_bins.SPANS_S)
