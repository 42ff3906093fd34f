"""When targets are probed, on virtual time: in turn, ahead of callers, never in their place."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway import virtual
from tests.gateway.probing import DOWN, GOOD, Asked, House, planned, playing, small
from tests.gateway.rig import PRICE, plan_of, target

from tidegate.core import clock
from tidegate.core.plan import Replica
from tidegate.core.probe import Expect, Probe
from tidegate.gateway.prober import LastHour


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return playing(tmp_path, monkeypatch)


def test_a_target_is_probed_once_a_period(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(271.0)
        gaps = [after - before for before, after in itertools.pairwise(house.provider.asked_s)]
        assert house.provider.asked_s[0] == pytest.approx(30.0, abs=0.3)
        assert gaps == pytest.approx([60.0] * 4, abs=0.3)
        assert all(it.is_probe and it.error_code is None for it in house.receipts())
        assert house.probed().availability(virtual.now_s()) == 1.0

    run(scenario)


def test_chance_keeps_many_gateways_out_of_step(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([0.25, 0.0, 1.0 - 1e-9, 0.5, 0.5, 0.5])
    monkeypatch.setattr(clock, "fraction", lambda: next(draws))

    async def scenario(house: House) -> None:
        await asyncio.sleep(150.0)
        assert house.provider.asked_s == pytest.approx([15.0, 69.0, 135.0], abs=0.3)

    run(scenario)


def test_probes_that_fail_open_the_breaker_without_a_caller_s_request(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(28.0 + 30.0)
        assert house.state() == "open"
        assert len(house.provider.asked_s) <= 6
        assert house.probed().availability(virtual.now_s()) == 0.0
        [part] = house.probed().parts.values()
        assert part.good is False

    run(scenario, provider=Asked(DOWN))


def test_a_target_that_is_back_is_found_by_a_probe_and_not_by_a_caller(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(120.0)
        plan = house.it.world.plan
        assert plan is not None
        breaker = plan.probes["small"].target.replicas[0].breaker
        assert house.state() == "open"
        assert not breaker.allows(virtual.now_s()), "no request is to try it"
        for _ in range(300):
            await asyncio.sleep(0.1)
            assert not breaker.allows(virtual.now_s())
        house.provider.answer = GOOD
        await asyncio.sleep(6.0)
        assert house.state() == "closed"
        assert b"200 OK" in await house.ask()

    run(scenario, provider=Asked(DOWN))


def test_one_breaker_that_callers_opened_is_tried_by_a_probe(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(31.0)
        house.provider.answer = DOWN
        for _ in range(3):
            await house.ask()
        assert house.state() == "open"
        house.provider.answer = GOOD
        await asyncio.sleep(6.0)
        assert house.state() == "closed"
        assert [it.is_probe for it in house.receipts()] == [True, False, False, False, True]

    run(scenario)


def test_one_that_answers_nothing_ends_in_its_time_and_the_next_is_not_sent_before(
    run: Any,
) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(34.9)
        assert house.receipts() == []
        await asyncio.sleep(0.5)
        [receipt] = house.receipts()
        assert (receipt.error_code, receipt.cancelled_by) == ("upstream_timeout", "deadline")
        assert receipt.total_s == pytest.approx(5.0, abs=0.3)

    run(scenario, provider=Asked(None))


def test_no_more_is_spent_in_an_hour_than_the_plan_says(run: Any) -> None:
    # A probe costs 9 tokens in and 3 out at the rig's price; its most is dearer.
    async def scenario(house: House) -> None:
        most = house.it.world.plan.probes["small"].most_nanousd  # type: ignore[union-attr]
        cost = 9 * 1_000 + 3 * 2_000
        ceiling = most + 2 * cost
        await house.obey(small(), probe=Probe(every_s=60.0, nanousd_per_hour=ceiling))
        await asyncio.sleep(1800.0)
        assert len(house.provider.asked_s) == 3
        assert house.probed().skipped["money"] > 20
        await asyncio.sleep(3600.0)
        assert len(house.provider.asked_s) == 6, "an hour later there is as much again"

    run(scenario, planned(small(price=PRICE)))


def test_an_hour_s_sums_are_kept_by_the_minute() -> None:
    hour = LastHour()
    for second in range(4000):
        minute = hour.at(float(second))
        minute.probes, minute.nanousd = minute.probes + 10, minute.nanousd + 20
    sums = hour.sum(4000.0)
    assert 36_000 <= sums.probes <= 36_600 and sums.nanousd == 2 * sums.probes
    assert hour.sum(7260.0).probes == 10 * (4000 - 3660), "what is less than an hour ago"
    assert hour.sum(9000.0).probes == 0


def test_a_machine_that_stood_still_makes_up_for_nothing(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(31.0)
        loop = asyncio.get_running_loop()
        loop._clock.now_s += 3600.0  # type: ignore[attr-defined]
        await asyncio.sleep(1.0)
        assert len(house.provider.asked_s) == 1
        await asyncio.sleep(31.0)
        assert len(house.provider.asked_s) == 2, "at a time of its own, not at once"

    run(scenario)


def test_a_new_plan_changes_the_schedule_and_forgets_what_it_does_not_probe(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(31.0)
        house.probed().skipped["busy"] = 7
        await house.obey(small(), probe=Probe(every_s=10.0, timeout_s=5.0))
        await asyncio.sleep(12.0)
        assert len(house.provider.asked_s) == 2, "what was due in a minute is due in ten seconds"
        assert house.probed().skipped["busy"] == 7
        await house.obey(target(2, "other"), version=3)
        assert await house.it.obey(plan_of(target(2, "other"), version=4))
        await asyncio.sleep(100.0)
        assert len(house.provider.asked_s) == 2
        assert list(house.prober) == []

    run(scenario)


def test_an_end_cuts_probes_short_and_each_has_its_receipt(run: Any) -> None:
    async def scenario(house: House) -> None:
        await asyncio.sleep(31.0)
        await house.prober.stop()
        [receipt] = house.receipts()
        assert (receipt.error_code, receipt.cancelled_by) == ("draining", "gateway")
        assert not house.it.world.calls
        await asyncio.sleep(200.0)
        assert len(house.provider.asked_s) == 1
        assert house.state() == "closed"

    run(scenario, provider=Asked(None))


def test_each_part_is_probed_by_itself(run: Any) -> None:
    two = tuple(Replica(f"r{i}", "http", "127.0.0.1", i, "/v1") for i in (1, 2))

    async def scenario(house: House) -> None:
        await asyncio.sleep(91.0)
        assert len(house.provider.asked_s) == 4
        assert {it.replica for it in house.receipts()} == {"r1", "r2"}

    run(scenario, planned(small(replicas=two)))


def test_an_answer_that_is_not_what_was_expected_opens_the_breaker_too(run: Any) -> None:
    probe = Probe(every_s=60.0, timeout_s=5.0, expect=Expect(contains="READY"))

    async def scenario(house: House) -> None:
        await asyncio.sleep(60.0)
        assert house.state() == "open"
        receipt = house.receipts()[0]
        assert (receipt.error_code, receipt.validity) == (
            "upstream_invalid_answer",
            "schema_violation",
        )
        assert receipt.attempts[0].failure == "malformed"

    run(scenario, planned(small(), probe=probe))
