"""Many tenants ask much in many wordings of a gateway whose index lies: nobody reads what another
was answered, nor the answer to another question."""

import asyncio
import random
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import pytest
from tests.gateway.nearby import Index, Indices, Nearby, Words, giving, near, nearby
from tests.gateway.rig import plan_of, run, target
from tests.gateway.test_cache_canaries import TENANTS, Canaries

from tidegate.core.ask import ANTHROPIC_MESSAGES, Ask
from tidegate.core.cache import ExactCache, RouteCache, SemanticCache
from tidegate.core.encoding import Vector
from tidegate.core.kept_answer import KeptAnswer
from tidegate.core.neighbours import Neighbour
from tidegate.core.receipt import OPENAI_CHAT, Receipt
from tidegate.gateway.answer_cache import AnswerCache
from tidegate.gateway.cache_control import Directives
from tidegate.gateway.cache_key import prepare_cache
from tidegate.gateway.canonical import canonical
from tidegate.gateway.semantic import near_of, nearest

QUESTIONS: Final = 12
WORKERS: Final = 16
_CANARY: Final = re.compile(rb"canary-(\d+) of ([a-z0-9]+) to [^\"]*?(\d+)")
WORDINGS: Final = (
    "What is number {} about?",
    "What is number {} about, please?",
    "Please, what is number {} about",
)


class Liar(Index):
    """Gives anything of anybody as nearest, with the highest score, under any question."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng = rng
        self.of: dict[bytes, list[tuple[bytes, str]]] = {}

    async def nearest(self, partition: bytes, vector: Vector, most: int) -> list[Neighbour]:
        del vector
        own = self.of.get(partition, [])
        others = [it for held in self.of.values() for it in held[-2:]]
        several = [self.rng.choice(it) for it in (own, others, others, own) if it]
        lies = [(key, self.rng.choice(others)[1]) for key, _ in several]
        found = [Neighbour(key, 1.0, question) for key, question in (*several, *lies)]
        self.rng.shuffle(found)
        return found[:most]

    def put(
        self, partition: bytes, key: bytes, vector: Vector, question: str, keep_s: float
    ) -> None:
        del vector, keep_s
        self.of.setdefault(partition, []).append((key, question))
        del self.of[partition][:-QUESTIONS]

    def drop(self, partition: bytes, key: bytes) -> None:
        self.of[partition] = [it for it in self.of.get(partition, []) if it[0] != key]


def asked(rng: random.Random, question: int) -> tuple[str, dict[str, Any]]:
    """One question in any wire, form and wording, in one of two conversations."""
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes?"}]
    said = rng.choice(WORDINGS).format(question)
    body: dict[str, Any] = {
        "model": "small",
        "temperature": 0,
        "messages": [*(turns if rng.random() < 0.3 else []), {"role": "user", "content": said}],
        "stream": rng.random() < 0.4,
    }
    if rng.random() < 0.3:
        return "/v1/messages", {**body, "max_tokens": rng.choice([50, 60])}
    return "/v1/chat/completions", {**body, "seed": rng.choice([1, 2])}


def rest_of(path: str, body: dict[str, Any]) -> tuple[object, ...]:
    """All that has to be equal."""
    return path, len(body["messages"]), body.get("seed"), body.get("max_tokens")


class Watch:
    """Whose each canary is."""

    def __init__(self) -> None:
        self.owner: dict[bytes, tuple[object, ...]] = {}
        self.tiers: dict[str, int] = {}

    def see(self, answer: bytes, mine: tuple[object, ...], model: str, question: int) -> None:
        match = _CANARY.search(answer)
        assert match is not None, answer
        assert self.owner.setdefault(match[1], mine) == mine, "another's answer"
        assert (match[2].decode(), int(match[3])) == (model, question), "another question's"

    async def ask(self, it: Nearby, keys: list[str], rng: random.Random, model: str) -> None:
        tenant, question = rng.randrange(len(keys)), rng.randrange(QUESTIONS)
        path, body = asked(rng, question)
        space = {"x-tidegate-cache-namespace": "mine"} if rng.random() < 0.2 else {}
        headers = {"authorization": f"Bearer {keys[tenant]}", **space}
        reply = await it.it.ask(path, msgspec.json.encode(body), headers)
        tier = reply.headers.get("x-tidegate-cache-tier", "none")
        self.tiers[tier] = self.tiers.get(tier, 0) + 1
        if reply.status == 200:
            mine = (tenant, question, bool(space), *rest_of(path, body))
            self.see(reply.body, mine, model, question)


async def phases(folder: Path, operations: int, cache: RouteCache) -> Watch:
    watch, rng = Watch(), random.Random(7)
    async with nearby(folder, cache, Canaries(), index=Liar(rng)) as it:
        keys = [it.it.store.add(name="k", team=team, customer=c) for team, c in TENANTS]
        for number in range(3):
            model = f"m{number % 2}"
            plan = plan_of(target(it.up.port, model=model), version=2)
            await it.obey(giving(plan, cache))
            left = iter(range(operations // 3))

            async def work(model: str = model, left: Any = left) -> None:
                for _ in left:
                    await watch.ask(it, keys, rng, model)

            await asyncio.gather(*(work() for _ in range(WORKERS)))
        assert len(it.it.world.cache.flights) == 0
    return watch


@pytest.mark.parametrize("exact", [None, ExactCache(ttl_s=0.2, deterministic="any")])
def test_nobody_reads_another_s_answer(tmp_path: Path, exact: ExactCache | None) -> None:
    async def main() -> None:
        watch = await phases(tmp_path, 900, near(exact, deterministic="any", threshold=0.5))
        assert watch.tiers["semantic"] > 50
        assert watch.tiers["none"] > 100

    run(main())


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_nobody_reads_another_s_answer_in_a_hundred_thousand(tmp_path: Path) -> None:
    async def main() -> None:
        cache = near(ExactCache(1.0, deterministic="any"), deterministic="any", ttl_s=2.0)
        watch = await phases(tmp_path, 100_000, cache)
        print(f"{sum(watch.tiers.values())} requests, 0 cross reads: {watch.tiers}")

    run(main(), 900.0)


async def staged(operations: int) -> dict[str, int]:
    """The stage itself, without sockets: what is found, or else kept."""
    watch, rng, cache = Watch(), random.Random(11), AnswerCache()
    cache.semantic.load = lambda _: Words()
    cache.semantic.vectors = Indices(Liar(rng))
    tier = SemanticCache("on", threshold=0.5, deterministic="any")
    plan = giving(plan_of(target(1)), RouteCache(None, tier))
    cache.obey(plan)
    while cache.semantic.encodings["minilm"].off() is not None:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    route, world = plan.routes["small"], SimpleNamespace(cache=cache)
    ready = prepare_cache(route, {})
    assert ready is not None
    answers, told = cache.of(route, "semantic", tier), (Directives(), Directives(namespace="n"))
    for number in range(operations):
        tenant, question = rng.randrange(len(TENANTS)), rng.randrange(QUESTIONS)
        team, customer = TENANTS[tenant]
        path, body = asked(rng, question)
        dialect = ANTHROPIC_MESSAGES if path == "/v1/messages" else OPENAI_CHAT
        ask = Ask("chat", msgspec.json.encode(body), {}, "small", dialect=dialect)
        receipt = Receipt("r", 1.0, "g", "chat", team=team, customer=customer, route="small")
        progress: Any = SimpleNamespace(
            ask=ask, caching=None, receipt=receipt, until_s=None, route=SimpleNamespace(route=route)
        )
        text, said = canonical(ask.body, dialect, keeps_sampling=False), rng.choice(told)
        assert text is not None
        own = near_of(progress, text, ready, said, world)  # type: ignore[arg-type]
        assert own is not None
        found = await nearest(progress, own, said, world)  # type: ignore[arg-type]
        watch.tiers["found"] = watch.tiers.get("found", 0) + (found is not None)
        mine = (tenant, question, said.namespace, *rest_of(path, body))
        if found is not None:
            watch.see(found.answer.body, mine, "m", question)
        else:
            answer = b"canary-%d of m to %d" % (number, question)
            kept = KeptAnswer("r", 1.0, 60.0, "small", False, answer)
            watch.see(answer, mine, "m", question)
            assert cache.semantic.keep(route, own, answers, kept)
            if rng.random() < 0.3:  # and so it is gone again
                cache.memory["small", "semantic"].drop(own.key)
    await cache.stop()
    return watch.tiers


def test_no_lie_of_an_index_is_believed() -> None:
    assert asyncio.run(staged(6_000))["found"] > 1_000


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_no_lie_of_an_index_is_believed_in_a_million() -> None:
    print(f"1,000,000 operations, 0 cross reads: {asyncio.run(staged(1_000_000))}")
