"""What a tick of the control loop costs: 500 routes, each with a release of 12 metrics.

In each tick every release has a new block of both arms, so that each is judged, remembered and
kept; then the same without news. The store is SQLite on a disk. Times are of the CPU, so that other
work on the machine counts little.
"""

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from msgspec import Raw
from sqlalchemy import Engine

from tidegate.control.act import Acting
from tidegate.control.compiling import Compiling
from tidegate.control.loop import Loop, Outside
from tidegate.control.observe import Releases
from tidegate.control.plans import Plans
from tidegate.core.block import ArmBlock, Block, Moments, Tally
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.core.harm import HARM
from tidegate.core.layout import Layout
from tidegate.core.rollout import DEFAULT_HARM, Rollout, Step
from tidegate.core.rollout_state import Asked
from tidegate.stores import blocks, database, migrate, notices, rollouts
from tidegate.stores.audit import Author

ROUTES = 500
TICKS = 15
_STEPS = (Step(0.1, min_units=10**9, min_s=1.0, max_s=1e9),)
_PLAN = """\
providers: {up: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets:
  old: {provider: up, model: old, price: free}
  new: {provider: up, model: new, price: free}
routes:
"""


def measure() -> int:
    """Prints milliseconds of CPU a tick: the median and the worst."""
    with tempfile.TemporaryDirectory() as folder:
        engine = database.open_engine(Path(folder) / "ledger.db")
        migrate.migrate(engine)
        loop = _furnished(engine, Path(folder))
        asyncio.run(_ticks(engine, loop))
        engine.dispose()
    return 0


async def _ticks(engine: Engine, loop: Loop) -> None:
    declared = DeclaredLoop()
    chance = random.Random(3)
    for _ in range(3):  # created, gated, and as many at a time as the plan takes
        await loop.tick(declared)
    for news in (True, False):
        took_ms = []
        for number in range(TICKS):
            if news:
                _append(engine, chance, number)
            began_s = time.process_time()
            await loop.tick(declared)
            took_ms.append(1000 * (time.process_time() - began_s))
        what = "with a block of each" if news else "without news"
        middle, worst = statistics.median(took_ms), max(took_ms)
        print(f"{ROUTES} releases, {what}: {middle:.0f} ms a tick, {worst:.0f} ms at most")


def _furnished(engine: Engine, folder: Path) -> Loop:
    file = folder / "tidegate.yaml"
    file.write_text(_PLAN + "".join(f"  r{number}: old\n" for number in range(ROUTES)))
    layout = Layout(folder / "state")
    layout.run.mkdir(parents=True)
    compiling = Compiling(engine, {})
    plans = Plans(layout, file, compiling.file, lambda _: None)
    plans.start(0)
    author = Author("operator:bench", 0.0)
    with database.writing(engine) as connection:
        for number in range(ROUTES):
            name = f"r{number}/next"
            made = Rollout(
                *(name, f"r{number}", "d", "bench", {"target": Raw(b'"new"')}),
                steps=_STEPS,
                harm=DEFAULT_HARM,
            )
            rollouts.create(connection, made, author)
            rollouts.ask(connection, Asked(0, name, "start", "bench", 0.0))
    hands = Acting(engine, plans, compiling, notices.note, lambda: 30.0)
    outside = Outside(DeclaredLoop, lambda: True, lambda _: True, lambda *_: {}, lambda: None)
    return Loop(engine, (Releases(),), hands, outside)


def _append(engine: Engine, chance: random.Random, number: int) -> None:
    with database.writing(engine) as connection:
        for route in range(ROUTES):
            found = Block(
                f"r{route}/next", 0, 0.0, 10.0, 0.1, _arm(chance, 180), _arm(chance, 20), 1e6
            )
            blocks.append(connection, "", found, number, number)


def _arm(chance: random.Random, requests: int) -> ArmBlock:
    arm = ArmBlock(assigned=requests, units=requests, fresh=requests, costed=requests)
    for name, row in HARM.items():
        if row.kind == "amount":
            arm.moments[name] = _moments(chance, requests, 5.0)
        else:
            arm.tallies[name] = Tally(requests, int(chance.random() * 0.03 * requests + 0.5))
        arm.by_unit[name] = _moments(chance, requests, 5.0 if row.kind == "amount" else 0.02)
    return arm


def _moments(chance: random.Random, count: int, middle: float) -> Moments:
    mean = chance.gauss(middle, 0.3 * middle / count**0.5)
    return Moments(count, mean * count, (mean**2 + (0.3 * middle) ** 2) * count)
