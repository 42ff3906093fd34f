"""Who spent a request's time: its phases add up, and say what its user felt."""

import asyncio
import itertools
from pathlib import Path

import pytest
from tests.gateway.rig import HELLO, gateway, run, target, until
from tests.gateway.upstream import Exchange, Upstream, streaming, whole

STREAM = {**HELLO, "stream": True}


@pytest.mark.parametrize("stream", [False, True])
def test_the_split_of_the_time_adds_up(tmp_path: Path, stream: bool) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.02)
        await (streaming(4, gap_s=0.01) if stream else whole())(exchange)

    async def main() -> None:
        async with Upstream(slow) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask(body={**HELLO, "stream": stream})
            r = await it.receipt()
            parts = (r.gateway_s, r.queue_s, r.connect_s, r.first_token_s, r.generation_s)
            assert r.total_s == pytest.approx(sum(p for p in parts if p is not None), abs=1e-9)
            assert all(p is None or p >= 0 for p in parts)
            assert (r.first_token_s is None) == (not stream)
            [attempt] = r.attempts
            assert attempt.started_s <= attempt.sent_s <= attempt.ended_s  # type: ignore[operator]

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_the_time_that_a_stale_connection_took_is_told_once(tmp_path: Path, stream: bool) -> None:
    """It is a part of reaching the provider, and stands on the attempt that it took."""

    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:

            async def close(exchange: Exchange) -> None:
                up.script = streaming(4) if stream else whole()
                exchange.transport.close()

            await it.ask()
            [pool] = it.preparer.pools.values()
            await until(lambda: pool.in_flight == 0)
            up.script = close
            await it.ask(body={**HELLO, "stream": stream})
            r = await it.receipt(2)
            stale, last = r.attempts
            assert stale.failure == "stale_connection"
            times = (stale.started_s, stale.sent_s, stale.ended_s, last.started_s, last.sent_s)
            assert None not in times
            assert list(times) == sorted(times)  # type: ignore[type-var]
            took_s = last.started_s - stale.started_s
            assert took_s > 0
            assert r.connect_s == pytest.approx(took_s + last.connect_s, abs=1e-9)
            parts = (r.gateway_s, r.queue_s, r.connect_s, r.first_token_s, r.generation_s)
            assert r.total_s == pytest.approx(sum(p for p in parts if p is not None), abs=1e-9)

    run(main())


def test_what_the_user_feels_is_what_the_provider_s_own_clock_says(tmp_path: Path) -> None:
    async def main() -> None:
        script = streaming(8, gap_s=0.02)
        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask(body=STREAM)
            r = await it.receipt()
            [exchange] = up.exchanges
            times = exchange.sent_s[1:9]  # of the content tokens
            gaps = [b - a for a, b in itertools.pairwise(times)]
            assert r.content_chunks == 8
            assert r.first_token_s == pytest.approx(times[0] - exchange.received_s, abs=0.05)
            assert r.ttft_s is not None
            assert r.ttft_s >= times[0] - exchange.received_s
            assert r.itl_mean_s == pytest.approx(sum(gaps) / 7, abs=0.01)
            assert r.itl_max_s == pytest.approx(max(gaps), abs=0.05)
            assert r.output_tokens_per_s == pytest.approx(5 / sum(gaps), rel=0.3)

    run(main())


def test_a_provider_that_is_not_reached_costs_nothing_and_took_the_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            port = up.port
        async with gateway(tmp_path, target(port)) as it:
            reply = await it.ask()
            assert (reply.status, reply.code) == (502, "upstream_unreachable")
            r = await it.receipt()
            assert (r.cost_nanousd, r.input_tokens, r.output_tokens) == (0, None, None)
            assert r.attempts[0].failure == "unavailable"
            assert r.connect_s is not None
            assert r.gateway_s is not None
            assert r.total_s == pytest.approx(r.gateway_s + r.connect_s, abs=1e-3)

    run(main())
