"""A route that is set up for chats, with every limit there is, serves what is no chat beside them:
what is of chats alone leaves it alone."""

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_media import PRICE
from tests.gateway.limited import limit
from tests.gateway.rig import gateway, run, target
from tests.gateway.test_metered_request import field, file

from tidegate.core.cache import EmbeddingsCache, ExactCache, RouteCache
from tidegate.core.capture import Capture
from tidegate.core.contracts import Contract
from tidegate.core.plan import Limit, Release, Route
from tidegate.core.receipt import Receipt
from tidegate.sim.options import Options
from tidegate.sim.server import serve

IMAGE = field("model", "media") + field("prompt", "p") + file("image") + b"--xx--\r\n"
AUDIO = field("model", "media") + file() + b"--xx--\r\n"
ASKED: dict[str, Any] = {
    "/v1/rerank": {"model": "media", "query": "q", "documents": ["a"]},
    "/v1/moderations": {"model": "media", "input": "hi"},
    "/v1/images/generations": {"model": "media", "prompt": "p", "stream": True},
    "/v1/images/edits": IMAGE,
    "/v1/images/variations": IMAGE,
    "/v1/audio/speech": {"model": "media", "input": "hi", "response_format": "pcm"},
    "/v1/audio/transcriptions": AUDIO,
    "/v1/audio/translations": AUDIO,
}
MOST = 10**12
LIMITS = (
    *(limit(kind, MOST, per_s=60.0, scope=("prompt",)) for kind in ("requests", "tokens")),
    limit("concurrency", 1, scope=("key",)),
    limit("repeats", 100, per_s=60.0, scope=("session",)),
    limit("session", 100, scope=("session",)),
    *(limit(kind, MOST) for kind in ("max_input_tokens", "max_output_tokens")),
    *(limit(kind, 100) for kind in ("tool_depth", "turns")),
    limit("spend", MOST, unit="month", scope=("target",)),
    Limit("own", "spend", MOST, ("team",), unit="month"),
)
OF_CHATS: dict[str, Any] = {
    "contract": Contract(json=True, buffer=True),
    "parameters": (("temperature", "0.5"),),
    "system_prompt": "Be short.",
    "capture": Capture(1.0),
    "prefix_marks": "5m",
    "cache": RouteCache(ExactCache(deterministic="any"), embeddings=EmbeddingsCache()),
    "balance": "sticky",
}


def served(tmp_path: Path, limits: tuple[Limit, ...], **fields: Any) -> list[Receipt]:
    """Every endpoint, twice; their receipts."""
    receipts: list[Receipt] = []

    async def main() -> None:
        sim = await serve(Options(models=("m",)))
        small: Any = {"dialect": "sim", "model": "m", "price": PRICE, "context_tokens": 4096}
        media = target(sim.port, "media", tokenizer="o200k_base", **small)
        route = Route("media", Release("media@1", media), **fields)
        try:
            async with gateway(tmp_path, media, routes={"media": route}, limits=limits) as it:
                for path, body in [*ASKED.items(), *ASKED.items()]:
                    headers = {"authorization": f"Bearer {it.key}", "x-session-id": "s"}
                    if isinstance(body, bytes):
                        headers["content-type"] = "multipart/form-data; boundary=xx"
                    reply = await it.ask(path, body, headers)
                    assert (reply.status, reply.whole) == (200, True), (path, reply.raw)
                receipts.extend(it.receipts())
        finally:
            await sim.close()

    run(main())
    return receipts


def test_what_is_set_up_for_chats_leaves_the_rest_alone(tmp_path: Path) -> None:
    receipts = served(tmp_path, (), **OF_CHATS)
    assert [one.error_code for one in receipts] == [None] * 2 * len(ASKED)
    assert {one.cache for one in receipts} == {None}
    assert {one.validity for one in receipts} == {None}


@pytest.mark.parametrize("one", LIMITS, ids=lambda one: one.name)
def test_every_kind_of_limit_lets_it_pass_and_holds_nothing_on(tmp_path: Path, one: Limit) -> None:
    receipts = served(tmp_path, (one,))
    assert len(receipts) == 2 * len(ASKED)
    assert all(hold.used is not None or not hold.amount for it in receipts for hold in it.holds)
