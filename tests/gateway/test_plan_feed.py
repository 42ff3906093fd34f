"""Plans swapped under load, keys forgotten at once, control dead and back."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.gateway.fake_control import following
from tests.gateway.reply import Reply
from tests.gateway.rig import HELLO, gateway, plan_of, run, target, until
from tests.gateway.upstream import Exchange, Upstream, stalling, whole

from tidegate.core import feed
from tidegate.core.plan import HttpBounds, JournalBounds, Plan, Tls
from tidegate.gateway import plan_feed as module
from tidegate.gateway.prepared import PreparedPlan


def test_a_request_obeys_the_plan_that_it_began_with(tmp_path: Path) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def wait(exchange: Exchange) -> None:
            await go.wait()
            await whole()(exchange)

        async with Upstream(wait) as old, Upstream() as new:  # noqa: SIM117 - the second needs the first
            async with gateway(tmp_path, target(old.port)) as it:
                asking = asyncio.ensure_future(it.ask())
                await old.arrived()
                async with following(tmp_path / "s", it) as control:
                    seq = control.publish(plan_of(target(new.port), version=2))
                    assert (await control.acked(seq)).plan_version == 2
                    assert (await it.ask()).status == 200
                    go.set()
                    assert (await asking).status == 200
                    versions = {r.id: r.plan_version for r in it.receipts()}
                    assert sorted(versions.values()) == [1, 2]
                    assert (len(old.exchanges), len(new.exchanges)) == (1, 1)
                    await until(lambda: not old.connections)  # nobody needs them any more

    run(main())


def test_a_swap_under_load_loses_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as one, Upstream() as two, gateway(tmp_path, target(one.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                done = asyncio.Event()
                statuses: list[int] = []

                async def ask() -> None:
                    while not done.is_set():
                        statuses.append((await it.ask()).status)

                asking = [asyncio.ensure_future(ask()) for _ in range(8)]
                for version in range(2, 30):
                    port = (one, two)[version % 2].port
                    await control.acked(control.publish(plan_of(target(port), version=version)))
                done.set()
                await asyncio.gather(*asking)
                assert set(statuses) == {200}
                assert len(it.receipts()) == len(statuses)
                assert len({r.plan_version for r in it.receipts()}) > 2

    run(main())


@pytest.mark.parametrize("why", ["dialect", "authorities", "bytes"])
def test_a_refused_plan_changes_nothing_and_is_said(tmp_path: Path, why: str) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                good = target(up.port, max_connections=1)
                bad = target(up.port, "bad", dialect="no_such_dialect")
                if why == "authorities":
                    replicas = (replace(bad.replicas[0], scheme="https"),)
                    tls = Tls(ca_file=str(tmp_path / "none.pem"))
                    bad = target(1, "bad", replicas=replicas, tls=tls)
                if why == "bytes":
                    seq = control.tell(feed.PlanPublished(2, Raw(msgspec.msgpack.encode([1]))))
                else:
                    seq = control.publish(plan_of(good, bad, version=2))
                ack = await control.acked(seq)
                assert ack.plan_version == 1
                assert ack.error
                [pool] = it.preparer.pools.values()
                assert pool.max_connections == 512
                assert (await it.ask()).status == 200
                good_seq = control.publish(plan_of(good, version=3))
                assert (await control.acked(good_seq)).error is None
                assert pool.max_connections == 1

    run(main())


def test_an_older_plan_is_not_taken_for_news(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it, following(tmp_path / "s", it) as control:
            await control.acked(control.publish(plan_of(target(1), version=5)))
            ack = await control.acked(control.publish(plan_of(target(2), version=4)))
            assert ack.plan_version == 5

    run(main())


def test_a_plan_that_comes_twice_at_once_is_prepared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it:
            prepare, prepared = it.preparer.prepare, []

            async def slowly(plan: Plan) -> PreparedPlan:
                prepared.append(plan.version)
                await asyncio.sleep(0.01)
                return await prepare(plan)

            monkeypatch.setattr(it.preparer, "prepare", slowly)
            plan = feed.PlanPublished(2, Raw(msgspec.msgpack.encode(plan_of(target(2), version=2))))
            acks = await asyncio.gather(*(it.feed.apply(feed.Entry(n, plan)) for n in (1, 1)))
            assert [ack.plan_version for ack in acks] == [2, 2]
            assert prepared == [2]

    run(main())


def test_a_revoked_key_is_refused_at_once_on_two_gateways(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream() as up,
            gateway(tmp_path / "a", target(up.port)) as one,
            gateway(tmp_path / "b", target(up.port)) as two,
        ):
            two.store.rows, two.key = one.store.rows, one.key
            async with following(tmp_path / "s", one, two) as control:
                assert [(await it.ask()).status for it in (one, two)] == [200, 200]
                key_id = one.key[6:14]
                one.store.rows[key_id] = replace(one.store.rows[key_id], revoked_at_s=1.0)
                await control.acked(control.tell(feed.KeyChanged(key_id)), 2)
                assert [(await it.ask()).code for it in (one, two)] == ["revoked_api_key"] * 2

    run(main())


def test_control_dies_and_comes_back_and_is_asked_for_what_was_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECONNECT_S", 0.01)

    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                await control.acked(control.tell(feed.KeyChanged("aaaaaaaa")))
                await control.stop()
                await until(lambda: not it.feed.connected)
                assert (await it.ask()).status == 200
                await control.start()
                await until(lambda: len(control.hellos()) == 2)
                assert [hello.last_seq for hello in control.hellos()] == [0, 1]
                await control.acked(control.tell(feed.Forget()))
                assert len(it.world.keys) == 0

    run(main())


def test_a_silent_control_is_a_dead_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_S", 0.1)
    monkeypatch.setattr(module, "RECONNECT_S", 0.01)

    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it, following(tmp_path / "s", it) as control:
            await until(lambda: len(control.hellos()) >= 2)

    run(main())


def test_what_is_recorded_frees_the_answers_that_wait_for_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with (  # noqa: SIM117 - the second needs the first
            Upstream() as up,
            gateway(tmp_path, target(up.port), journal=JournalBounds(durability="store")) as it,
        ):
            async with following(tmp_path / "s", it) as control:
                asking = asyncio.ensure_future(it.ask())
                await it.receipt()
                await asyncio.sleep(0.02)
                assert not asking.done()
                control.send(feed.Recorded(1, 1 << 30))
                assert (await asking).status == 200

    run(main())


def test_the_status_tells_of_pools_and_refusals(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(1)) as up, gateway(tmp_path, target(up.port)) as it:  # noqa: SIM117 - the second needs the first
            async with following(tmp_path / "s", it) as control:
                asking = asyncio.ensure_future(it.ask(body={**HELLO, "stream": True}))
                await until(lambda: it.world.relays)
                await it.ask(headers={})
                gauges = it.vitals.status().gauges
                assert gauges["tidegate_streams_open"] == 1.0
                [pool] = [v for k, v in gauges.items() if k.startswith("tidegate_pool_in_flight")]
                assert pool == 1.0
                counters = it.vitals.status().counters
                assert counters["tidegate_refused_total|code=missing_api_key"] == 1.0
                assert any(isinstance(m, feed.Status) for m in control.told)
                asking.cancel()

    run(main())


def test_a_key_revoked_before_this_gateway_joined_is_not_known_from_before(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask()).status == 200  # control is away; the plan came from disk
            [record] = it.store.rows.values()
            it.store.rows[record.id] = replace(record, revoked_at_s=1.0)
            assert (await it.ask()).status == 200  # nobody has told
            async with following(tmp_path / "s", it) as control:
                plan = plan_of(target(up.port), version=1)
                await control.acked(control.publish(plan))
                assert (await it.ask()).code == "revoked_api_key"

    run(main())


def test_open_connections_obey_a_new_bound_from_their_next_request(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            reader, writer = await it.connect()
            for version, most, status in ((2, 1024, 200), (3, 32, 413)):
                http = HttpBounds(max_body_bytes=most)
                assert await it.obey(plan_of(target(up.port), version=version, http=http))
                writer.write(it.request(close=False))
                head = Reply(await reader.readuntil(b"\r\n\r\n"))
                assert head.status == status
                await reader.readexactly(int(head.headers["content-length"]))
            writer.transport.abort()

    run(main())
