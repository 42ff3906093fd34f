"""A credential that is refused rests, longer each time, and one that is throttled as it is told."""

import asyncio
from pathlib import Path

from tests.gateway.rig import HELLO, gateway, run, until
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Exchange, Upstream, answer_bytes, stalling, whole

from tidegate.core import clock
from tidegate.core.secret import SecretRef
from tidegate.gateway.breaker import Tripped
from tidegate.gateway.credential import FIRST_REST_S, MAX_REST_S, Credential

KEYS = (SecretRef(env="A"), SecretRef(env="B"))
ENVIRON = {"A": "key-a", "B": "key-b"}


def test_it_rests_twice_as_long_each_time_until_it_is_accepted() -> None:
    it = Credential("${A}", None, Tripped())
    now_s, waits = 0.0, []
    for _ in range(8):
        it.refused(now_s)
        it.refused(now_s + 1.0)  # sent before it rested
        waits.append(it.wait_s(1, now_s))
        now_s = it.rests_until_s
        assert it.wait_s(1, now_s) == 0.0
    assert waits[:3] == [FIRST_REST_S, 2 * FIRST_REST_S, 4 * FIRST_REST_S]
    assert waits[-1] == MAX_REST_S
    it.accepted()
    it.refused(now_s)
    assert it.wait_s(1, now_s) == FIRST_REST_S


def test_an_answer_to_what_was_sent_before_it_was_refused_does_not_wake_it() -> None:
    it = Credential("${A}", None, tripped := Tripped())
    it.refused(10.0)
    it.accepted(9.0)
    assert (it.wait_s(1, 10.0), tripped.refused) == (FIRST_REST_S, 1)
    it.accepted(11.0)
    assert (it.wait_s(1, 11.0), tripped.refused) == (0.0, 0)


def test_a_stream_that_outlives_its_credential_s_revocation_does_not_wake_it(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with Upstream(stalling(1)) as up:
            one = at(up, "a")
            async with gateway(tmp_path, one, routes=routed(one)) as it:
                streamed = asyncio.ensure_future(it.ask(body={**HELLO, "stream": True}))
                before = await up.arrived()
                await until(lambda: any(relay.chunks for relay in it.world.relays))
                up.script = whole({"error": {"message": "revoked"}}, 401)
                assert (await it.ask()).code == "upstream_auth"
                before.end()
                assert (await streamed).whole
                assert it.world.plan is not None
                [replica] = it.world.plan.routes["small"].target.replicas
                assert replica.credential.wait_s(1, clock.monotonic_s()) > 0

    run(main())


def test_what_a_provider_throttles_rests_as_it_asks() -> None:
    it = Credential("${A}", None, Tripped())
    assert it.wait_s(1, 0.0) == 0.0
    it.rate.refused(7.0, 0.0)
    assert it.wait_s(1, 1.0) == 6.0


def test_the_others_serve_while_one_is_revoked_or_throttled(tmp_path: Path) -> None:
    def only(good: bytes, status: int) -> Upstream:
        async def script(exchange: Exchange) -> None:
            if exchange.header(b"authorization") == b"Bearer " + good:
                await whole()(exchange)
            else:
                exchange.send(answer_bytes(status, b'{"error": {"message": "no"}}'))

        return Upstream(script)

    async def main() -> None:
        for status in (401, 403, 429):
            async with only(b"key-b", status) as up:
                both = at(up, "a", credential=KEYS[0], more_credentials=KEYS[1:])
                folder = tmp_path / str(status)
                async with gateway(folder, both, environ=ENVIRON, routes=routed(both)) as it:
                    assert [(await it.ask()).status for _ in range(6)] == [200] * 6
                    seen = [exchange.header(b"authorization") for exchange in up.exchanges]
                    assert seen.count(b"Bearer key-a") == 1
                    attempts = (await it.receipt()).attempts
                    assert [a.credential for a in attempts] == ["${A}", "${B}"]

    run(main())


def test_however_many_are_revoked_the_one_that_is_good_serves(tmp_path: Path) -> None:
    names = "ABCDE"
    keys = tuple(SecretRef(env=name) for name in names)
    environ = {name: f"key-{name}" for name in names}

    async def script(exchange: Exchange) -> None:
        if exchange.header(b"authorization") == b"Bearer key-E":
            await whole()(exchange)
        else:
            exchange.send(answer_bytes(401, b'{"error": {"message": "no"}}'))

    async def main() -> None:
        async with Upstream(script) as up:
            pool = at(up, "a", credential=keys[0], more_credentials=keys[1:])
            async with gateway(tmp_path, pool, environ=environ, routes=routed(pool)) as it:
                assert [(await it.ask()).status for _ in range(4)] == [200] * 4
                assert len(up.exchanges) <= 4 + len(keys) - 1

    run(main())


def test_one_alone_that_is_refused_is_not_asked_before_a_fallback(tmp_path: Path) -> None:
    async def main() -> None:
        no = whole({"error": {"message": "no"}}, 401)
        async with Upstream(no) as bad, Upstream() as good:
            only = at(bad, "a")
            routes = routed(only, unavailable=(at(good, "b"),), rate_limited=(at(bad, "c"),))
            async with gateway(tmp_path, only, routes=routes) as it:
                assert [(await it.ask()).status for _ in range(40)] == [200] * 40
                assert len(bad.exchanges) == 1
                assert it.world.plan is not None
                ready = it.world.plan.routes["small"].target
                assert ready.troubled
                ready.replicas[0].credential.accepted()
                assert not ready.troubled

    run(main())


def test_those_that_are_there_share_the_requests(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            three = at(up, "a", credential=SecretRef(env="GONE"), more_credentials=KEYS)
            async with gateway(tmp_path, three, environ=ENVIRON, routes=routed(three)) as it:
                for _ in range(6):
                    assert (await it.ask()).status == 200
                seen = [exchange.header(b"authorization") for exchange in up.exchanges]
                assert seen.count(b"Bearer key-a") == seen.count(b"Bearer key-b") == 3
                assert "key-a" not in str(await it.receipt())

    run(main())
