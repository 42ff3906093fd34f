"""batches: `/v1/batches`, a file's requests answered within a day.

A batch lies at its provider. What is ours of it stands in its metadata there, sealed: whose it is.
So every gateway lists a caller's batches and nobody's else, after any restart.
"""

import asyncio
import uuid
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.ask import OPENAI_RESPONSES
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.purpose import BATCH_HOLD
from tidegate.core.receipt import Receipt
from tidegate.gateway.batch_hold import hold, note_begun, release_or_later
from tidegate.gateway.batch_ids import (
    MAX_SEAL_CHARS,
    MAX_VALUE_CHARS,
    OWNER,
    SEALED,
    Kind,
    Sealed,
    brought,
    hold_id,
    opened,
    owned,
    seal_of,
    shown,
)
from tidegate.gateway.batch_input import GUARDED, RESPONSES_URL, URLS, url_of
from tidegate.gateway.batch_place import Account, Answer, Unsent, account_of, ask, good_of, sent
from tidegate.gateway.batch_price import pinned
from tidegate.gateway.batch_reading import own_id, read
from tidegate.gateway.batch_watch import FILES, heed
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.resolve import OFF_RETRY_S
from tidegate.gateway.world import World
from tidegate.text.strict_json import JsonProblem, read_object

INPUT: Final = "tidegate_input"
# Providers take 16; two are ours.
MAX_METADATA: Final = 14
_UNSURE: Final = frozenset({"interrupted", "timeout", "malformed", "unavailable"})


class _Create(Struct, forbid_unknown_fields=True):
    input_file_id: str
    endpoint: str
    completion_window: Annotated[str, Meta(max_length=16)]
    metadata: dict[str, str] | None = None
    output_expires_after: Raw | None = None


_MEMBERS: Final = frozenset(_Create.__struct_fields__)
_WHY: Final = (
    'send {"input_file_id": a file\'s id, "endpoint": "/v1/chat/completions", '
    '"completion_window": "24h", "metadata": {...}}'
)
_decode: Final = msgspec.json.Decoder(_Create).decode
_encode: Final = msgspec.json.Encoder().encode


class MayExist(Failure):
    """What may have been created all the same, and must not be tried again unseen."""


async def create(incoming: Incoming, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Begins a batch. Failure, Refusal."""
    said = _read(incoming.body)
    plan, digests = world.obeyed(), world.keys.digests
    file = owned(said.input_file_id, ("input",), key, digests)
    url = url_of_lines(file)
    if said.endpoint != url:
        message = f"`endpoint` must be that of the file's lines: {url}"
        raise Refusal("invalid_parameter", message, param="endpoint")
    at = account_of(file, plan)
    check_route(file.route, plan)
    world.check_journal()
    owner = owner_of_new(file, at, key, world)
    # What is longer than providers take is left out: such a batch is found by its id alone.
    ours = {OWNER: seal_of(owner, digests), INPUT: said.input_file_id}
    fitting = {name: it for name, it in ours.items() if it and len(it) <= MAX_VALUE_CHARS}
    body: dict[str, Any] = {
        "input_file_id": file.own,
        "endpoint": url_of(at.wire, file.endpoint, file.dialect),
        "completion_window": said.completion_window,
        "metadata": {**(said.metadata or {}), **fitting},
    }
    if said.output_expires_after is not None:
        body["output_expires_after"] = said.output_expires_after
    what = Beginning(at, _encode(body), file, owner, "batch")
    told, batch = await begin(what, key, world, request_id)
    return _encode(shown_to(told, batch, key, world))


def check_route(name: str, plan: PreparedPlan) -> None:
    """Refusal where the plan has come to say no to what a file was taken for."""
    route = plan.routes.get(name)
    if route is None:
        message = "there is no such model any more; GET /v1/models lists yours"
        raise Refusal("model_not_found", message, param="input_file_id")
    if (off := route.off_but_chats) is not None:
        raise Refusal("route_off", off, retry_after_s=OFF_RETRY_S)
    if route.route.guardrails is not None:
        raise Refusal("invalid_request", GUARDED, param="input_file_id")


class Beginning(Struct, frozen=True, eq=False):
    """A batch to be: where, as its provider is asked, the seal of its lines and of its owner."""

    at: Account
    body: bytes
    file: Sealed
    owner: Sealed
    kind: Kind
    headers: bytes = b""


async def begin(
    what: Beginning, key: KeyRecord, world: World, request_id: str
) -> tuple[dict[str, Any], Sealed]:
    """What its provider tells of a batch that it has begun. Whoever asked may leave: what exists by
    then is looked after all the same. Failure, Refusal."""
    task = asyncio.get_running_loop().create_task(_begin(what, key, world, request_id))
    world.batches.beginning.add(task)
    task.add_done_callback(lambda done: _begun(done, world))
    return await asyncio.shield(task)


async def _begin(
    what: Beginning, key: KeyRecord, world: World, request_id: str
) -> tuple[dict[str, Any], Sealed]:
    """What it may cost is held, and its receipt is safe, before anybody is asked; no longer where
    it surely was not begun."""
    at, owner = what.at, what.owner
    receipt = receipt_of(hold_id(owner), owner, at, key, world)
    seal = shown(owner, world.keys.digests)
    if len(seal) > MAX_SEAL_CHARS:
        message = "what your token says of you is too long to stand in the id of a batch"
        raise Refusal("invalid_request", message)
    receipt.attributes = {**key.attributes, SEALED: seal}
    if not await hold(what.file, receipt, key, world):
        await release_or_later(owner, world)
        message = "the gateway cannot record what a batch may cost now"
        raise Refusal("ledger_unavailable", message, retry_after_s=5.0)

    async def exchange() -> Answer:
        head = await at.head(b"POST", b"/batches", request_id)
        return await sent(at, head + what.headers, what.body)

    try:
        told = read(await good_of(at, exchange))
        batch = replace(owner, kind=what.kind, own=own_id(told))
    except (Refusal, Failure) as failure:
        if isinstance(failure, Refusal) or _was_refused(failure):
            await release_or_later(owner, world)
            raise
        world.batches.unsure.append(owner)
        message = f"{failure.message}; it may have been created: list batches before another try"
        raise MayExist(failure.kind, failure.code.name, message) from None
    heed(told, batch, world)
    world.batches.created[at.target.target.name] += 1
    await note_begun(batch, world)
    return told, batch


def _was_refused(no: Failure) -> bool:
    """Whether it surely was not begun."""
    return isinstance(no, Unsent) or no.kind not in _UNSURE or no.code.name == "upstream_auth"


def _begun(task: "asyncio.Task[Any]", world: World) -> None:
    world.batches.beginning.discard(task)
    if not task.cancelled():
        task.exception()  # which nobody may be there to be told of


async def retrieve(id: str, key: KeyRecord, world: World, request_id: str) -> bytes:
    """A batch as it stands. Failure, Refusal."""
    batch = owned(id, ("batch",), key, world.keys.digests)
    at = account_of(batch, world.obeyed())
    told = read(await ask(at, b"GET", b"/batches/" + batch.own.encode(), request_id))
    return _encode(shown_to(told, batch, key, world))


async def cancel(id: str, key: KeyRecord, world: World, request_id: str) -> bytes:
    """Calls a batch back; what it has done by then is charged. Failure, Refusal."""
    batch = owned(id, ("batch",), key, world.keys.digests)
    at = account_of(batch, world.obeyed())
    path = b"/batches/%b/cancel" % batch.own.encode()
    told = read(await ask(at, b"POST", path, request_id, body=b""))
    return _encode(shown_to(told, batch, key, world))


def shown_to(told: dict[str, Any], batch: Sealed, key: KeyRecord, world: World) -> dict[str, Any]:
    """A batch as its caller is to see it: ids of ours, and nothing of ours in its metadata."""
    digests = world.keys.digests
    heed(told, batch, world)
    told = {**told, "id": shown(batch, digests)}
    metadata = told.get("metadata")
    own = metadata if isinstance(metadata, dict) else {}
    if isinstance(given := own.get(INPUT), str) and opened(given, key, digests) is not None:
        told["input_file_id"] = given
    else:
        told.pop("input_file_id", None)
    told["metadata"] = {k: v for k, v in own.items() if k not in (OWNER, INPUT)} or None
    for name in FILES:
        file = told.get(name)
        told[name] = None
        if isinstance(file, str) and file:
            results = replace(batch, kind="results", own=own_id({"id": file}), batch=batch.own)
            told[name] = shown(results, digests)
    return told


def owner_of_new(file: Sealed, at: Account, key: KeyRecord, world: World) -> Sealed:
    """Whose a batch of this file is, when it begins, and what its lines cost. Refusal where that is
    not what the file was judged by."""
    batches = at.target.target.batches
    price = pinned(None if batches is None else batches.price)
    if price != file.price and file.price is not None:
        message = "the price of a batch has changed since the file was sent: send the file again"
        raise Refusal("invalid_parameter", message, param="input_file_id")
    return replace(
        file,
        kind="owner",
        own="",
        key_id=key.id,
        at_ms=int(clock.wall_s() * 1000),
        lines=0,
        most_nanousd=None,
        unbound=False,
        added=False,
        hold=uuid.UUID(world.ids.new()).bytes,
        price=price,
        brought=brought(key),
    )


def receipt_of(id: str, owner: Sealed, at: Account, key: KeyRecord, world: World) -> Receipt:
    """Of what is held for a batch, or of a file: whose it is, as budgets ask."""
    target = at.target.target
    receipt = Receipt(id, owner.at_ms / 1000, world.gateway, owner.endpoint, purpose=BATCH_HOLD)
    receipt.dialect = owner.dialect
    receipt.plan_version, receipt.priority = world.obeyed().plan.version, "batch"
    receipt.key_id, receipt.team, receipt.customer = key.id, key.team, key.customer
    receipt.environment, receipt.attributes = key.environment, key.attributes or None
    receipt.route = receipt.model_asked = owner.route
    receipt.target, receipt.provider = target.name, target.provider
    receipt.model_wanted = target.model
    return receipt


def _read(body: bytes) -> _Create:
    try:
        read_object(body, _MEMBERS)
        said = _decode(body)
    except JsonProblem as problem:
        raise Refusal("invalid_json", str(problem), param=problem.path) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("invalid_parameter", f"{_WHY}: {error}"[:500]) from None
    metadata = said.metadata or {}
    if len(metadata) > MAX_METADATA or any(len(it) > MAX_VALUE_CHARS for it in metadata.values()):
        message = f"`metadata` has at most {MAX_METADATA} values of {MAX_VALUE_CHARS} characters"
        raise Refusal("invalid_parameter", message, param="metadata")
    if any(name.startswith(OWNER) for name in metadata):
        message = f"names in `metadata` that begin with `{OWNER}` are ours"
        raise Refusal("invalid_parameter", message, param="metadata")
    return said


def url_of_lines(file: Sealed) -> str:
    """As a caller writes it."""
    if file.dialect == OPENAI_RESPONSES:
        return RESPONSES_URL
    return next(url for url, entry in URLS.items() if entry.endpoint == file.endpoint)
