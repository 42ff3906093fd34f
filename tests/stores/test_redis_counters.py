"""What requests see while the server is dead, hung, slow or cut off, and when it is back."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import Network, Server, budget, counters, run, until_ready, want

from tidegate.core import clock
from tidegate.core.limit import Bucket, Gauge
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_link import DEADLINE_S
from tidegate.stores.redis_wants import Away, Quota, Refused, Taken

SOFT = Quota("requests", Bucket(1e6, 1_000_000))
HARD = budget(1_000_000)
RECOVERY_S = 5.0
PAUSE_S = 2.0


class Load:
    """Requests without a pause, each of a soft limit alone and one of a hard."""

    def __init__(self, store: RedisCounters) -> None:
        self.store = store
        self.soft: list[object] = []
        self.hard: list[object] = []
        self.longest_s = 0.0

    async def run(self) -> None:
        number = 0
        while True:
            number += 1
            self.soft.append(await self._one(f"s{number}", SOFT))
            self.hard.append(await self._one(f"h{number}", HARD))
            await asyncio.sleep(0.001)

    async def _one(self, id: str, quota: Quota) -> object:
        start_s = clock.monotonic_s()
        taken = await self.store.take(id, [want(quota)])
        self.longest_s = max(self.longest_s, clock.monotonic_s() - start_s)
        if isinstance(taken, Taken):
            self.store.give_back(taken, [1])
        return taken


def dead(server: Server, network: Network) -> Callable[[], None]:
    server.kill()
    return server.start


def hung(server: Server, network: Network) -> Callable[[], None]:
    server.signal(signal.SIGSTOP)
    return lambda: server.signal(signal.SIGCONT)


def paused(server: Server, network: Network) -> Callable[[], None]:
    server.say("CLIENT", "PAUSE", str(int(PAUSE_S * 1000)), "ALL")
    return lambda: time.sleep(PAUSE_S)  # who is paused cannot be told to go on


def slow(server: Server, network: Network) -> Callable[[], None]:
    network.delay_s = 0.5
    return lambda: setattr(network, "delay_s", 0.0)


def cut(server: Server, network: Network) -> Callable[[], None]:
    network.cut()
    return network.mend


def passed(store: RedisCounters) -> float:
    return store.counters()["tidegate_limits_passed_uncounted_total"]


FAULTS = (dead, hung, slow, cut)


async def under(
    server: Server, tmp_path: Path, mode: str, check: Callable[..., Awaitable[None]]
) -> None:
    network = Network(server, tmp_path / "net.sock")
    async with network.up(), counters(network.address, mode=mode, deadline_s=0.25) as store:
        load = Load(store)
        running = asyncio.ensure_future(load.run())
        try:
            await asyncio.sleep(0.05)
            await check(load, network)
        finally:
            running.cancel()


@pytest.mark.parametrize(
    ("fault", "mode"),
    [*((fault, "exact") for fault in (*FAULTS, paused)), *((fault, "slice") for fault in FAULTS)],
)
def test_soft_limits_let_pass_and_hard_ones_say_so_until_it_is_back(
    fault: Callable[[Server, Network], Callable[[], None]], mode: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        await under(server, tmp_path, mode, faulty)

    async def faulty(load: Load, network: Network) -> None:
        store = load.store
        mend = fault(network.server, network)
        while store.available:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        load.soft.clear()
        load.hard.clear()
        while len(load.soft) < 50:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert {type(one) for one in load.soft} == {Taken}
        if mode == "exact":
            assert {type(one) for one in load.hard[1:]} == {Away}
        else:
            assert {type(one) for one in load.hard} == {Taken}, "there is a slice in hand"
        assert store.gauges()["tidegate_limits_store_up"] == 0
        waiting = store.gauges()["tidegate_limits_store_waiting"]
        await store.take("hard", [want(HARD, 900_000)])
        assert store.gauges()["tidegate_limits_store_waiting"] == waiting, "nothing to undo"
        assert (passed(store) > 0) == (mode == "exact")
        await asyncio.to_thread(mend)
        async with asyncio.timeout(RECOVERY_S):
            await until_ready(store)
        before = passed(store)
        load.soft.clear()
        load.hard.clear()
        while len(load.soft) < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert {type(one) for one in load.soft[1:] + load.hard[1:]} == {Taken}
        assert passed(store) <= before + 1

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_no_request_waits_longer_than_the_deadline(tmp_path: Path) -> None:
    """Said by the default, since nothing here may be timed: the code's own bound is 20 ms."""
    assert DEADLINE_S == 0.020


def test_a_hard_limit_ends_with_the_slice_in_hand(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode="slice") as store:
            quota = budget(1_000)
            for n in range(3):
                assert isinstance(await store.take(f"r{n}", [want(quota)]), Taken)
            server.kill()
            while store.available:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert isinstance(await store.take("too much", [want(quota, 9)]), Away)
            answers = [await store.take(f"s{n}", [want(quota)]) for n in range(20)]
            assert [type(one) for one in answers] == [Taken] * 8 + [Away] * 12
            assert passed(store) == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_what_was_given_back_while_the_server_was_cut_off_arrives_once(
    mode: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        network = Network(server, tmp_path / "net.sock")
        async with network.up(), counters(network.address, mode=mode, deadline_s=0.25) as store:
            quota = budget(10_000)
            taken = [await store.take(f"r{n}", [want(quota, 10)]) for n in range(100)]
            network.cut()
            for one in taken:
                assert isinstance(one, Taken)
                store.give_back(one, [3])
            while store.available:
                await store.take("probe", [want(quota, 5_000)])
            network.mend()
            await until_ready(store)
            await store.drain()
            assert [one.used for one in await store.read([want(quota)])] == [300]

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_scripts_that_the_server_has_forgotten_are_sent_again(
    mode: str, kind: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode=mode) as store:
            for n in range(5):
                server.say("SCRIPT", "FLUSH")
                taken = await store.take(f"r{n}", [want(HARD, 20_000)])
                assert isinstance(taken, Taken)
                assert taken.tickets[0] is not None
                store.give_back(taken, [2])
            await store.drain()
            assert [one.used for one in await store.read([want(HARD)])] == [10]

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_a_full_server_counts_nothing_as_under_the_limit(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address) as store:
            server.say("CONFIG", "SET", "maxmemory", "1")
            answers = [await store.take(f"r{n}", [want(HARD)]) for n in range(5)]
            assert {type(one) for one in answers} == {Away}
            server.say("CONFIG", "SET", "maxmemory", "0")
            await until_ready(store)
            assert isinstance(await store.take("r", [want(HARD)]), Taken)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_another_gateway_with_the_same_name_shares_nothing(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        quota = Quota("at once", Gauge(2), hard=True)
        async with counters(server.address, "g", "slice") as one:
            assert isinstance(await one.take("r1", [want(quota)]), Taken)
            async with counters(server.address, "g", "slice") as two:
                assert isinstance(await two.take("r1", [want(quota)]), Taken)
                assert isinstance(await two.take("r2", [want(quota)]), Refused)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_what_is_spent_while_the_server_is_cut_off_is_told_once_it_is_back(
    mode: str, tmp_path: Path
) -> None:
    """Also beyond what is allowed, of which nothing was held."""

    async def main(server: Server) -> None:
        network = Network(server, tmp_path / "net.sock")
        async with network.up(), counters(network.address, mode=mode, deadline_s=0.25) as store:
            quota = budget(100)
            store.spent("before", want(quota, 0), 70)
            network.cut()
            store.spent("meanwhile", want(quota, 0), 70)
            while store.available:
                await store.take("probe", [want(quota, 50)])
            network.mend()
            await until_ready(store)
            await store.drain()
            assert [one.used for one in await store.read([want(quota)])] == [140]

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_what_is_there_already_is_held_beyond_what_is_allowed_and_given_back_once(
    mode: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        gauge = Quota("at once", Gauge(2))
        async with counters(server.address, mode=mode) as store:

            async def used() -> int:
                (reading,) = await store.read([want(gauge)])
                return reading.used

            async def until_used(count: int) -> None:
                while await used() != count:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

            held = [store.hold(f"late{n}", [want(gauge)]) for n in range(3)]
            await until_used(3)
            assert isinstance(await store.take("r1", [want(gauge)]), Refused)
            for flushed in (False, True):
                if flushed:
                    server.say("FLUSHALL")
                    while store.available:  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
                    await until_ready(store)
                await until_used(3)
            for one in held:
                store.give_back(one, [0])
            await store.drain()
            assert await used() == 0
            assert isinstance(await store.take("r2", [want(gauge)]), Taken)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))
