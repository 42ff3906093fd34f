"""What a gateway says of itself."""

from pathlib import Path

from tests.gateway.rig import gateway, run, target

from tidegate.core import clock
from tidegate.core.plan import Queueing
from tidegate.core.probe import Probe
from tidegate.core.resilience import Breaker
from tidegate.gateway.prober import Prober
from tidegate.gateway.vitals import Vitals, resident_bytes


def test_the_greatest_lag_is_that_since_the_last_call(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it:
            it.vitals.late(0.5)
            it.vitals.late(0.2)
            assert it.vitals.status().gauges["tidegate_loop_lag_seconds"] == 0.5
            gauges = it.vitals.status().gauges
            assert gauges["tidegate_loop_lag_seconds"] == 0.0
            assert gauges["tidegate_plan_version"] == 1.0

    run(main())


def test_each_target_s_places_and_line_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        queueing = Queueing(max_in_flight=2)
        async with gateway(tmp_path, target(1, queueing=queueing)) as it:
            ((_, places),) = it.world.queues
            assert places.take(1, False, 0.0) is not None
            places.entrance.shed["full"] += 3
            told = it.vitals.status()
            assert told.gauges["tidegate_target_in_flight|target=small"] == 1.0
            assert told.gauges["tidegate_target_limit|target=small"] == 2.0
            assert told.gauges["tidegate_target_waiting|target=small|priority=batch"] == 0.0
            assert told.counters["tidegate_target_shed_total|target=small|reason=full"] == 3.0
            assert told.gauges["tidegate_classes_served"] == 3.0

    run(main())


def test_what_is_left_alone_and_what_was_not_sent_again_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1, breaker=Breaker(failures=1))) as it:
            assert it.world.plan is not None
            ready = it.world.plan.routes["small"]
            [replica] = ready.target.replicas
            replica.breaker.told("failed", False, 0.0)
            replica.credential.refused(clock.monotonic_s())
            for _ in range(21):
                ready.budget.take(0.0)
            told = it.vitals.status()
            assert told.gauges["tidegate_target_left_alone|target=small"] == 1.0
            assert told.gauges["tidegate_credentials_resting|target=small"] == 1.0
            assert told.counters["tidegate_breakers_opened_total|target=small"] == 1.0
            assert told.counters["tidegate_retries_refused_total|route=small"] == 1.0

    run(main())


def test_memory_is_known_or_unknown_and_never_zero() -> None:
    resident = resident_bytes()
    assert resident is None or resident > 1_000_000


def test_what_probes_have_shown_is_told_and_nothing_before_one_has(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1), probes={"small": Probe()}) as it:
            prober = Prober(it.world)
            vitals = Vitals(it.world, it.preparer, None, prober)
            now_s = clock.monotonic_s()
            prober.sweep(now_s)
            told = vitals.status()
            assert not any("_probe" in name for name in (*told.gauges, *told.counters))
            [(_, probed)] = prober
            [part] = probed.parts.values()
            part.good, probed.ttft_s, probed.last_good_at_s = True, 0.25, 1_700_000_000.0
            minute = probed.hour.at(now_s)
            minute.good, minute.probes = 1, 2
            probed.skipped["busy"] += 2
            told = vitals.status()
            up = "tidegate_probe_up|target=small|replica=127.0.0.1:1|credential="
            assert told.gauges[up] == 1.0
            assert told.gauges["tidegate_probe_availability|target=small"] == 0.5
            assert told.gauges["tidegate_probe_ttft_seconds|target=small"] == 0.25
            last = "tidegate_probe_last_success_timestamp_seconds|target=small"
            assert told.gauges[last] == 1_700_000_000.0
            assert told.counters["tidegate_probes_skipped_total|target=small|reason=busy"] == 2.0

    run(main())
