"""Cases a second of a run of both sides through a Tidegate in front of the simulated engine.

The run, the gateway, control and the engine share one core. Grading is cheap: two checks of the
answer's text. A case is asked on both sides. Each line is the median of three runs.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path

import uvloop
from msgspec import Raw

from bench import procs
from tidegate.cli._client import Control, read_url
from tidegate.cli._eval_house import Ledger, run_key
from tidegate.core.grading import Case, Check
from tidegate.evals.asking import Gateway
from tidegate.evals.grading import Judges, Marker
from tidegate.evals.receipts import Receipts
from tidegate.evals.run import Course, Run
from tidegate.evals.run_file import RunFile, RunHead
from tidegate.evals.side import Side, writers
from tidegate.evals.suite import Suite

BAR_PER_S = 800
CASES, ROUNDS = 2000, 3
_START_S = 60.0
_PLAN = """\
providers:
  sim: {{kind: openai_compatible, base_url: "{url}/v1", api_key: none}}
routes:
  one: {{target: {{provider: sim, model: sim, price: free}}}}
"""


def run() -> int:
    """Prints both lines; -> 1 when a run with receipts is below the bar."""
    cores = sorted(os.sched_getaffinity(0))
    core = cores[-1]
    folder = Path(tempfile.mkdtemp(prefix="tidegate-evals-"))
    slow = 0
    try:
        with _house(folder, core) as state:
            os.sched_setaffinity(0, {core})
            for receipts in (False, True):
                found = [_measured(folder, state, n, receipts) for n in range(ROUNDS)]
                wall = statistics.median(it[0] for it in found)
                cpu = statistics.median(it[1] for it in found)
                told = "with receipts" if receipts else "without receipts"
                print(
                    f"{told}: {CASES / wall:.0f} cases/s on both sides, {2 * CASES / wall:.0f}"
                    f" answers/s; the run itself takes {cpu / (2 * CASES) * 1e6:.0f} us of CPU"
                    " an answer"
                )
                slow = int(2 * CASES / wall < BAR_PER_S)
    finally:
        os.sched_setaffinity(0, set(cores))
        shutil.rmtree(folder, ignore_errors=True)
    return slow


@contextmanager
def _house(folder: Path, core: int) -> Iterator[Path]:
    """A Tidegate over the simulated engine, on one core; its state directory."""
    log = (folder / "house.log").open("w")
    sim = subprocess.Popen(
        [sys.executable, "-m", "tidegate.boot", "sim", "serve", "--port", "0",
         "--profile", "instant", "--output-tokens", "16", "--model", "sim"],
        stdout=subprocess.PIPE, stderr=log, text=True,
    )  # fmt: skip
    assert sim.stdout is not None
    url = sim.stdout.readline().split()[1]
    (folder / "tidegate.yaml").write_text(_PLAN.format(url=url))
    state = folder / "state"
    up = subprocess.Popen(
        [sys.executable, "-m", "tidegate.boot", "up", "--state", str(state),
         "--listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0"],
        cwd=folder, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        until_s = time.monotonic() + _START_S
        while read_url(state / "run" / "control.url") is None or not _ready(state):
            assert time.monotonic() < until_s, (folder / "house.log").read_text()
            time.sleep(0.1)
        procs.pin([*procs.tree(up.pid), *procs.tree(sim.pid)], core)
        yield state
    finally:
        procs.stop(up)
        procs.stop(sim)
        sim.stdout.close()
        log.close()


def _ready(state: Path) -> bool:
    return read_url(state / "run" / "gateway.url") is not None


def _measured(folder: Path, state: Path, number: int, receipts: bool) -> tuple[float, float]:
    """Wall and CPU seconds of one run."""
    checks = (
        Check("length", Raw(b'{"most_chars": 100000}')),
        Check("contains", Raw(b'{"any": ["e"]}')),
    )
    cases = tuple(
        Case(f"case {n}", turns=(("user", f"What is tide {n}?"),), checks=checks)
        for n in range(CASES)
    )
    suite = Suite("bench", cases, repeats=1)
    sides = {
        "baseline": Side("one"),
        "candidate": Side("one", None, (("temperature", "0.5"),)),
    }
    head = RunHead(
        f"bench-{number}-{receipts}",
        suite.name,
        suite.digest(),
        {name: side.digest() for name, side in sides.items()},
        1,
    )
    address = read_url(state / "run" / "gateway.url") or ""
    with (
        Control(state) as control,
        run_key(control, "bench", ["one"], Decimal(1), None) as key,
        RunFile(folder / f"{head.run}.jsonl", head) as file,
    ):
        ledger = Receipts(Ledger(control, key.id)) if receipts else None

        async def go() -> None:
            course = Course(32, None, ledger)
            one = Run(suite, writers(sides), file, Marker(Judges()), course)
            gateway = Gateway(address, key.secret, head.run, 32)
            async with gateway, ledger or nullcontext():
                await one.go(gateway)
            assert not one.left()

        wall_s, cpu_s = time.perf_counter(), time.process_time()
        uvloop.run(go())
        return time.perf_counter() - wall_s, time.process_time() - cpu_s
