"""Several gateways, each a process of its own, on the last units of one limit."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_fleet import Fleet, fleet
from tests.stores.redis_gateway import RATE_BURST
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import Server, budget, run, want

from tidegate.stores.redis_link import DEADLINE_S
from tidegate.stores.redis_wants import Refused, Taken

MODES = ("exact", "slice")


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=KINDS)
def both(
    request: pytest.FixtureRequest, mode: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Fleet]]:
    folder = tmp_path_factory.mktemp("fleet")
    with (
        redis_rig.serving(request.param, folder) as server,
        fleet(server.socket, 4, mode) as gateways,
    ):
        yield server, gateways


def test_nobody_passes_a_budget_and_nothing_of_it_leaks(both: tuple[Server, Fleet]) -> None:
    on_a_budget(*both, callers=50, allowed=1_000)


def test_the_last_unit_is_given_once(both: tuple[Server, Fleet]) -> None:
    assert sum(one["taken"] for one in both[1].do("once", 200, 1)) == 1


def test_a_rate_is_kept_across_gateways(both: tuple[Server, Fleet]) -> None:
    rate_of(both[1], for_s=2.0)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_callers_of_each_of_four_gateways_ten_times(
    kind: str, mode: str, tmp_path: Path
) -> None:
    for n in range(10):
        folder = tmp_path / str(n)
        folder.mkdir()
        with redis_rig.serving(kind, folder) as server, fleet(server.socket, 4, mode) as gateways:
            on_a_budget(server, gateways, callers=200, allowed=5_000)


def test_all_that_passes_beyond_a_rate_is_told(mode: str, tmp_path: Path) -> None:
    """Redis stands still for a while, and gateways wait for it no longer than requests do."""
    with (
        redis_rig.serving("valkey", tmp_path) as server,
        fleet(server.socket, 3, mode, DEADLINE_S) as gateways,
    ):
        ended = gateways.do("rate", 0.001, 0.2)
        server.signal(signal.SIGSTOP)
        ended += gateways.do("rate", 0.001, 0.2)
        server.signal(signal.SIGCONT)
        ended += gateways.do("rate", 0.001, 0.5)
        told = gateways.do("drain")
        uncounted = sum(one["tidegate_limits_passed_uncounted_total"] for one in told)
        taken = sum(one["taken"] for one in ended)
        assert uncounted > 0
        assert taken <= RATE_BURST + 1 + uncounted


def test_of_a_gauge_what_a_killed_gateway_held_is_free_soon_and_one_that_stood_still_holds_again(
    mode: str, tmp_path: Path
) -> None:
    allowed, each, lease_s = 400, 180, 3.0
    gauge = (allowed, lease_s)
    with (
        redis_rig.serving("valkey", tmp_path) as server,
        fleet(server.socket, 3, mode) as gateways,
    ):
        gateways.one(0, "hold", each, *gauge)
        gateways.one(1, "hold", each, *gauge)
        gateways.signal(0, signal.SIGKILL)
        gateways.signal(1, signal.SIGSTOP)
        gateways.one(
            2, "hold", allowed, *gauge
        )  # when the leases of both have ended, and not before
        assert gateways.one(2, "at_once", *gauge)["used"] == allowed
        gateways.signal(1, signal.SIGCONT)
        while gateways.one(2, "at_once", *gauge)["used"] != allowed + each:
            time.sleep(0.02)
        assert gateways.one(1, "let_go")["tidegate_limits_store_lost_total"] == 0
        assert gateways.one(2, "at_once", *gauge)["used"] == allowed
        gateways.one(2, "let_go")
        assert gateways.one(2, "at_once", *gauge)["used"] == 0


def on_a_budget(server: Server, gateways: Fleet, callers: int, allowed: int) -> None:
    ended = gateways.do("burst", callers, allowed, [1, 2, 3, 4])
    assert all(one["tidegate_limits_store_lost_total"] == 0 for one in gateways.do("drain"))
    used = sum(one["used"] for one in ended)
    assert sum(one["away"] for one in ended) == 0
    assert used <= allowed
    assert used > 0.9 * allowed, "they stopped while there was plenty left"

    async def what_is_left() -> None:
        async with redis_rig.counters(server.address, "after") as store:
            rest = allowed - used
            (reading,) = await store.read([want(budget(allowed))])
            assert reading.used == used
            assert isinstance(
                await store.take("one too many", [want(budget(allowed), rest + 1)]), Refused
            )
            assert isinstance(await store.take("the rest", [want(budget(allowed), rest)]), Taken)

    run(what_is_left())


@pytest.mark.soak
def test_a_rate_is_kept_for_a_minute(both: tuple[Server, Fleet]) -> None:
    rate_of(both[1], for_s=60.0)


def rate_of(gateways: Fleet, for_s: float) -> None:
    """Each says when it began and ended, so that a slow machine is not taken for a slow bucket."""
    ended = gateways.do("rate", 100.0, for_s)
    lasted_s = max(one["until_s"] for one in ended) - min(one["since_s"] for one in ended)
    taken = sum(one["taken"] for one in ended)
    assert taken <= (RATE_BURST + 100.0 * lasted_s) * 1.001 + 1
    overlapped_s = min(one["until_s"] for one in ended) - max(one["since_s"] for one in ended)
    assert taken >= 100.0 * overlapped_s * 0.999 - 1
