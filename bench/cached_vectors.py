"""What kept vectors cost: a batch of 100 texts of which 90 are kept, split and joined, and a
request of a route that keeps none."""

import base64
import itertools
import statistics
import struct
import time
from typing import Any

import msgspec
import uvloop
from msgspec import Raw

from tidegate.core import clock
from tidegate.core.ask import Answer, Ask
from tidegate.core.cache import EmbeddingsCache, RouteCache
from tidegate.core.kept_answer import Found, KeptAnswer
from tidegate.core.plan import Release, Replica, Route, Target
from tidegate.core.receipt import Receipt
from tidegate.gateway.batch import Batch, agreeing
from tidegate.gateway.vector_form import to_keep
from tidegate.gateway.vector_key import prepare_vectors, read_items
from tidegate.stores.memory_answers import MemoryAnswers

_FORMS = ("lists", "base64")
ITEMS, HITS, NUMBERS, ROUNDS = 100, 90, 1536, 40
_TARGET = Target("t", "up", "openai", "m", (Replica("r", "http", "h", 1, "/v1"),))
_TIER = EmbeddingsCache()
_ROUTE = Route("embed", Release("embed@1", _TARGET), cache=RouteCache(embeddings=_TIER))
_FOUND = prepare_vectors(_ROUTE)
assert _FOUND is not None
_READY = _FOUND


def vectors() -> None:
    """Prints what an item of such a batch takes of the gateway, in either form."""
    for came, asked in itertools.product((True, False), repeat=2):
        took_us = uvloop.run(_took_us(came, packed=asked)) / ITEMS
        forms = f"kept as {_FORMS[came]} and asked as {_FORMS[asked]}"
        print(f"{HITS} of {ITEMS} vectors {forms}: {took_us:.1f} us an item", flush=True)


async def _took_us(came: bool, *, packed: bool) -> float:
    """CPU of one batch, the median of several."""
    members = _members(packed=packed)
    kept_rows = [_row(number, packed=came) for number in range(HITS)]
    rows = [_row(number, packed=packed) for number in range(ITEMS)]
    answers = MemoryAnswers(1 << 30)
    keys = _keys(_ask(members))[1]["t"]
    for key, row in zip(keys, kept_rows, strict=False):
        form = to_keep(row)
        assert form is not None
        kept = KeptAnswer("r", clock.wall_s(), 3600.0, "t", False, form, model_served="m")
        answers.put(key, kept, 3600.0)
    data = [{"index": at, "embedding": Raw(row)} for at, row in enumerate(rows[HITS:])]
    body = msgspec.json.encode({"data": data, "model": "m"})
    spent_s = []
    for _ in range(ROUNDS):
        ask = _ask(members)
        began_s = time.thread_time()
        asked, found = _keys(ask)
        kept_ones = await answers.get_many(found["t"])
        here: dict[int, Found] = {n: one for n, one in enumerate(kept_ones) if one is not None}
        batch = Batch(_TIER, asked, found, "r", True, 1.0, ask.members, {"t": agreeing(here)})
        batch.aim(ask, "t")
        receipt = Receipt("1", 1.0, "g", "embeddings")
        whole = batch.join(body, Answer(None, None, "m", None, b""), receipt)
        spent_s.append(time.thread_time() - began_s)
        assert (receipt.cache_item_hits, batch.mixed) == (HITS, False)
        assert len(msgspec.json.decode(whole)["data"]) == ITEMS
    return statistics.median(spent_s) * 1e6


def _members(*, packed: bool) -> dict[str, Raw]:
    texts = [f"Chunk {number} of the handbook. " + "what it says " * 40 for number in range(ITEMS)]
    form = "base64" if packed else "float"
    said = {"model": "embed", "input": texts, "encoding_format": form}
    return {name: Raw(msgspec.json.encode(value)) for name, value in said.items()}


def _ask(members: dict[str, Raw]) -> Ask:
    return Ask("embeddings", b"", dict(members), "embed")


def _keys(ask: Ask) -> Any:
    asked = read_items(ask, hears_users=_READY.hears_users)
    assert asked is not None
    receipt = Receipt("r", 1.0, "g", "embeddings", key_id="k", team="t", customer="c")
    return asked, _READY.keys(asked, receipt, "")


def _row(number: int, *, packed: bool) -> bytes:
    numbers = [((number * 31 + at * 17) % 997 - 498) / 12_345 for at in range(NUMBERS)]
    floats = struct.pack(f"<{NUMBERS}f", *numbers)
    if packed:
        return b'"' + base64.b64encode(floats) + b'"'
    return msgspec.json.encode(numbers)
