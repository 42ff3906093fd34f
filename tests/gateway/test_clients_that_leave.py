"""Clients that leave, and providers that cannot be reached: every codec, every caller's dialect."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.fault_rig import DIALECTS, Case, Kept, Step, cases, kept, target_of
from tests.gateway.fault_table import begun, half
from tests.gateway.provider_wires import BY_CODEC
from tests.gateway.rig import gateway, run, until
from tests.gateway.upstream import Upstream

from tidegate.core.plan import Target

CODECS = sorted(BY_CODEC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with kept(tmp_path_factory.mktemp("faults"), CODECS) as it:
        yield it


async def leave(running: Kept, case: Case, steps: Sequence[Step], chunks: int) -> None:
    """Asks, waits until the provider has said its part, and is gone."""
    rig = running.rig
    await rig.act([*steps, "hang"])
    before = len(rig.up.exchanges)
    reader, writer = await rig.it.connect()
    writer.write(rig.it.request(DIALECTS[case.dialect], case.body()))
    await rig.hanging.wait()
    if chunks:
        await reader.readuntil(b"two ")
    writer.transport.abort()
    [exchange] = rig.up.exchanges[before:]
    await exchange.closed.wait()
    receipt = await rig.settled()
    assert (receipt.error_code, receipt.cancelled_by) == ("client_closed", "client")
    assert receipt.error_fault == "caller"
    assert receipt.content_chunks == chunks and receipt.stream == case.streamed
    if chunks:
        assert receipt.output_tokens == chunks and receipt.tokens_estimated
        assert receipt.cost_nanousd
    else:  # nobody knows what was produced
        assert receipt.output_tokens is None and receipt.cost_nanousd is None
        assert receipt.most_nanousd


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("streamed", [True, False])
def test_who_leaves_before_the_first_token(running: Kept, codec: str, streamed: bool) -> None:
    for case in cases(codec, streamed):
        running.run(leave(running, case, [], 0))
        if streamed:
            running.run(leave(running, case, begun(case.wire), 0))


@pytest.mark.parametrize("codec", CODECS)
def test_who_leaves_in_mid_stream(running: Kept, codec: str) -> None:
    for case in cases(codec, streamed=True):
        running.run(leave(running, case, begun(case.wire, 2), 2))


@pytest.mark.parametrize("codec", CODECS)
def test_who_leaves_while_a_whole_answer_is_made(running: Kept, codec: str) -> None:
    for case in cases(codec, streamed=False):
        running.run(leave(running, case, [half(case.wire)], 0))


def over_tls(one: Target) -> Target:
    return replace(one, replicas=(replace(one.replicas[0], scheme="https"),))


@pytest.mark.parametrize("streamed", [True, False])
def test_who_cannot_be_reached_is_told_of_in_every_dialect(tmp_path: Path, streamed: bool) -> None:
    """A port on which nobody listens, and a plain server where TLS is spoken."""

    came: list[bytes] = []

    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read(1))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def main() -> None:
        async with Upstream() as gone:
            pass
        async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            closed = [target_of(gone.port, codec) for codec in CODECS]
            plain = [over_tls(target_of(port, codec, f"{codec}-tls")) for codec in CODECS]
            async with gateway(tmp_path, *closed, *plain, environ={"KEY": "k"}) as it:
                asked = [
                    (case, name, code)
                    for codec in CODECS
                    for case in cases(codec, streamed)
                    for name, code in (
                        (codec, "upstream_unreachable"),
                        (f"{codec}-tls", "upstream_tls"),
                    )
                ]
                for case, name, code in asked:
                    body = {**case.body(), "model": name}
                    reply = await it.ask(DIALECTS[case.dialect], body)
                    assert (reply.status, reply.whole) == (502, True)
                    if case.dialect == "anthropic_messages":
                        assert reply.json["error"]["type"] == "api_error"
                    else:
                        assert reply.json["error"]["code"] == code
                receipts = it.receipts()
                assert [one.error_code for one in receipts] == [code for *_, code in asked]
                assert {one.cost_nanousd for one in receipts} == {0}
                pools = it.preparer.pools.values()
                await until(lambda: not any(pool.in_flight for pool in pools))
        assert set(came) == {b"\x16"}  # a handshake, and nothing in plain

    run(main())
