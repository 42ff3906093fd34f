"""Files go to a provider in pieces, and stop when it does not want them."""

import asyncio
import io
from pathlib import Path

import pytest
from tests.gateway.batched import HALF
from tests.gateway.rig import Gateway, gateway, run, target
from tests.gateway.upstream import Exchange, Upstream, whole

from tidegate.core.batches import Batches
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway import batch_transfer
from tidegate.gateway.batch_place import Account, choose
from tidegate.gateway.batch_transfer import Upload, upload
from tidegate.text.multipart import boundary_of, parts

FIELDS = (("purpose", "batch"), ("expires_after[seconds]", "3600"))


def at(it: Gateway) -> Account:
    return choose(it.world.obeyed().routes["small"].target, 0.0)


def file_of(data: bytes, size: int | None = None, filename: str = 'a"b.jsonl') -> Upload:
    return Upload(io.BytesIO(data), len(data) if size is None else size, filename, FIELDS)


def test_a_file_arrives_as_a_form(tmp_path: Path) -> None:
    async def main() -> None:
        data = b"line\r\n--\n" * 100_000
        async with (
            Upstream(whole({"id": "file-1"})) as up,
            gateway(tmp_path, target(up.port, batches=Batches(HALF))) as it,
        ):
            for _ in range(2):
                assert await upload(at(it), file_of(data), "req-1") == b'{"id":"file-1"}'
            exchange = up.exchanges[0]
            kind = (exchange.header(b"content-type") or b"").decode()
            found = {one.name: one for one in parts(exchange.body, boundary_of(kind))}
            assert found["file"].content(exchange.body) == data
            assert found["file"].filename == "a_b.jsonl"
            assert found["purpose"].content(exchange.body) == b"batch"
            assert exchange.header(b"x-request-id") == b"req-1"
            assert exchange.path == b"/v1/files"
            (pool,) = it.preparer.pools.values()
            assert (pool.in_flight, pool.open) == (0, 2)  # kept, because all of it was sent

    run(main())


@pytest.mark.parametrize("status", [401, 413, 500])
def test_what_is_refused_before_it_is_whole_stops_there(tmp_path: Path, status: int) -> None:
    async def main() -> None:
        received = 0

        async def hearing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal received
            received += len(await reader.read(1 << 16))
            writer.write(b"HTTP/1.1 %d No\r\ncontent-length: 2\r\n\r\n{}" % status)
            while data := await reader.read(1 << 16):
                received += len(data)
            writer.close()

        server = await asyncio.start_server(hearing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with (
            server,
            gateway(tmp_path, target(port, batches=Batches(HALF))) as it,
        ):
            with pytest.raises(Failure):
                await upload(at(it), file_of(b"x" * 64_000_000), "req-1")
            for _ in range(5):
                await asyncio.sleep(0.02)
            assert received < 48_000_000
            assert not it.world.calls

    run(main())


def test_who_does_not_read_or_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_transfer, "UPLOAD_S", 0.1)

    async def silent(exchange: Exchange) -> None:
        await exchange.closed.wait()

    async def main() -> None:
        async with (
            Upstream(silent) as up,
            gateway(tmp_path, target(up.port, batches=Batches(HALF))) as it,
        ):
            with pytest.raises(Failure, match="did not take the file in time"):
                await upload(at(it), file_of(b"x"), "req-1")
            await up.exchanges[0].closed.wait()
            with pytest.raises(Failure, match="cut short here"):
                await upload(at(it), file_of(b"x", size=9), "req-1")

    run(main())


def test_a_provider_that_closes_is_a_failure(tmp_path: Path) -> None:
    async def closing(exchange: Exchange) -> None:
        exchange.transport.close()

    async def main() -> None:
        async with (
            Upstream(closing) as up,
            gateway(tmp_path, target(up.port, batches=Batches(HALF))) as it,
        ):
            for _ in range(2):
                with pytest.raises(Failure):
                    await upload(at(it), file_of(b"x" * 1_000_000), "req-1")
            up.script = whole(b"{}", 404)
            with pytest.raises(Refusal, match="does not keep"):
                await upload(at(it), file_of(b"x"), "req-1")

    run(main())
