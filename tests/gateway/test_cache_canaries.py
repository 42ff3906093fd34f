"""Many tenants ask many things in every form at once: nobody reads what another was answered."""

import asyncio
import random
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.cached import House, house, keeping
from tests.gateway.rig import run, target
from tests.gateway.upstream import STREAM_HEAD, Exchange, answer_bytes, completion

TENANTS = [("red", None), ("red", "a"), ("red", "b"), ("blue", None), ("blue", "a"), ("reda", None)]
QUESTIONS = 12
WORKERS = 16
_CANARY = re.compile(rb"canary-(\d+) of ([a-z0-9]+) to (\d+)")
WAYS = [
    {},
    {"cache-control": "no-cache"},
    {"cache-control": "no-store"},
    {"cache-control": "max-age=1"},
    {"x-tidegate-cache-namespace": "mine"},
    {"x-portkey-cache-namespace": "mine"},
]


class Canaries:
    """An upstream that never says the same twice; it tells the model and the question."""

    def __init__(self) -> None:
        self.said = 0

    async def __call__(self, exchange: Exchange) -> None:
        asked = exchange.json
        self.said += 1
        question = asked["messages"][-1]["content"]
        text = f"canary-{self.said} of {asked['model']} to {question}"
        if self.said % 7 == 0:
            exchange.send(answer_bytes(500, b"{}"))
        elif not asked.get("stream"):
            exchange.send(answer_bytes(200, msgspec.json.encode(completion(text=text))))
        else:
            exchange.send(STREAM_HEAD)
            exchange.say(text)
            exchange.end()


def asked(rng: random.Random, question: int) -> tuple[str, bytes]:
    """One question in any wire, form and spelling that mean the same."""
    body: dict[str, Any] = {
        "model": "small",
        "temperature": rng.choice([0, 0.0]),
        "messages": [{"role": "user", "content": f"{question}"}],
        "stream": rng.random() < 0.4,
    }
    path = "/v1/chat/completions"
    if rng.random() < 0.3:
        path, body["max_tokens"] = "/v1/messages", 50
    else:
        body |= {"seed": 3, "user": rng.choice("xy")}
    members = list(body.items())
    rng.shuffle(members)
    return path, msgspec.json.encode(dict(members))


class Watch:
    """Whose each canary is: who was the first to hear it, and in which namespace."""

    def __init__(self) -> None:
        self.owner: dict[bytes, tuple[object, ...]] = {}
        self.outcomes: dict[str, int] = {}

    async def ask(self, it: House, keys: list[str], rng: random.Random, model: str) -> None:
        tenant, question, way = rng.randrange(len(keys)), rng.randrange(QUESTIONS), rng.choice(WAYS)
        path, body = asked(rng, question)
        headers = {"authorization": f"Bearer {keys[tenant]}", **way}
        reply = await it.it.ask(path, body, headers)
        outcome = reply.headers.get("x-tidegate-cache", "none")
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if reply.status != 200:
            return
        match = _CANARY.search(reply.body)
        assert match is not None, reply.raw
        namespace = way if any("namespace" in name for name in way) else {}
        mine = (tenant, question, tuple(namespace), path)
        assert self.owner.setdefault(match[1], mine) == mine, "another's answer"
        assert (match[2].decode(), int(match[3])) == (model, question), "an answer of before"


async def phases(folder: Path, operations: int, **exact: Any) -> Watch:
    watch, rng = Watch(), random.Random(5)
    async with house(folder, Canaries(), deterministic="any", **exact) as it:
        keys = [it.it.store.add(name="k", team=team, customer=c) for team, c in TENANTS]
        for number in range(4):
            model = f"m{number % 2}"  # and so back to one that has been there
            to = target(it.up.port, model=model)
            routes = {
                name: replace(route, release=replace(route.release, target=to))
                for name, route in it.plan.routes.items()
            }
            await it.obey(keeping(replace(it.plan, routes=routes), deterministic="any", **exact))
            left = iter(range(operations // 4))

            async def work(model: str = model, left: Any = left) -> None:
                for _ in left:
                    await watch.ask(it, keys, rng, model)

            await asyncio.gather(*(work() for _ in range(WORKERS)))
        assert len(it.it.world.cache.flights) == 0
        held = it.it.world.cache.memory["small", "exact"]
        assert held.size <= held.max_bytes
    return watch


@pytest.mark.parametrize("max_bytes", [64 * 1024 * 1024, 40_000], ids=["roomy", "tight"])
def test_nobody_reads_another_s_answer(tmp_path: Path, max_bytes: int) -> None:
    async def main() -> None:
        watch = await phases(tmp_path, 1_500, max_bytes=max_bytes, ttl_s=0.5, stale_s=0.2)
        assert watch.outcomes["hit"] > 20
        assert watch.outcomes["miss"] > 100

    run(main())


@pytest.mark.soak
def test_nobody_reads_another_s_answer_in_a_hundred_thousand(tmp_path: Path) -> None:
    async def main() -> None:
        watch = await phases(tmp_path, 100_000, ttl_s=1.0, stale_s=0.5, stale_if_error_s=2.0)
        print(f"{sum(watch.outcomes.values())} requests, 0 cross reads: {watch.outcomes}")

    run(main(), 600.0)
