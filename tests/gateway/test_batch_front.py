"""Files and batches by the official client, over real sockets, through a simulated provider."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from tests.gateway.batched import HALF, LINES, batched, client, engine, line, put, settled, through
from tests.gateway.rig import Gateway, run, until

from tidegate.core.receipt_cost import cost_nanousd
from tidegate.gateway.batch_front import UPLOADS, leave_to_send
from tidegate.gateway.http.spools import Spools
from tidegate.gateway.key_rate import KeyRate


def test_the_whole_loop_prices_each_line_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api, metadata={"job": "nightly"})
            assert batch.status == "completed"
            assert batch.metadata == {"job": "nightly"}
            assert batch.request_counts.completed == 5
            assert settled(it) == []
            text = (await api.files.content(batch.output_file_id)).content
            rows = [msgspec.json.decode(one) for one in text.splitlines()]
            assert {row["custom_id"] for row in rows} == {one["custom_id"] for one in LINES}
            receipts = settled(it)
            assert len({one.id for one in receipts}) == len(receipts) == 5
            for one in receipts:
                usage = next(
                    row["response"]["body"]["usage"]
                    for row in rows
                    if row["custom_id"] == one.attributes["custom_id"]
                )
                assert one.output_tokens == usage["completion_tokens"] == 7
                assert one.total_input_tokens == usage["prompt_tokens"]
                assert one.cost_nanousd == cost_nanousd(one, HALF)
                assert one.cost_nanousd > 0
                assert (one.route, one.target, one.team) == ("small", "small", "team-a")
                assert (one.purpose, one.priority, one.status) == ("batch_line", "batch", 200)
                assert one.price_version == "plan:test x0.5"
            again = (await api.files.content(batch.output_file_id)).content
            assert again == text
            assert len(settled(it)) == 5
            assert it.world.batches.lines == {("small", "settled"): 5}
            counters = it.vitals.status().counters
            assert counters["tidegate_batches_created_total|target=small"] == 1
            assert counters["tidegate_batch_lines_total|target=small|outcome=settled"] == 5

    run(main())


def test_the_example_of_the_page_runs_as_it_stands(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (repository / "docs/batches.md").read_text()
    code = page.partition("```python\n")[2].partition("```")[0]
    row = page.partition("```json\n")[2].partition("```")[0]
    (tmp_path / "requests.jsonl").write_text(row)
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, _):
            address = f"http://{it.address[0]}:{it.address[1]}/v1"
            own = code.replace("http://127.0.0.1:4000/v1", address).replace("sk-tg-...", it.key)
            assert own.count(it.key) == own.count(address) == 1
            names: dict[str, Any] = {"print": printed.append, "open": opened}
            await asyncio.to_thread(exec, compile(own, "batches.md", "exec"), names)
            await asyncio.to_thread(names["client"].close)
            (receipt,) = settled(it)
            assert receipt.attributes["custom_id"] == "q-1"

    files: list[Any] = []

    def opened(name: str, mode: str) -> Any:
        files.append(Path(name).open(mode))  # noqa: SIM115 - closed below
        return files[-1]

    run(main())
    files[0].close()
    assert [msgspec.json.decode(one)["custom_id"] for one in printed] == ["q-1"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/batches", "GET, POST"),
        ("POST", "/v1/batches/batch_x", "GET"),
        ("GET", "/v1/batches/batch_x/cancel", "POST"),
        ("PUT", "/v1/files", "GET, POST"),
        ("POST", "/files/file-x", "GET, DELETE"),
        ("POST", "/v1/files/file-x/content", "GET"),
    ],
)
def test_a_path_says_what_it_takes(tmp_path: Path, method: str, path: str, allowed: str) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, _):
            reply = await it.ask(path, b"", method=method)
            assert (reply.status, reply.headers["allow"]) == (405, allowed)
            for other in ("/v1/files/", "/v1/files/a/b", "/v1/batches/a/content", "/v1/batchesx"):
                assert (await it.ask(other, b"")).status == 404

    run(main())


def test_without_a_key_nothing_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, _):
            for path in ("/v1/files", "/v1/batches", "/v1/files/file-x/content"):
                assert (await it.ask(path, b"{}", {})).status == 401
            assert it.world.listener.refusals["missing_api_key"] == 3
            assert settled(it) == []

    run(main())


def test_a_key_that_asks_without_end_is_told_to_wait(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            it.world.batches.rate = KeyRate(0.001, 2, "ask about files and batches")
            for _ in range(2):
                await api.batches.list()
            with pytest.raises(openai.RateLimitError, match="2 at once"):
                await api.batches.list()
            async with client(it, it.store.add()) as other:
                await other.batches.list()

    run(main())


async def offered(it: Gateway, headers: dict[str, str], more: bytes = b"") -> bytes:
    """What is answered to the head of a long file, of whose body only this much comes."""
    reader, writer = await it.connect()
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    head = f"POST /v1/files HTTP/1.1\r\nhost: a\r\n{''.join(lines)}\r\n"
    writer.write(head.encode() + more)
    try:
        return await reader.readuntil(b"\r\n")
    finally:
        writer.close()


def test_nothing_of_a_file_is_taken_from_whoever_may_not_send_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            spools = it.world.listener.spools = Spools(UPLOADS, tmp_path)
            spools.leave = partial(leave_to_send, it.world)
            form = {"content-type": "multipart/form-data; boundary=b", "content-length": "9000000"}
            good = {"authorization": f"Bearer {it.key}", **form}
            stranger = {**good, "authorization": "Bearer sk-tg-none"}
            elsewhere = {"authorization": f"Bearer {it.store.add(routes=('else',))}", **form}
            for headers, status in (
                (form, b"401"),
                (stranger, b"401"),
                (elsewhere, b"403"),
                ({**good, "content-type": "text/plain"}, b"400"),
                ({**good, "content-length": "900000000"}, b"413"),
                ({**stranger, "expect": "100-continue"}, b"401"),
                ({**good, "expect": "100-continue"}, b"100"),
            ):
                assert (await offered(it, headers)).split()[1] == status, headers
            await until(lambda: not it.world.listener.connections)
            assert spools.size == 0
            # What came behind the head before anybody knew whose it is, is not kept either.
            assert b" 401 " in await offered(it, stranger, b"x" * 400_000)
            await until(lambda: not it.world.listener.connections)
            assert spools.size == 0
            many = [line(0, user="x" * 900) | {"custom_id": f"c-{n}"} for n in range(600)]
            file = await put(api, many)
            assert file.purpose == "batch"
            assert spools.size == 0

    run(main())


def test_one_team_does_not_take_all_the_room(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, _):
            spools = it.world.listener.spools = Spools(UPLOADS, tmp_path)
            spools.leave = partial(leave_to_send, it.world)
            size = spools.max_file_bytes
            form = {"content-type": "multipart/form-data; boundary=b", "content-length": str(size)}
            good = {"authorization": f"Bearer {it.key}", **form}
            other = {"authorization": f"Bearer {it.store.add(team='team-b')}", **form}
            head = "".join(f"{name}: {value}\r\n" for name, value in good.items())
            sending = []
            for _ in range(2):
                reader, writer = await it.connect()
                writer.write(f"POST /v1/files HTTP/1.1\r\nhost: a\r\n{head}\r\nab".encode())
                sending.append((reader, writer))
            await until(lambda: spools.size == 2 * size)
            assert b" 429 " in await offered(it, good)
            assert b" 100 " in await offered(it, {**other, "expect": "100-continue"})
            for _, writer in sending:
                writer.close()
            await until(lambda: spools.size == 0)

    run(main())
