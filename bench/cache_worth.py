"""Whether caches pay: a skewed stream of questions through a gateway, and how the controller takes
to streams with many hits, with few, and with as many as pay for themselves."""

import asyncio
import itertools
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from tests.controllers.cached import ACTS, Loop
from tests.gateway.cached import ASK, House, either
from tests.gateway.nearby import giving
from tests.gateway.rig import gateway, plan_of, target
from tests.gateway.upstream import Exchange, Upstream
from tests.stats.cache_traffic import Traffic

from tidegate.controllers.cache_worth import TierSeen
from tidegate.core.cache import ExactCache, RouteCache, SemanticCache
from tidegate.core.cache_worth import BLOCK_S, CacheSums, Quality, Worth, added
from tidegate.core.encoding import Encoder, open_encoder
from tidegate.core.receipt import Receipt
from tidegate.record.cache_bins import CacheBins
from tidegate.stats.histogram import quantile
from tidegate.stats.worth import Net, found

PAIRS = Path(os.environ.get("BENCH_PARAPHRASES", "../shared/evals/paraphrase/qqp_dev.jsonl"))
QUESTIONS, ASKED, SKEW, AT_ONCE = 400, 3000, 1.0, 4
# What the model takes; its price is that of the rig's target.
MODEL_S = 0.25
THRESHOLD = 0.92
PRICES = Worth(usd_per_s=0.0001)
SEEDS, DAY, EVERY = 200, 288, 6


def wordings() -> list[tuple[str, str]]:
    """Questions of two wordings each, which people say ask the same."""
    lines = PAIRS.read_bytes().splitlines()
    pairs = [msgspec.json.decode(line) for line in lines]
    return [(it["text_a"], it["text_b"]) for it in pairs if it["label"] == 1][:QUESTIONS]


def stream(draw: random.Random) -> Iterator[str]:
    """A few questions come often, and in either wording."""
    questions = wordings()
    weights = list(itertools.accumulate(1 / (at + 1) ** SKEW for at in range(len(questions))))
    for _ in range(ASKED):
        [pair] = draw.choices(questions, cum_weights=weights)
        yield pair[draw.random() < 0.3]


async def _model(exchange: Exchange) -> None:
    await asyncio.sleep(MODEL_S)
    await either(exchange)


async def _replayed(encoder: Encoder) -> list[Receipt]:
    semantic = SemanticCache(mode="on", threshold=THRESHOLD, deterministic="any")
    cache = RouteCache(ExactCache(deterministic="any"), semantic)
    with tempfile.TemporaryDirectory() as folder:
        async with Upstream(_model) as up, gateway(Path(folder), target(up.port)) as it:
            it.world.cache.semantic.load = lambda _: encoder
            house = House(it, up, giving(plan_of(target(up.port), version=2), cache))
            assert await it.obey(house.plan)
            tier = it.world.cache.semantic
            while any(one.off() == "loading" for one in tier.encodings.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            asked = stream(random.Random(7))

            async def ask() -> None:
                for question in asked:
                    body: dict[str, Any] = {
                        **ASK,
                        "messages": [{"role": "user", "content": question}],
                    }
                    assert (await it.ask(body=body)).status == 200

            await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
            await it.receipt(ASKED)
            receipts = it.receipts()
            late = it.world.cache.semantic.lookups["small", "not_encoded"]
            print(f"{late} questions had no vector in time: this machine has other work then")
            await it.world.cache.stop()
            return receipts


def replay() -> int:
    """Prints what each tier saved of the stream; -> 0."""
    receipts = uvloop.run(_replayed(open_encoder("minilm")))
    print(f"{ASKED} requests, {QUESTIONS} questions by Zipf's law, model {MODEL_S:g} s")
    began_s = min(it.started_at_s for it in receipts)
    for tier in ("exact", "semantic"):
        # As if they had come over a day, so that there are blocks to tell noise by.
        bins = CacheBins()
        for it in receipts:
            it.started_at_s = began_s + (it.started_at_s - began_s) * 1000
            bins.fold(it)
        of_tier = [(key, one) for key, one in bins.take().items() if key.tier == tier]
        for it in receipts:
            it.started_at_s = began_s + (it.started_at_s - began_s) / 1000
        if not of_tier:
            print(f"{tier}: nobody looked")
            continue
        blocks = [CacheSums(*one.sums) for _, one in sorted(of_tier, key=lambda it: it[0])]
        hits: dict[int, int] = {}
        misses: dict[int, int] = {}
        for _, one in of_tier:
            for into, more in ((hits, one.hit_s), (misses, one.miss_s)):
                for bucket, count in more.items():
                    into[bucket] = into.get(bucket, 0) + count
        _print(tier, blocks, hits, misses)
    return 0


def _print(
    tier: str, blocks: list[CacheSums], hits: dict[int, int], misses: dict[int, int]
) -> None:
    one, sums = found(blocks, PRICES, Quality()), added(blocks)
    times = sums.lookups
    hit_ms, miss_ms = ((quantile(it, 0.5) or 0.0) * 1e3 for it in (hits, misses))
    print(f"{tier}: {sums.hits} of {times} hits ({sums.hits / times:.1%}), advice: {one.advice}")
    print(f"  a hit {hit_ms:.2f} ms, a miss {miss_ms:.2f} ms at the median")
    print(f"  net money {_told(one.money, times)} USD, net time {_told(one.seconds, times)} s")


def _told(net: Net | None, times: int) -> str:
    if net is None:
        return "unknown"
    value, low, high = (it * times for it in (net.value, net.low, net.high))
    return f"{value:.4g} ({low:.4g} to {high:.4g})"


def _off_at(traffic: Traffic, seed: int) -> int | None:
    """After how many blocks of a day the controller turns it off, looking each half hour."""
    loop, blocks = Loop(ACTS), traffic.blocks(seed, DAY)
    loop.look(TierSeen("semantic"))
    since = 0
    for at in range(EVERY - 1, DAY, EVERY):
        began_s = loop.place("semantic").since_s
        seen = TierSeen("semantic", blocks=tuple(blocks[since : at + 1]))
        held = loop.held(seen, after_s=EVERY * BLOCK_S)
        if held:
            return at + 1
        if loop.place("semantic").since_s != began_s:
            since = at + 1
    return None


def controller() -> int:
    """Prints how soon a tier is turned off; -> how many streams went as they should not."""
    rare, often = Traffic(0.05), Traffic(0.4)
    even = Traffic(break_even())
    print("a lookup takes 13 ms of a core, the model 0.2 s and 0.0000012 USD an answer")
    over = 0
    for name, traffic, seeds in (("5 %", rare, 50), ("40 %", often, 50), ("even", even, SEEDS)):
        ends = [_off_at(traffic, seed) for seed in range(seeds)]
        off = sorted(it for it in ends if it is not None)
        told = f"{traffic.rate:.1%} hits, {traffic.lookups} lookups in five minutes"
        print(f"{name}: {told}: off within a day in {len(off)} of {seeds}", end="")
        print(f", after {off[len(off) // 2] * BLOCK_S / 3600:.1f} h (median)" if off else "")
        over += {"5 %": len(off) < seeds, "40 %": bool(off), "even": len(off) > 0.02 * seeds}[name]
    return over


def break_even() -> float:
    """The hit rate at which such a tier neither saves nor costs."""
    one = Traffic(0.0)
    second, cpu_s = PRICES.usd_per_s or 0.0, PRICES.usd_per_cpu_h / 3600
    hit = one.cost_nanousd * 1e-9 + second * (one.saved_s - one.lookup_s - 0.001)
    return (one.lookup_s * (cpu_s + second)) / (hit + one.lookup_s * second)


def run() -> int:
    """-> how many things were not as they should be."""
    return replay() + controller()
