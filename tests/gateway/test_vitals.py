"""What a gateway says of itself."""

from pathlib import Path

from tests.gateway.rig import gateway, run, target

from tidegate.core.plan import Queueing
from tidegate.gateway.vitals import resident_bytes


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


def test_memory_is_known_or_unknown_and_never_zero() -> None:
    resident = resident_bytes()
    assert resident is None or resident > 1_000_000
