"""Batches by the official client: begun, listed and called back by those whose they are."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from msgspec.structs import replace
from tests.gateway.batched import (
    CHAT,
    HALF,
    LINES,
    batched,
    begin,
    client,
    done,
    engine,
    put,
    settled,
    through,
)
from tests.gateway.guarded import PII, with_guardrails
from tests.gateway.rig import gateway, plan_of, run, target, until
from tests.gateway.upstream import Upstream, whole

from tidegate.core.batches import Batches
from tidegate.gateway import batches
from tidegate.gateway.batches import INPUT, OWNER


def test_a_batch_whose_maker_has_left_is_looked_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = batches.sent

    async def late(*asked: Any, **more: Any) -> bytes:
        await asyncio.sleep(0.2)
        return await real(*asked, **more)

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            file = await put(api)
            monkeypatch.setattr(batches, "sent", late)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await begin(api, file.id)
            await until(lambda: it.world.batches.watched)
            (own,) = up.sim.batches.batches.values()
            assert [one.own for one, _ in it.world.batches.watched.values()] == [own.id]
            await until(lambda: not it.world.batches.beginning)

    run(main())


def test_nobody_else_sees_cancels_or_reads_a_batch(tmp_path: Path) -> None:
    """The canary: no id of one tenant is worth anything to another, and no list names it."""

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            file = await put(api)
            batch = await done(api, await begin(api, file.id))
            assert (await api.files.retrieve(file.id)).id == file.id
            mate = it.store.add(name="mate")
            async with client(it, mate) as friend:
                assert (await friend.batches.retrieve(batch.id)).id == batch.id
                assert [one.id async for one in friend.batches.list()] == [batch.id]
            own = next(iter(up.sim.batches.batches.values()))
            for stranger in (
                it.store.add(team="team-b"),
                it.store.add(customer="acme"),
                it.store.add(routes=("other",)),
            ):
                async with client(it, stranger) as other:
                    assert [one async for one in other.batches.list()] == []
                    for id in (batch.id, own.id, batch.id[:-2] + "xx"):
                        for act in (other.batches.retrieve, other.batches.cancel):
                            with pytest.raises(openai.NotFoundError, match="no such batch"):
                                await act(id)
                    files = (file.id, batch.output_file_id, own.output_file_id, own.input_file_id)
                    for id in files:
                        for act in (other.files.retrieve, other.files.content, other.files.delete):
                            with pytest.raises(openai.NotFoundError, match="no such file"):
                                await act(id)
                        with pytest.raises(openai.NotFoundError):
                            await begin(other, id)
            async with client(it, "sk-tg-unknown") as nobody:
                with pytest.raises(openai.AuthenticationError):
                    await nobody.batches.list()
            assert len(up.sim.batches.batches) == 1
            assert settled(it) == []

    run(main())


def test_another_gateway_knows_them_and_counts_each_line_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up:
            async with batched(tmp_path / "one", up) as (one, api):
                batch = await through(api)
                key, rows = one.key, one.store.rows
                text = (await api.files.content(batch.output_file_id)).content
                first = {it.id for it in settled(one)}
            # Another process, or the same after a restart: only keys and pepper are shared.
            async with batched(tmp_path / "two", up) as (two, _):
                two.store.rows.update(rows)
                async with client(two, key) as api:
                    assert (await api.batches.retrieve(batch.id)).id == batch.id
                    assert [it.id async for it in api.batches.list()] == [batch.id]
                    assert (await api.files.content(batch.output_file_id)).content == text
                assert {it.id for it in settled(two)} == first
                assert len(first) == 5

    run(main())


def test_a_caller_sees_nothing_of_ours_in_a_batch(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (_, api):
            file = await put(api)
            batch = await begin(api, file.id)
            assert (batch.metadata, batch.input_file_id) == (None, file.id)
            (own,) = up.sim.batches.batches.values()
            assert set(own.metadata) == {OWNER, INPUT}
            assert max(len(value) for value in own.metadata.values()) <= 512
            assert own.id not in batch.to_json()
            assert own.input_file_id not in batch.to_json()

    run(main())


def test_lists_go_on_where_they_ended(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            file = await put(api, LINES[:1])
            begun = [(await begin(api, file.id)).id for _ in range(5)]
            async with client(it, it.store.add(team="team-b")) as other:
                foreign = await put(other, LINES[:1])
                for _ in range(3):
                    await begin(other, foreign.id)
            page = await api.batches.list(limit=2)
            assert (len(page.data), page.has_more) == (2, True)
            assert [one.id async for one in api.batches.list(limit=2)] == begun[::-1]
            for query in ({"limit": "0"}, {"limit": "101"}, {"x": "1"}):
                with pytest.raises(openai.BadRequestError, match="takes `limit`"):
                    await api.batches.list(extra_query=query)
            with pytest.raises(openai.NotFoundError):
                await api.batches.list(after="batch_tgnone")

    run(main())


def test_a_batch_called_back_tells_what_was_not_served(tmp_path: Path) -> None:
    async def main() -> None:
        many = [{**LINES[0], "custom_id": f"c-{number}"} for number in range(40)]
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await begin(api, (await put(api, many)).id)
            assert (await api.batches.cancel(batch.id)).status == "cancelling"
            batch = await done(api, batch)
            assert batch.status == "cancelled"
            await api.files.content(batch.error_file_id)
            codes = {(one.error_code, one.cost_nanousd) for one in settled(it)}
            assert codes == {("client_closed", 0)}
            assert it.world.batches.lines["small", "failed"] == len(settled(it))

    run(main())


def test_what_cannot_begin_says_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            file = await put(api)
            for fields, why in (
                ({"endpoint": "/v1/embeddings"}, "that of the file's lines: /v1/chat/completions"),
                ({"metadata": {"tidegate_x": "1"}}, "are ours"),
                ({"metadata": {f"k{n}": "" for n in range(15)}}, "at most 14"),
                ({"metadata": {"a": "x" * 513}}, "at most 14"),
                ({"extra_body": {"odd": 1}}, "send"),
                ({"completion_window": 24}, "send"),
            ):
                with pytest.raises(openai.BadRequestError, match=why):
                    await begin(api, file.id, **fields)
            it.journal.full = True
            with pytest.raises(openai.InternalServerError, match="cannot record"):
                await begin(api, file.id)
            assert up.sim.batches.batches == {}

    run(main())


def test_a_target_that_is_gone_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api)
            assert await it.obey(plan_of(target(up.port, "other"), version=2))
            with pytest.raises(openai.NotFoundError, match="no longer in the plan"):
                await api.batches.retrieve(batch.id)

    run(main())


def test_a_plan_that_came_after_the_file_says_no(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            file = await put(api)
            small = target(up.port, dialect="sim", batches=Batches(HALF))
            plan = plan_of(small, version=2)
            assert await it.obey(with_guardrails(plan, [PII]))
            with pytest.raises(openai.BadRequestError, match="guardrails look through"):
                await begin(api, file.id)
            routes = {"other": replace(plan.routes["small"], name="other")}
            assert await it.obey(replace(plan, version=3, routes=routes))
            with pytest.raises(openai.NotFoundError, match="no such model any more"):
                await begin(api, file.id)
            assert up.sim.batches.batches == {}

    run(main())


def test_a_batch_that_may_have_begun_is_not_begun_again_unseen(tmp_path: Path) -> None:
    async def main() -> None:
        made = {"id": "file-up", "object": "file", "bytes": 1, "filename": "f"}
        fields = {"dialect": "openai", "batches": Batches(HALF)}
        async with (
            Upstream(whole(made)) as up,
            gateway(tmp_path, target(up.port, **fields)) as it,
            client(it) as api,
        ):
            file = await put(api, LINES[:1])
            retrying = api.with_options(max_retries=3)
            for script in (whole({"error": {"message": "?"}}, 500), whole(b"no"), closing):
                up.exchanges.clear()
                up.script = script
                with pytest.raises(openai.InternalServerError, match="may have been created"):
                    await begin(retrying, file.id)
                assert len(up.exchanges) == 1
            up.exchanges.clear()
            up.script = whole({"error": {"message": "no such file"}}, 400)
            with pytest.raises(openai.BadRequestError) as no:
                await begin(retrying, file.id)
            assert "may have been created" not in str(no.value)
            sent = msgspec.json.decode(up.exchanges[0].body)
            assert (sent["endpoint"], sent["input_file_id"]) == (CHAT, "file-up")

    run(main())


async def closing(exchange: object) -> None:
    exchange.transport.close()  # type: ignore[attr-defined]
