"""`tidegate batch` in front of a gateway and a simulated provider."""

import asyncio
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from tests.gateway.batched import batched, begin, done, engine, put, settled
from tests.gateway.rig import Gateway, run

from tidegate.cli.batch import plug


async def invoke(it: Gateway, *words: str, key: str | None = None) -> Result:
    address = f"http://{it.address[0]}:{it.address[1]}"
    options = ("--gateway", address, "--key", key or it.key)
    return await asyncio.to_thread(CliRunner().invoke, plug, [*words, *options])


def test_batches_are_listed_and_settled(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            file = await put(api)
            both: list[Any] = [await done(api, await begin(api, file.id)) for _ in range(2)]
            shown = await invoke(it, "list")
            assert shown.exit_code == 0, shown.output
            assert all(batch.id in shown.output for batch in both)
            assert shown.output.count("completed") == 2
            one = await invoke(it, "settle", both[0].id)
            assert (one.exit_code, one.output) == (0, f"{both[0].id}: 5 lines\n")
            assert len(settled(it)) == 5
            await invoke(it, "settle")
            assert len(settled(it)) == 10

    run(main())


def test_what_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await done(api, await begin(api, (await put(api)).id))
            for shown, why in (
                (await invoke(it, "settle", "batch_none"), "no such batch of this key: batch_none"),
                (await invoke(it, "list", key="sk-tg-no"), "not known here"),
                (
                    await invoke(it, "settle", batch.id, key=it.store.add(team="team-b")),
                    "no such batch of this key",
                ),
            ):
                assert shown.exit_code == 1
                assert why in shown.output
            up.sim.batches.files.clear()
            gone = await invoke(it, "settle")
            assert (gone.exit_code, "does not keep that" in gone.output) == (1, True)
            it.address = ("127.0.0.1", 1)
            away = await invoke(it, "list")
            assert "did not answer" in away.output

    run(main())
