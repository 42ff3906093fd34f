"""A batch through the whole house: a restart in between, a kill -9, one ledger and its budget."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import openai
from sqlalchemy import func, select
from tests.e2e.rig import House
from tests.gateway.batched import LINES, begin, done, engine, put
from tests.gateway.rig import run

from tidegate.core.layout import Layout
from tidegate.core.purpose import BATCH_LINE
from tidegate.stores import database, schema

PLAN = """\
providers:
  sim: {{kind: sim, base_url: "{url}", api_key: none}}
targets:
  small:
    provider: sim
    model: served-model
    price: {{input_usd_per_mtok: 1000, output_usd_per_mtok: 2000}}
routes: {{small: small}}
budgets:
  ours: {{amount: $1, per: month, scope: [team], hard: true}}
"""
PATIENCE_S = 30.0


def client(house: House, key: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=key, base_url=f"{house.url}/v1", max_retries=5)


def lines_sum(layout: Layout) -> tuple[int, int]:
    """(receipts of lines, nano-dollars) in the ledger."""
    engine, c = database.open_engine(layout.ledger_db), schema.receipts.c
    try:
        with database.reading(engine) as connection:
            query = select(func.count(), func.coalesce(func.sum(c.cost_nanousd), 0))
            row = connection.execute(query.where(c.purpose == BATCH_LINE)).one()
            return int(row[0]), int(row[1])
    finally:
        engine.dispose()


async def recorded(house: House, lines: int) -> int:
    """What the ledger says that so many lines have cost, in nano-dollars."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        count, nanousd = await asyncio.to_thread(lines_sum, house.layout)
        if count >= lines or time.monotonic() > until_s:
            assert count == lines
            return nanousd
        await asyncio.sleep(0.1)


async def used(api: openai.AsyncOpenAI) -> int:
    """What is spent or held of the budget, in nano-dollars."""
    usage: Any = await api.get("/usage", cast_to=object)
    return round(float(usage["data"][0]["used"]) * 1e9)


def kill_gateways(house: House) -> None:
    """Those that the supervisor of this house has started, by their ids."""
    assert house.process is not None
    children = Path(f"/proc/{house.process.pid}/task/{house.process.pid}/children")
    for child in map(int, children.read_text().split()):
        if b"tidegate.gateway" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(child, signal.SIGKILL)


def test_each_line_is_in_the_ledger_once_whatever_is_killed(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up:
            house = House(tmp_path, PLAN.format(url=up.base_url))
            await asyncio.to_thread(house.start)
            try:
                key = await asyncio.to_thread(house.key)
                async with client(house, key) as api:
                    batch = await done(api, await begin(api, (await put(api)).id))
                await asyncio.to_thread(house.stop)
                await asyncio.to_thread(house.start)
                async with client(house, key) as api:
                    assert [one.id async for one in api.batches.list()] == [batch.id]
                    most = await used(api)  # held by the gateway before this one
                    text = (await api.files.content(batch.output_file_id)).content
                    nanousd = await recorded(house, len(LINES))
                    assert most > nanousd > 0
                    until_s = time.monotonic() + PATIENCE_S
                    while await used(api) != nanousd:
                        assert time.monotonic() < until_s
                        await asyncio.sleep(0.2)
                    kill_gateways(house)
                    patient = api.with_options(max_retries=20)
                    # What begins anew learns from the ledger what is spent, and is not told again.
                    for _ in range(3):
                        assert await used(patient) == nanousd
                        again = await patient.files.content(batch.output_file_id)
                        assert again.content == text
                assert await recorded(house, len(LINES)) == nanousd
            finally:
                await asyncio.to_thread(house.stop)

    run(main(), 110.0)
