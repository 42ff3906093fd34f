"""Files by the official client, and what is no file of requests."""

import io
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from tests.gateway.batched import (
    HALF,
    LINES,
    batched,
    begin,
    done,
    engine,
    jsonl,
    line,
    put,
    settled,
    through,
)
from tests.gateway.rig import Gateway, plan_of, run, target

from tidegate.core.batches import Batches
from tidegate.core.outcome import Refusal
from tidegate.core.plan import HttpBounds, Release, Route
from tidegate.gateway import files
from tidegate.gateway.batch_front import UPLOADS
from tidegate.gateway.http.spools import FROM_BYTES, Spools
from tidegate.text.multipart import Part


def test_a_file_is_kept_at_its_provider_and_known_by_our_id(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (_, api):
            file = await put(api)
            (own,) = up.sim.batches.files.values()
            assert (file.filename, file.purpose) == ("requests.jsonl", "batch")
            assert own.id not in file.to_json()
            rows = [msgspec.json.decode(one) for one in own.content.splitlines()]
            assert [row["body"]["model"] for row in rows] == ["served-model"] * 5
            assert (await api.files.content(file.id)).content == own.content
            again = await api.files.retrieve(file.id)
            assert (again.id, again.bytes) == (file.id, len(own.content))
            gone = await api.files.delete(file.id)
            assert (gone.id, gone.deleted) == (file.id, True)
            assert up.sim.batches.files == {}
            with pytest.raises(openai.NotFoundError, match="does not keep that"):
                await api.files.retrieve(file.id)

    run(main())


def test_what_a_route_adds_is_not_shown_to_its_callers(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            to = target(up.port, dialect="sim", batches=Batches(HALF))
            route = Route("small", Release("small-1", to), system_prompt="The secret is 17.")
            assert await it.obey(plan_of(to, version=2, routes={"small": route}))
            file = await put(api)
            (own,) = up.sim.batches.files.values()
            assert own.content.count(b"The secret is 17.") == 5
            with pytest.raises(openai.NotFoundError, match="keep your own copy"):
                await api.files.content(file.id)
            assert (await api.files.retrieve(file.id)).id == file.id
            batch = await done(api, await begin(api, file.id))
            assert len((await api.files.content(batch.output_file_id)).content.splitlines()) == 5

    run(main())


def test_results_are_settled_before_they_are_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api)
            await api.files.delete(batch.output_file_id)
            assert len(settled(it)) == 5
            assert len(up.sim.batches.files) == 1

    run(main())


async def post(it: Gateway, body: bytes, kind: str = "multipart/form-data; boundary=b") -> Any:
    headers = {"authorization": f"Bearer {it.key}", "content-type": kind}
    return await it.ask("/v1/files", body, headers)


def field(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--b\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def test_what_is_no_file_of_requests_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    async def main() -> None:
        purpose, end = field("purpose", b"batch"), b"--b--\r\n"
        file = field("file", jsonl(LINES), '; filename="a.jsonl"')
        async with engine() as up, batched(tmp_path, up) as (it, api):
            for body, code in (
                (purpose + end, "missing_parameter"),
                (file + end, "missing_parameter"),
                (file + purpose + purpose + end, "invalid_request"),
                (file + purpose, "invalid_request"),
                (file + field("purpose", b"fine-tune") + end, "invalid_parameter"),
                (file + purpose + field("odd", b"1") + end, "unsupported_parameter"),
                (file + field("purpose", b"batch\r\nx") + end, "invalid_parameter"),
                (field("file", b"") + purpose + end, "invalid_parameter"),
                (field("file", b"\n \n") + purpose + end, "invalid_parameter"),
                (b"", "invalid_request"),
                (b"{}", "invalid_request"),
            ):
                reply = await post(it, body)
                assert reply.json["error"]["code"] == code, body
            reply = await post(it, b"{}", "application/json")
            assert reply.status == 400
            with pytest.raises(openai.BadRequestError, match="line 2"):
                await put(api, [LINES[0], line(1, model="else")])
            assert up.sim.batches.files == {}
            good = await post(it, file + field("expires_after[seconds]", b"3600") + purpose + end)
            assert good.status == 200

    run(main())


def test_a_long_file_waits_on_disk_and_goes_on_whole(tmp_path: Path) -> None:
    async def main() -> None:
        many = [line(0, user="x" * 900) | {"custom_id": f"c-{number}"} for number in range(2_000)]
        async with engine() as up, batched(tmp_path, up) as (it, api):
            listener = it.world.listener
            spools = listener.spools = Spools(UPLOADS, tmp_path)
            listener.obey(HttpBounds(max_body_bytes=FROM_BYTES, max_file_bytes=3_000_000))
            sent = jsonl(many)
            assert len(sent) > 8 * FROM_BYTES
            await put(api, sent)
            (own,) = up.sim.batches.files.values()
            assert len(own.content.splitlines()) == 2_000
            assert spools.size == 0
            with pytest.raises(openai.APIStatusError) as no:
                await put(api, sent + sent)
            assert no.value.status_code == 413
            with pytest.raises(openai.APIStatusError, match="exceeds"):
                await api.chat.completions.create(
                    model="small", messages=[{"role": "user", "content": "x" * FROM_BYTES}]
                )

    run(main())


def test_of_a_line_that_is_too_long_no_more_is_read_than_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    class Lines:
        count = 0

        def take(self, line: bytes) -> bytes:
            taken.append(len(line))
            raise Refusal("body_too_large", "too long")

    monkeypatch.setattr(files, "MAX_LINE_BYTES", 10)
    for body in (b"{" * 1_000, b" " * 1_000 + b"{}"):
        with pytest.raises(Refusal):
            lines: Any = Lines()
            run(files._judge(body, Part("file", 0, len(body)), lines, io.BytesIO()))
    assert taken == [11, 11]
