"""What a tick of the control loop costs: 500 routes, each with a release that all 12 metrics guard
and with the seven objectives of a chat.

In a usual tick every release has a new block of both arms and every route a changed minute of all
three, so that each is judged, remembered and kept; of a sixth of them units speak, which they do
once a minute. The other ticks: with the units of all, and with nothing new. The store is SQLite on
a disk. Times are of the CPU, of all threads of the process, so that other work on the machine
counts little. Another checkout may be measured in turn with this one, tick by tick, each in a
process of its own: this file is then run as a script over that checkout's sources.
"""

import asyncio
import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from msgspec import Raw
from sqlalchemy import Engine

from tidegate.control.act import Acting
from tidegate.control.compiling import Compiling
from tidegate.control.error_budgets import ErrorBudgets
from tidegate.control.loop import Loop, Outside
from tidegate.control.observe import Releases
from tidegate.control.plans import Plans
from tidegate.controllers.release import Memory, Standing
from tidegate.core.bin import COUNTS, MINUTE_S, Bin, BinKey
from tidegate.core.block import ArmBlock, Block, Moments, Tally
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.core.harm import HARM
from tidegate.core.layout import Layout
from tidegate.core.rollout import HarmMetric, Rollout, Step
from tidegate.core.sli import LATENCIES, SLIS
from tidegate.stats.histogram import bucket_of
from tidegate.stores import blocks, database, decisions, migrate, notices, rollouts
from tidegate.stores.audit import Author
from tidegate.stores.decisions import Made
from tidegate.stores.rollouts import Moved
from tidegate.stores.signal_bins import SignalWriter

ROUTES = 500
TICKS = 15
BAR_MS = 150.0
# What is new in a tick: of how many releases one has units that speak; 0: nothing is new at all.
KINDS = {
    "a block and a minute of each": 6,
    "a block and a minute of each, all units speak": 1,
    "nothing new": 0,
}
_ARMS = {"stable": 180, "canary": 20, "shadow": 20}
_HARM = tuple(HarmMetric(row.name, row.margin) for row in HARM.values())
_STEPS = (Step(0.1, min_units=10**9, min_s=1.0, max_s=1e9),)
_LEASE_S = 3600.0
_PLAN = """\
providers: {up: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets:
  old: {provider: up, model: old, price: free}
  new: {provider: up, model: new, price: free}
routes:
"""


def run(beside: Path | None) -> int:
    """Prints milliseconds of CPU a tick, beside those of another checkout if one is given; -> how
    many kinds of tick cost more than the bar."""
    here = Path(__file__).parent.parent
    rigs = [_child(root) for root in ([here] if beside is None else [beside.resolve(), here])]
    over = 0
    for what, spoken in KINDS.items():
        rounds = [[_ticked_ms(rig, spoken) for rig in rigs] for _ in range(TICKS)]
        *others, ours = zip(*rounds, strict=True)
        median_ms = statistics.median(ours)
        over += median_ms > BAR_MS
        said = f"{ROUTES} routes, {what}: {median_ms:.0f} ms a tick, {max(ours):.0f} ms at most"
        for theirs in others:
            ratio = statistics.median(b / a for a, b in zip(theirs, ours, strict=True))
            said += f"; {beside} {statistics.median(theirs):.0f} ms, times {ratio:.2f}"
        print(f"{said}, bar {BAR_MS:.0f}", flush=True)
    for rig in rigs:
        rig.communicate()
    return over


def _child(root: Path) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(root / "src"), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-P", __file__]  # not this folder's names before all others
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, text=True)


def _ticked_ms(rig: subprocess.Popen[str], spoken: int) -> float:
    assert rig.stdin is not None and rig.stdout is not None
    print(spoken, file=rig.stdin, flush=True)
    return float(rig.stdout.readline())


def main() -> None:
    """For each line that is read one tick; prints its milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        engine = database.open_engine(Path(folder) / "ledger.db")
        migrate.migrate(engine)
        loop = _furnished(engine, Path(folder))
        asyncio.run(_ticks(engine, loop))
        engine.dispose()


async def _ticks(engine: Engine, loop: Loop) -> None:
    declared = DeclaredLoop()
    chance = random.Random(3)
    writer = SignalWriter(engine, "")
    _count(engine, writer, chance, 0)
    for _ in range(2):  # what is held is set, then renewed
        await loop.tick(declared)
    gc.collect()
    gc.freeze()  # as control does before it works
    for number, line in enumerate(sys.stdin, start=1):
        spoken = int(line)
        if spoken:
            _append(engine, chance, number, spoken)
            _count(engine, writer, chance, number)
        began_s = time.process_time()
        await loop.tick(declared)
        print(1000 * (time.process_time() - began_s), flush=True)


def _furnished(engine: Engine, folder: Path) -> Loop:
    file = folder / "tidegate.yaml"
    routes = (f"  r{number}: {{target: old, slo: chat}}\n" for number in range(ROUTES))
    file.write_text(_PLAN + "".join(routes))
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
                harm=_HARM,
            )
            rollouts.create(connection, made, author)
            rollouts.move(connection, name, Moved(0.0, "step", 0, "", 0), ended=False)
        decisions.keep(connection, [_under_way(number) for number in range(ROUTES)], 0.0, 0)
    hands = Acting(engine, plans, compiling, notices.note, lambda: _LEASE_S)
    budgets = ErrorBudgets(lambda: plans.declared, lambda: plans.current)
    outside = Outside(DeclaredLoop, lambda: True, lambda _: True, budgets.burns, lambda: None)
    return Loop(engine, (budgets, Releases()), hands, outside)


def _under_way(number: int) -> Made:
    """What is remembered of a release that stands at its first step, as if it had been started:
    500 compilations of the plan are not what is measured."""
    memory = msgspec.msgpack.encode(Memory(Standing("step")))
    return Made("release", f"r{number}/next", "{}", None, (), memory)


def _count(engine: Engine, writer: SignalWriter, chance: random.Random, number: int) -> None:
    """Ten seconds of every route's requests."""
    minute_s = int(time.time()) // MINUTE_S * MINUTE_S
    bins = {
        BinKey(minute_s, f"r{route}", arm, "", "old"): _bin(chance, arm, requests, route)
        for route in range(ROUTES)
        for arm, requests in _ARMS.items()
    }
    with database.writing(engine) as connection:
        writer.add(connection, bins, number)


def _bin(chance: random.Random, arm: str, requests: int, route: int) -> Bin:
    """One route in twenty burns its error budget."""
    found, burns = Bin(), route % 20 == 0
    found.counts[COUNTS.index("requests")] = requests
    if arm == "shadow":  # a copy is to no objective anything
        return found
    for name in LATENCIES:
        histogram = found.histograms[name] = {}
        for _ in range(requests):
            bucket = bucket_of(chance.lognormvariate(-0.5, 0.5))
            histogram[bucket] = histogram.get(bucket, 0) + 1
    for sli in SLIS[:5]:
        bad = requests // 20 if burns else int(chance.random() < 0.02)
        found.counts[COUNTS.index(f"{sli}_good")] = requests - bad
        found.counts[COUNTS.index(f"{sli}_bad")] = bad
    return found


def _append(engine: Engine, chance: random.Random, number: int, spoken: int) -> None:
    with database.writing(engine) as connection:
        for route in range(ROUTES):
            by_unit = (route + number) % spoken == 0
            arms = (_arm(chance, _ARMS[arm], by_unit=by_unit) for arm in ("stable", "canary"))
            found = Block(f"r{route}/next", 0, 0.0, 10.0, 0.1, *arms, 1e6)
            blocks.append(connection, "", found, number, number)


def _arm(chance: random.Random, requests: int, *, by_unit: bool) -> ArmBlock:
    arm = ArmBlock(assigned=requests, units=requests, fresh=requests, costed=requests)
    for name, row in HARM.items():
        if row.kind == "amount":
            arm.moments[name] = _moments(chance, requests, 5.0)
        else:
            arm.tallies[name] = Tally(requests, int(chance.random() * 0.03 * requests + 0.5))
        if by_unit:
            arm.by_unit[name] = _moments(chance, requests, 5.0 if row.kind == "amount" else 0.02)
    return arm


def _moments(chance: random.Random, count: int, middle: float) -> Moments:
    mean = chance.gauss(middle, 0.3 * middle / count**0.5)
    return Moments(count, mean * count, (mean**2 + (0.3 * middle) ** 2) * count)


if __name__ == "__main__":
    main()
