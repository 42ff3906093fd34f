"""`POST /v1/cache/chunks/get`, `put` and `delete`: what applications keep themselves, such as what
a search has found for a question.

Values are opaque JSON, given as they were put. Who shares them is as on the route that is named,
which has to keep chunks and be one that the key may use. Nothing of it leaves a receipt.
"""

import hashlib
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.cache import ChunksCache
from tidegate.core.cache_labels import MOST_TAGS, Labels, Mark, is_label
from tidegate.core.kept_answer import Answers, KeptAnswer
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Route
from tidegate.core.receipt import Receipt
from tidegate.core.units import usd_to_nanousd
from tidegate.gateway.answer_cache import AnswerCache
from tidegate.gateway.as_of import AsOf
from tidegate.gateway.authenticate import authenticate
from tidegate.gateway.cache_key import DIGEST_BYTES, whose
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.world import World
from tidegate.text.strict_json import JsonProblem, read_object

_BEFORE: Final = (b"/v1/cache/chunks/", b"/cache/chunks/")
PATHS: Final = frozenset(
    before + verb for before in _BEFORE for verb in (b"get", b"put", b"delete")
)
MOST_AT_ONCE: Final = 100
MOST_KEY_CHARS: Final = 512
_VERSION: Final = 1
_MOST_TAKEN_S: Final = 86_400.0
_MOST_COST_USD: Final = 1_000.0
_Key = Annotated[str, Meta(min_length=1, max_length=MOST_KEY_CHARS)]
_Keys = Annotated[tuple[_Key, ...], Meta(min_length=1, max_length=MOST_AT_ONCE)]
_Words = Annotated[tuple[str, ...], Meta(max_length=MOST_TAGS)]
_Namespace = Annotated[str, Meta(max_length=MOST_KEY_CHARS)]


class _Named(Struct, forbid_unknown_fields=True):
    route: str
    keys: _Keys
    namespace: _Namespace = ""


class _Entry(Struct, forbid_unknown_fields=True):
    key: _Key
    value: Raw
    ttl_s: Annotated[float, Meta(gt=0)] | None = None
    took_s: Annotated[float, Meta(gt=0, le=_MOST_TAKEN_S)] | None = None
    cost_usd: Annotated[float, Meta(ge=0, le=_MOST_COST_USD)] | None = None
    tags: _Words = ()
    sources: _Words = ()


class _Put(Struct, forbid_unknown_fields=True):
    route: str
    entries: Annotated[tuple[_Entry, ...], Meta(min_length=1, max_length=MOST_AT_ONCE)]
    namespace: _Namespace = ""
    as_of: str | None = None


class _Found(Struct, omit_defaults=True):
    key: str
    found: bool
    value: Raw = Raw(b"null")
    age_s: float | None = None
    expires_in_s: float | None = None


class _Kept(Struct, omit_defaults=True):
    key: str
    kept: bool
    reason: str | None = None


_encode: Final = msgspec.json.Encoder().encode
_pack: Final = msgspec.msgpack.Encoder().encode
_decode_named: Final = msgspec.json.Decoder(_Named).decode
_decode_put: Final = msgspec.json.Decoder(_Put).decode
_JUDGED: Final = frozenset({*_Named.__struct_fields__, *_Put.__struct_fields__})


class _Place(Struct, eq=False):
    """Where this caller's entries of a route are."""

    tier: ChunksCache
    answers: Answers
    route: Route
    start: Any
    labels: Labels

    def key(self, name: str) -> bytes:
        digest = self.start.copy()
        digest.update(name.encode())
        found: bytes = digest.digest()
        return found


async def chunks(incoming: Incoming, connection: Connection, world: World) -> None:
    """Answers one such request."""
    receipt = Receipt(world.ids.new(), 0.0, world.gateway, "chat")  # only to be written on
    try:
        key = await authenticate(incoming.head, world.keys, receipt)
        world.cache.chunk_rate.admit(key.id, incoming.received_s)
        body = await _answer(incoming, key, receipt, world)
        head = answers.json_head(200) + b"cache-control: no-store\r\n"
    except Refusal as no:
        world.listener.refused(no.code.name)
        head, body = answers.error_head(no), answers.error_body(no)
    connection.send(head + answers.request_id_header(receipt.id), body)


async def _answer(incoming: Incoming, key: KeyRecord, receipt: Receipt, world: World) -> bytes:
    verb = incoming.head.path.rpartition(b"/")[2]
    said = _read(incoming.body, verb)
    place = _place(said.route, said.namespace, key, receipt, world)
    if isinstance(said, _Put):
        rows: list[Any] = await _put(said, place, incoming.received_s, world)
        return _encode({"object": "list", "data": rows})
    if verb == b"delete":
        return _encode({"object": "list", "data": await _delete(said, place, world)})
    as_of = AsOf.now(incoming.received_s, world.cache).written()
    return _encode({"object": "list", "as_of": as_of, "data": await _get(said, place, world)})


async def _get(said: _Named, place: _Place, world: World) -> list[_Found]:
    began_s, worth = clock.monotonic_s(), world.cache.chunks[place.route.name]
    found = await place.answers.get_many([place.key(name) for name in said.keys])
    worth.looked_s += clock.monotonic_s() - began_s
    rows = []
    for name, one in zip(said.keys, found, strict=True):
        kept = one is not None and one.age_s < one.answer.fresh_s
        world.cache.lookups[place.route.name, "chunks", "hit" if kept else "miss"] += 1
        if one is None or not kept:
            rows.append(_Found(name, False))
            continue
        worth.hit(one.answer)
        left_s = one.answer.fresh_s - one.age_s
        rows.append(_Found(name, True, Raw(one.answer.body), one.age_s, left_s))
    return rows


async def _put(said: _Put, place: _Place, received_s: float, world: World) -> list[_Kept]:
    cache, route, tier = world.cache, place.route.name, place.tier
    as_of = AsOf.now(received_s, cache) if said.as_of is None else AsOf.read(said.as_of)
    mark = as_of.mark(received_s, cache, shared=tier.store == "shared")
    rows = []
    for entry in said.entries:
        labels = _labels(place, entry, mark)
        why = _why_not(entry, labels, tier, cache)
        if mark is None:
            why = "as_of_unknown"
        rows.append(_Kept(entry.key, why is None, why))
        if why is not None:
            cache.unkept[route, why] += 1
            continue
        ttl_s = min(entry.ttl_s or tier.ttl_s, tier.ttl_s)
        kept = _kept(entry, ttl_s, labels)
        await place.answers.put_many([(place.key(entry.key), kept)], ttl_s)
        cache.kept[route] += 1
    return rows


def _kept(entry: _Entry, ttl_s: float, labels: Labels) -> KeptAnswer:
    cost = entry.cost_usd
    return KeptAnswer(
        receipt_id=labels.entry or "",
        made_at_s=clock.wall_s(),
        fresh_s=ttl_s,
        target="",
        streamed=False,
        body=bytes(entry.value),
        cost_nanousd=None if cost is None else usd_to_nanousd(Decimal(repr(cost))),
        took_s=entry.took_s or 0.0,
        labels=labels,
    )


def _labels(place: _Place, entry: _Entry, mark: Mark | None) -> Labels:
    return replace(
        place.labels,
        tags=tuple(dict.fromkeys(place.labels.tags + entry.tags)),
        sources=tuple(dict.fromkeys(entry.sources)),
        number=0 if mark is None else mark.number,
        id="" if mark is None else mark.id,
    )


def _why_not(entry: _Entry, labels: Labels, tier: ChunksCache, cache: AnswerCache) -> str | None:
    if len(bytes(entry.value)) > tier.max_entry_bytes:
        return "too_large"
    if not cache.is_there(tier):
        return "store_unavailable"
    return "invalidated" if cache.is_void(labels, shared=tier.store == "shared") else None


async def _delete(said: _Named, place: _Place, world: World) -> list[dict[str, Any]]:
    rows = []
    for name in said.keys:
        deleted = None
        if world.cache.is_there(place.tier):
            deleted = await place.answers.remove(place.key(name))
        if deleted is None:
            message = "the shared store of kept answers is away; what was named may be there still"
            raise Refusal("store_unavailable", message, retry_after_s=1.0)
        rows.append({"key": name, "deleted": deleted})
    return rows


def _place(name: str, namespace: str, key: KeyRecord, receipt: Receipt, world: World) -> _Place:
    """Refusal where the route is none that this key may keep chunks on."""
    prepared = world.obeyed().routes.get(name)
    if prepared is None:
        message = "there is no such route; GET /v1/models lists yours"
        raise Refusal("model_not_found", message, param="route")
    if not key.may_use(name):
        raise Refusal("route_not_allowed", "this API key may not use that route", param="route")
    route = prepared.route
    if route.cache is None or route.cache.chunks is None:
        message = "that route keeps no chunks: its `cache` has no `chunks` in the plan"
        raise Refusal("invalid_request", message, param="route")
    tier = route.cache.chunks
    start = hashlib.blake2b(digest_size=DIGEST_BYTES)
    whom = tier.scope, whose(tier.scope, receipt), namespace
    head = _pack((_VERSION, "chunks", name, route.cache.tags, *whom))
    start.update(len(head).to_bytes(4, "big") + head)
    labels = Labels(
        tier="chunks",
        entry=receipt.id,
        route=name,
        team=receipt.team,
        customer=receipt.customer,
        key=receipt.key_id,
        tags=route.cache.tags,
    )
    return _Place(tier, world.cache.of(route, "chunks", tier), route, start, labels)


def _read(body: bytes, verb: bytes) -> _Named | _Put:
    try:
        read_object(body, _JUDGED)
        said = _decode_put(body) if verb == b"put" else _decode_named(body)
    except JsonProblem as problem:
        raise Refusal("invalid_json", str(problem), param=problem.path) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("invalid_parameter", _what(verb, error)) from None
    if isinstance(said, _Put):
        for entry in said.entries:
            if not all(map(is_label, (*entry.tags, *entry.sources))):
                message = "`tags` and `sources` are words of 1 to 128 printable characters"
                raise Refusal("invalid_parameter", message, param="entries")
    return said


def _what(verb: bytes, error: Exception) -> str:
    wanted = f'"keys": [at most {MOST_AT_ONCE} of at most {MOST_KEY_CHARS} characters]'
    if verb == b"put":
        wanted = (
            f'"entries": [at most {MOST_AT_ONCE} of {{"key", "value", "ttl_s", "took_s", '
            '"cost_usd", "tags", "sources"}], "as_of": what `get` said'
        )
    return f'send {{"route": ROUTE, {wanted}, "namespace": WORD}}: {error}'[:500]
