"""Many tenants have many batches embedded at once: nobody gets a vector that was made for another,
of another text or of another model."""

import asyncio
import random
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from msgspec.structs import replace
from tests.gateway.embedded import PATH, Embedders, House, house, keeping, packed, vectors
from tests.gateway.rig import gateway, plan_of, run, target, until
from tests.gateway.upstream import Exchange, Upstream, answer_bytes
from tests.stores import redis_rig

from tidegate.core.database_ref import CounterStore
from tidegate.gateway.answer_cache import connecting

TENANTS = [("red", None), ("red", "a"), ("red", "b"), ("blue", None), ("blue", "a"), ("reda", None)]
TEXTS = 40
WORKERS = 12
WAYS: list[dict[str, str]] = [
    *({} for _ in range(6)),
    {"cache-control": "no-cache"},
    {"cache-control": "no-store"},
    {"x-tidegate-cache-namespace": "mine"},
    {"helicone-cache-seed": "mine"},
]


class Canaries:
    """An upstream that never makes the same vector twice: each says its number, its text and its
    model, and fits into 32 bits."""

    def __init__(self) -> None:
        self.made = 0
        self.version = 1

    async def __call__(self, exchange: Exchange) -> None:
        asked = exchange.json
        self.made += 1
        if self.made % 11 == 0:
            exchange.send(answer_bytes(500, b"{}"))
            return
        rows = []
        for index, text in enumerate(asked["input"]):
            self.made += 1
            numbers = [float(self.made), float(text) + 1, float(asked["model"]), self.version]
            wants = asked.get("encoding_format") == "base64"
            rows.append({"index": index, "embedding": packed(numbers) if wants else numbers})
        random.Random(self.made).shuffle(rows)
        body = {"data": rows, "model": f"{asked['model']}-{self.version}"}
        exchange.send(answer_bytes(200, msgspec.json.encode(body)))


class Watch:
    """Whose each vector is: who was the first to get it."""

    def __init__(self) -> None:
        self.owner: dict[float, object] = {}
        self.outcomes: dict[str, int] = {}
        self.items = 0

    async def ask(self, it: Any, keys: list[str], rng: random.Random, model: int) -> None:
        tenant, way = rng.randrange(len(keys)), rng.choice(WAYS)
        texts = [str(rng.randrange(TEXTS)) for _ in range(rng.randint(1, 8))]
        body: dict[str, Any] = {"model": "small", "input": texts}
        if rng.random() < 0.5:
            body["encoding_format"] = "base64"
        headers = {"authorization": f"Bearer {keys[tenant]}", **way}
        reply = await it.ask(PATH, msgspec.json.encode(body), headers)
        outcome = reply.headers.get("x-tidegate-cache", "none")
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if reply.status != 200:
            return
        found = vectors(reply)
        assert len(found) == len(texts)
        assert len({numbers[3] for numbers in found}) == 1, "of two models in one answer"
        namespace = next((name for name in way if name != "cache-control"), "")
        for text, (canary, said, made_by, _) in zip(texts, found, strict=True):
            self.items += 1
            mine = (tenant, text, namespace)
            assert self.owner.setdefault(canary, mine) == mine, "another's vector"
            assert (said - 1, made_by) == (float(text), model), "of another text or model"


async def phases(folder: Path, operations: int, **tier: Any) -> Watch:
    watch, rng, made_by = Watch(), random.Random(7), Canaries()
    async with house(folder, made_by, **tier) as it:
        keys = [it.it.store.add(name="k", team=team, customer=c) for team, c in TENANTS]
        for number in range(4):
            model = number % 2 + 1  # and so back to one that has been there
            to = target(it.up.port, model=f"{model}")
            await it.obey(keeping(plan_of(to), **tier))
            left = iter(range(operations // 4))

            async def work(model: int = model, left: Any = left) -> None:
                for count in left:
                    if count == operations // 8:
                        made_by.version += 1  # behind the model's name
                    await watch.ask(it.it, keys, rng, model)

            await asyncio.gather(*(work() for _ in range(WORKERS)))
        await until(lambda: not it.it.world.cache.tasks)
        held = it.it.world.cache.memory["small", "embeddings"]
        assert held.size <= held.max_bytes
    return watch


@pytest.mark.parametrize("max_bytes", [64 * 1024 * 1024, 60_000], ids=["roomy", "tight"])
def test_nobody_gets_another_s_vector(tmp_path: Path, max_bytes: int) -> None:
    async def main() -> None:
        watch = await phases(tmp_path, 800, max_bytes=max_bytes, ttl_s=0.5)
        assert min(watch.outcomes[name] for name in ("hit", "partial", "miss")) > 9

    run(main())


@pytest.mark.soak
@pytest.mark.timeout(2_000)
def test_nobody_gets_another_s_vector_in_a_million_items(tmp_path: Path) -> None:
    async def main() -> None:
        watch = await phases(tmp_path, 230_000, ttl_s=2.0)
        print(f"{watch.items} items, 0 cross reads: {watch.outcomes}")
        assert watch.items > 1_000_000 * 0.8

    run(main(), 1800.0)


def is_open(it: Any) -> bool:
    return it.world.cache.shared is not None and it.world.cache.shared.open


def test_gateways_with_one_store_give_each_other_s_vectors(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        made_by, watch, rng = Canaries(), Watch(), random.Random(2)
        async with (
            Upstream(made_by) as up,
            gateway(tmp_path / "a", target(up.port)) as one,
            gateway(tmp_path / "b", target(up.port)) as other,
        ):
            keys = [one.store.add(name="k", team=team, customer=c) for team, c in TENANTS[:4]]
            plan = keeping(plan_of(target(up.port, model="1"), version=2), store="shared")
            plan = replace(plan, counters=CounterStore(url=url))
            for it in (one, other):
                it.world.cache.connect = connecting({}, "g")
                it.store.rows, it.key = one.store.rows, one.key
                assert await it.obey(plan)
                await until(partial(is_open, it))
            for number in range(200):
                if number == 100:
                    made_by.version = 2
                await watch.ask(rng.choice([one, other]), keys, rng, 1)
            assert min(watch.outcomes[name] for name in ("hit", "partial", "miss")) > 5
            for it in (one, other):
                assert it.world.cache.shared is not None
                assert it.world.cache.shared.damaged == 0
                await it.world.cache.stop()

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(f"unix://{server.socket}"))


def api_of(it: House) -> openai.AsyncOpenAI:
    host, port = it.it.address
    url = f"http://{host}:{port}/v1"
    return openai.AsyncOpenAI(api_key=it.it.key, base_url=url, max_retries=0, timeout=20)


def test_the_official_client_reads_what_is_kept(tmp_path: Path) -> None:
    """Which asks for base64 unless it is told not to."""

    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it, api_of(it) as api:
            said = []
            for texts in (["a", "b"], ["b", "c", "a"], ["c", "b"]):
                raw = await api.embeddings.with_raw_response.create(model="small", input=texts)
                await until(lambda: not it.it.world.cache.tasks)
                answer = raw.parse()
                said.append((raw.headers["x-tidegate-cache"], answer.usage.total_tokens))
                listed = await api.embeddings.create(
                    model="small", input=texts, encoding_format="float"
                )
                assert [row.index for row in answer.data] == list(range(len(texts)))
                assert [row.embedding for row in answer.data] == [
                    row.embedding for row in listed.data
                ]
            assert said == [("miss", 2), ("partial", 1), ("hit", 0)]
            assert made_by.asked == [["a", "b"], ["c"]]

    run(main())
