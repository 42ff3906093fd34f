"""What kept answers cost: finding one in memory and in Redis, and giving it over real sockets."""

import asyncio
import math
import statistics
import time
from collections.abc import Callable

import msgspec
import uvloop
from msgspec import Raw

from bench import procs, steps
from bench.rig import Rig, Running
from bench.shared_limits import servers
from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.cache_labels import Labels
from tidegate.core.kept_answer import KeptAnswer
from tidegate.core.plan import Release, Replica, Route, Target
from tidegate.core.receipt import OPENAI_CHAT, Receipt
from tidegate.gateway.cache_key import prepare_cache
from tidegate.gateway.canonical import canonical
from tidegate.stores.memory_answers import MemoryAnswers
from tidegate.stores.redis_address import parse
from tidegate.stores.redis_answers import RedisAnswers

NAME = "tidegate, kept answers"
BAR_LOOKUP_US, BAR_REDIS_MS, BAR_HITS_A_S = 12.0, 0.5, 12_000
ROUNDS, BATCH = 40, 500
KEPT = 1_000
WAITS = 5_000
_TARGET = Target("t", "up", "openai_compatible", "m", (Replica("r", "http", "h", 1, "/v1"),))
_ROUTE = Route("faq", Release("faq@1", _TARGET), cache=RouteCache(ExactCache()))
_RECEIPT = Receipt("r", 1.0, "g", "chat", key_id="k", team="t", customer="c")


def body_of(number: int) -> bytes:
    """A request of about 2 KB that no other number asks."""
    said = f"Question {number}: " + "what does the contract say of this? " * 40
    asked = {
        "model": "faq",
        "messages": [
            {"role": "system", "content": "Answer from the handbook. " * 20},
            {"role": "user", "content": said},
        ],
        "temperature": 0.0,
        "seed": 7,
        "max_tokens": 300,
        "top_p": 0.9,
        "stream": True,
    }
    return msgspec.json.encode(asked)


def key_of(body: bytes) -> bytes:
    """As the stage makes it, from the bytes that came."""
    ready = _READY
    asked = canonical(body, OPENAI_CHAT, keeps_sampling=ready.keeps_sampling)
    assert asked is not None
    return ready.key(Ask("chat", body, {"messages": Raw(b"[]")}, "faq", True), asked, _RECEIPT, "")


_FOUND = prepare_cache(_ROUTE, {})
assert _FOUND is not None
_READY = _FOUND


def answer(mark: str = "") -> KeptAnswer:
    labels = Labels("exact", "r", "faq", "v1", "acme", None, "k", "p", "7", "t", "m", "m", id=mark)
    return KeptAnswer("r", clock.wall_s(), 3600.0, "t", False, b"x" * 1_000, labels=labels)


def lookups() -> int:
    """Prints what a lookup of a 2 KB request takes; -> how many are over their bar."""
    bodies = [body_of(number) for number in range(KEPT)]
    size = len(bodies[0])
    lookup_us = uvloop.run(_in_memory_us(bodies))
    print(f"a lookup of {size} bytes in memory: {lookup_us:.1f} us, bar {BAR_LOOKUP_US}")
    over = int(lookup_us > BAR_LOOKUP_US)
    with servers() as urls:
        for name, url in urls.items():
            p50_ms, p99_ms = uvloop.run(_in_redis_ms(url, bodies))
            said = f"{p50_ms:.3f} ms p50, {p99_ms:.3f} ms p99, bar {BAR_REDIS_MS}"
            print(f"in {name}: {said}", flush=True)
            over += p50_ms > BAR_REDIS_MS
    return over


async def _in_memory_us(bodies: list[bytes]) -> float:
    """CPU of the digest and of finding its answer, the median of several batches."""
    answers, spent_s = MemoryAnswers(1 << 30), []
    for body in bodies:
        answers.put(key_of(body), answer(), 3600.0)
    for number in range(ROUNDS):
        some = [bodies[(number * BATCH + at) % len(bodies)] for at in range(BATCH)]
        began_s = time.thread_time()
        for body in some:
            assert await answers.get(key_of(body)) is not None
        spent_s.append(time.thread_time() - began_s)
    return statistics.median(spent_s) / BATCH * 1e6


async def _in_redis_ms(url: str, bodies: list[bytes]) -> tuple[float, float]:
    """One after another, digest and all: the median and the 99th percentile."""
    store = RedisAnswers(parse(url), "bench")
    task = asyncio.ensure_future(store.run())
    try:
        await _until(lambda: store.open)
        answers = store.of("faq", "exact", 1 << 30)
        mark = store.invalidations.id_at(math.inf)
        for body in bodies:
            answers.put(key_of(body), answer(mark), 3600.0)
        took_s = []
        for number in range(WAITS):
            began_s = time.perf_counter()
            found = await answers.get(key_of(bodies[number % len(bodies)]))
            took_s.append(time.perf_counter() - began_s)
            assert found is not None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    took_s.sort()
    return took_s[len(took_s) // 2] * 1e3, took_s[len(took_s) * 99 // 100] * 1e3


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - nothing announces it
        await asyncio.sleep(0.01)


def hits(rig: Rig, gateway: Running) -> int:
    """Prints how many kept answers one core gives a second; -> 1 where that is under its bar."""
    steps.warm_up(rig, gateway)
    rates = []
    for _ in range(5):
        figures = rig.load(gateway, "-c", 64, "-d", 3)
        procs.settle(gateway.all_pids())
        rates.append(figures["ok"] / figures["gateway_cpu_s"])
        took = f"{figures['lat_p50']:.2f} ms p50 at 64 connections"
        print(f"{rates[-1]:,.0f} a second of CPU, {figures['ok'] / 3:,.0f} a second, {took}")
    rate = statistics.median(rates)
    print(f"kept answers on one core: {rate:,.0f} a second, bar {BAR_HITS_A_S:,}")
    return int(rate < BAR_HITS_A_S)
