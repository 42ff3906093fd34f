"""A gateway whose route keeps vectors, in front of an upstream whose vector of an item is a digest
of its model and the item."""

import base64
import contextlib
import hashlib
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.gateway.rig import Gateway, gateway, plan_of, target, until
from tests.gateway.upstream import Exchange, Upstream, answer_bytes

from tidegate.core.cache import EmbeddingsCache, RouteCache
from tidegate.core.plan import Plan, Target
from tidegate.core.receipt import Receipt

PATH = "/v1/embeddings"
DIMENSIONS = 4


def vector(item: Any, model: str = "served-model", dimensions: int = DIMENSIONS) -> list[float]:
    """Numbers of 32 bits, so that both forms of it are equal."""
    digest = hashlib.blake2b(msgspec.json.encode((model, item)), digest_size=dimensions).digest()
    return [(byte + 1) / 512 for byte in digest]


def packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def items_of(said: Any) -> list[Any]:
    one = isinstance(said, str) or (said and isinstance(said[0], int))
    return [said] if one else said


class Embedders:
    """An upstream; `asked` is what each request asked for, in order. `version` is the model that it
    says it used, where that is another than it was asked for; `dimensions` of its vectors."""

    def __init__(self) -> None:
        self.asked: list[list[Any]] = []
        self.version = ""
        self.dimensions = DIMENSIONS
        self.status = 200
        self.ignores_form = False
        self.shuffles = False

    async def __call__(self, exchange: Exchange) -> None:
        said = exchange.json
        items = items_of(said["input"])
        self.asked.append(items)
        if self.status != 200:
            exchange.send(answer_bytes(self.status, b"{}"))
            return
        model = self.version or said["model"]
        wants = said.get("encoding_format") == "base64" and not self.ignores_form
        rows = []
        for index, item in enumerate(items):
            numbers = vector(item, model, said.get("dimensions") or self.dimensions)
            form = packed(numbers) if wants else numbers
            rows.append({"object": "embedding", "index": index, "embedding": form})
        if self.shuffles:
            rows.reverse()
        usage = {"prompt_tokens": len(items), "total_tokens": len(items)}
        body = {"object": "list", "data": rows, "model": model, "usage": usage, "id": "emb-1"}
        exchange.send(answer_bytes(200, msgspec.json.encode(body)))


def keeping(plan: Plan, **tier: Any) -> Plan:
    """The same plan, each of whose routes keeps vectors."""
    cache = RouteCache(embeddings=EmbeddingsCache(**tier))
    return replace(plan, routes={n: replace(it, cache=cache) for n, it in plan.routes.items()})


class House:
    def __init__(self, it: Gateway, up: Upstream, plan: Plan) -> None:
        self.it, self.up, self.plan = it, up, plan
        self._version = plan.version

    async def obey(self, plan: Plan) -> None:
        self._version += 1
        assert await self.it.obey(replace(plan, version=self._version))

    async def ask(self, items: Any, headers: Any = None, key: str = "", **members: Any) -> Any:
        """Its reply, once what it has had made is kept."""
        body = {"model": "small", "input": items, **members}
        headers = {"authorization": f"Bearer {key or self.it.key}", **(headers or {})}
        reply = await self.it.ask(PATH, msgspec.json.encode(body), headers)
        await until(lambda: not self.it.world.cache.tasks)
        return reply

    async def last(self, count: int) -> Receipt:
        await self.it.receipt(count)
        return self.it.receipts()[-1]


def vectors(reply: Any) -> list[list[float]]:
    """Of an answer, in either form, each at its index."""
    assert reply.status == 200, reply.raw
    rows = sorted(reply.json["data"], key=lambda row: row["index"])
    assert [row["index"] for row in rows] == list(range(len(rows)))
    found = []
    for row in rows:
        said = row["embedding"]
        if isinstance(said, str):
            data = base64.b64decode(said)
            said = list(struct.unpack(f"<{len(data) // 4}f", data))
        found.append(said)
    return found


@contextlib.asynccontextmanager
async def house(
    folder: Path, script: Any, *more: Target, aim: Target | None = None, **tier: Any
) -> AsyncIterator[House]:
    limits = tier.pop("limits", ())
    async with Upstream(script) as up, gateway(folder, target(up.port)) as it:
        to = target(up.port) if aim is None else replace(aim, replicas=target(up.port).replicas)
        made = House(it, up, keeping(plan_of(to, *more, version=2, limits=limits), **tier))
        assert await it.obey(made.plan)
        yield made
