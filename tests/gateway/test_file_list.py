"""A caller's files, by the official client: its own, all of them, on whichever page."""

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.gateway.batched import HALF, batched, begin, client, engine, line, put, through
from tests.gateway.rig import gateway, run, target
from tests.gateway.test_batch_restore import Past

from tidegate.core.batches import Batches
from tidegate.core.plan import Replica
from tidegate.core.purpose import BATCH_HOLD
from tidegate.core.secret import SecretRef
from tidegate.gateway.batch_desk import BatchDesk
from tidegate.sim import batches as of_sim


async def ids(api: openai.AsyncOpenAI, **query: Any) -> list[str]:
    return [one.id async for one in api.files.list(**query)]


async def several(api: openai.AsyncOpenAI) -> tuple[list[str], list[str]]:
    """Two files of requests and the results of one, the newest first, and all of that."""
    batch = await through(api, [line(0), line(1, model="small", max_tokens=3)])
    alone = await put(api)
    return [alone.id, batch.input_file_id], [alone.id, batch.output_file_id, batch.input_file_id]


def test_all_of_ones_own_and_nobody_elses(tmp_path: Path) -> None:
    """Files lie in one account between each other's, and beside those that came another way."""

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            whose = ({}, {"team": "team-b"}, {"customer": "acme"}, {"routes": ("else",)})
            keys = [it.store.add(**fields) for fields in whose]
            asked, every = await several(api)
            async with client(it, keys[1]) as other:
                theirs = await several(other)
            up.sim.batches._keep("strange.jsonl", "batch", b"{}")
            mine = await put(api)
            asked, every = [mine.id, *asked], [mine.id, *every]
            for limit in (1, 2, 3, 100):
                assert await ids(api, limit=limit) == every
                assert await ids(api, limit=limit, purpose="batch") == asked
                async with client(it, keys[1]) as other:
                    assert await ids(other, limit=limit) == theirs[1]
            assert await ids(api, order="asc", limit=2) == every[::-1]
            assert await ids(api, purpose="batch_output") == [every[2]]
            async with client(it, keys[0]) as mate:  # another key of the team
                assert await ids(mate) == every
            for key in keys[2:]:
                async with client(it, key) as other:
                    assert await ids(other) == []
                    with pytest.raises(openai.NotFoundError):
                        await ids(other, after=mine.id)
            told = {one.id: one async for one in api.files.list()}
            assert told[mine.id] == await api.files.retrieve(mine.id)
            await api.files.delete(mine.id)
            assert await ids(api) == every[1:]

    run(main())


def test_a_gateway_that_starts_anew_has_the_ledger(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            _, every = await several(api)
            it.world.batches = BatchDesk()
            past = it.world.past = Past().take(it)
            assert await ids(api) == every
            notes = [one for one in it.receipts() if "file" in (one.attributes or {})]
            assert [one.attributes["file"] for one in notes] == [
                own for own, file in up.sim.batches.files.items() if file.purpose == "batch"
            ]
            assert {(one.purpose, one.cost_nanousd, one.most_nanousd) for one in notes} == {
                (BATCH_HOLD, 0, None)
            }

            async def away(*asked: Any, **more: Any) -> list[Any]:
                raise OSError

            past.holds = away
            with pytest.raises(openai.InternalServerError, match="cannot be read now"):
                await ids(api)

    run(main())


def test_a_provider_that_passes_over_where_to_begin_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = of_sim._page

    def deaf(found: list[Any], said: dict[str, str], limit: str) -> dict[str, Any]:
        return real(found, {**said, "after": ""}, limit)

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (_, api):
            _, every = await several(api)
            monkeypatch.setattr(of_sim, "_page", deaf)
            async with asyncio.timeout(10):
                assert await ids(api, limit=1) == every

    run(main())


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=123456", "limit=1&limit=x", "order=up", "purpose=assistants", "x=1"]
)
def test_what_cannot_be_asked_is_refused(tmp_path: Path, query: str) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, _):
            reply = await it.ask(f"/v1/files?{query}", method="GET")
            assert reply.status == 400
            assert "`purpose`" in reply.json["error"]["message"]

    run(main())


def test_engines_whose_replicas_have_one_name_are_two_places(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as one, engine() as other:
            targets = [
                target(
                    up.port,
                    name,
                    dialect="sim",
                    batches=Batches(HALF),
                    replicas=(Replica("main", "http", "127.0.0.1", up.port, "/v1"),),
                )
                for up, name in ((one, "small"), (other, "large"))
            ]
            async with gateway(tmp_path, *targets) as it, client(it) as api:
                large = line(0, model="large")
                files = [(await put(api)).id, (await put(api, [large])).id]
                made = [(await begin(api, file)).id for file in files]
                assert sorted([batch.id async for batch in api.batches.list(limit=1)]) == sorted(
                    made
                )
                assert sorted(await ids(api, limit=1, purpose="batch")) == sorted(files)

    run(main())


def test_what_two_credentials_show_is_listed_once(tmp_path: Path) -> None:
    """Keys of one account at a provider, of which each sees everything."""
    keys = (SecretRef(env="ONE"), SecretRef(env="TWO"))

    async def main() -> None:
        fields = {"credential": keys[0], "more_credentials": keys[1:]}
        environ = {"ONE": "sk-1", "TWO": "sk-2"}
        async with (
            engine() as up,
            batched(tmp_path, up, environ=environ, **fields) as (_, api),
        ):
            made = [await through(api, [line(0)]) for _ in range(3)]
            for limit in (1, 2, 3, 100):
                listed = [batch.id async for batch in api.batches.list(limit=limit)]
                assert sorted(listed) == sorted(one.id for one in made)
                files = [one.input_file_id for one in made] + [one.output_file_id for one in made]
                assert sorted(await ids(api, limit=limit)) == sorted(files)

    run(main())
