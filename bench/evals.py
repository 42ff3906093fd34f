"""Cases a second of a run of both sides through a Tidegate in front of the simulated engine.

A case is asked on both sides, each with a version of the prompt that the run renders, and graded by
three checks of the answer's text. First the run, the gateway, control and the engine share one
core, without the receipts of the answers and with them; then the run has the core for itself, and
the rest another. Each line is the median of three runs.
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
from tidegate.core.prompt import Input, Prompt, Turn
from tidegate.evals.asking import Gateway
from tidegate.evals.grading import Judges, Marker
from tidegate.evals.receipts import Receipts
from tidegate.evals.run import Course, Run
from tidegate.evals.run_file import RunFile, RunHead
from tidegate.evals.side import Side, SideName, writers
from tidegate.evals.suite import Suite

BAR_PER_S = 800
CASES, ROUNDS, AT_ONCE = 4000, 3, 32
_START_S = 60.0
_PLAN = """\
providers:
  sim: {{kind: openai_compatible, base_url: "{url}/v1", api_key: none}}
routes:
  one: {{target: {{provider: sim, model: sim, price: free}}}}
"""


def run() -> int:
    """Prints each line; -> 1 when all that a run on one core takes of it is over the bar."""
    cores = sorted(os.sched_getaffinity(0))
    core, other = cores[-1], cores[0]
    folder = Path(tempfile.mkdtemp(prefix="tidegate-evals-"))
    try:
        with _house(folder, core) as (state, pids):
            os.sched_setaffinity(0, {core})
            rates = [
                _told("all on one core, without receipts", folder, state, pids),
                _told("all on one core, with receipts", folder, state, pids, receipts=True),
            ]
            if other != core:
                procs.pin(pids, other)
                _told(
                    "the run alone on its core, with receipts", folder, state, pids, receipts=True
                )
    finally:
        os.sched_setaffinity(0, set(cores))
        shutil.rmtree(folder, ignore_errors=True)
    return int(min(rates) < BAR_PER_S)


def _told(
    what: str, folder: Path, state: Path, pids: list[int], *, receipts: bool = False
) -> float:
    """Prints how fast runs are; -> cases that all processes together do in a second of one core."""
    before_s = procs.cpu_s(pids)
    found = [_measured(folder, state, f"{what} {n}", receipts=receipts) for n in range(ROUNDS)]
    procs.settle(pids)
    house_s = (procs.cpu_s(pids) - before_s) / ROUNDS
    wall_s = statistics.median(it[0] for it in found)
    cpu_s = statistics.median(it[1] for it in found)
    rate = CASES / (cpu_s + house_s)
    print(
        f"{what}: {CASES / wall_s:.0f} cases/s, {2 * CASES / wall_s:.0f} answers/s. CPU a case:"
        f" {cpu_s / CASES * 1e6:.0f} us in the run ({CASES / cpu_s:.0f} cases/s),"
        f" {house_s / CASES * 1e6:.0f} us in gateway, control and engine ({rate:.0f} with it)",
        flush=True,
    )
    return rate


@contextmanager
def _house(folder: Path, core: int) -> Iterator[tuple[Path, list[int]]]:
    """A Tidegate over the simulated engine, on one core; its state directory and processes."""
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
        pids = [*procs.tree(up.pid), *procs.tree(sim.pid)]
        procs.pin(pids, core)
        yield state, pids
    finally:
        procs.stop(up)
        procs.stop(sim)
        sim.stdout.close()
        log.close()


def _ready(state: Path) -> bool:
    return read_url(state / "run" / "gateway.url") is not None


def _measured(folder: Path, state: Path, name: str, *, receipts: bool) -> tuple[float, float]:
    """Wall and CPU seconds of one run."""
    checks = (
        Check("length", Raw(b'{"most_chars": 100000}')),
        Check("contains", Raw(b'{"any": ["e"]}')),
        Check("regex", Raw(b'{"pattern": "[a-z]"}')),
    )
    cases = tuple(
        Case(f"case {n}", {"question": Raw(b'"What is tide %d?"' % n)}, checks=checks)
        for n in range(CASES)
    )
    suite = Suite("bench", cases, repeats=1)
    sides: dict[SideName, Side] = {
        "baseline": Side("one", _prompt("v1", "briefly")),
        "candidate": Side("one", _prompt("v2", "at length")),
    }
    digests = {name: side.digest() for name, side in sides.items()}
    head = RunHead(name.replace(" ", "-"), suite.name, suite.digest(), digests, 1)
    address = read_url(state / "run" / "gateway.url") or ""
    with (
        Control(state) as control,
        run_key(control, "bench", ["one"], Decimal(1), None) as key,
        RunFile(folder / f"{head.run}.jsonl", head) as file,
    ):
        ledger = Receipts(Ledger(control, head.run)) if receipts else None

        async def go() -> None:
            course = Course(AT_ONCE, None, ledger)
            one = Run(suite, writers(sides), file, Marker(Judges()), course)
            gateway = Gateway(address, key.secret, head.run, AT_ONCE)
            async with gateway, ledger or nullcontext():
                await one.go(gateway)
            assert not one.left()

        wall_s, cpu_s = time.perf_counter(), time.process_time()
        uvloop.run(go())
        return time.perf_counter() - wall_s, time.process_time() - cpu_s


def _prompt(version: str, how: str) -> Prompt:
    turns = (
        Turn("system", f"You answer {how}, in {{{{ language }}}}. " + "Mind the tide. " * 40),
        Turn("user", "{{ question }}"),
    )
    inputs = (Input("question"), Input("language", default='"English"'))
    return Prompt("bench", version, version, turns, inputs)
