"""The paths of port 4000: inference goes to `live`, the rest is answered here."""

from collections.abc import Coroutine
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.allowance import allowances
from tidegate.gateway.authenticate import authenticate
from tidegate.gateway.batch_front import batch_front, batch_place
from tidegate.gateway.chunks import PATHS as CHUNKS
from tidegate.gateway.chunks import chunks
from tidegate.gateway.context import read_context
from tidegate.gateway.count import count
from tidegate.gateway.entry import Entry, entries
from tidegate.gateway.feedback import PATHS as FEEDBACK
from tidegate.gateway.feedback import feedback
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.kept import kept, place_of
from tidegate.gateway.life import live
from tidegate.gateway.message_front import message_front, message_place
from tidegate.gateway.prompt_page import prompt_in, prompt_page
from tidegate.gateway.world import World

_LIVE: Final = frozenset({b"/livez", b"/healthz", b"/health/liveliness", b"/health/liveness"})
_READY: Final = frozenset({b"/readyz", b"/health/readiness"})
_MODELS: Final = (b"/v1/models", b"/models")
_USAGE: Final = (b"/v1/usage", b"/usage")
_KNOWN: Final = frozenset({*_LIVE, *_READY, *_MODELS, *_USAGE})
_POSTED: Final = frozenset({*FEEDBACK, *CHUNKS})
_TAKES_GET: Final = b"allow: GET, HEAD\r\n"
_TAKES_POST: Final = b"allow: POST\r\n"


class Front:
    """Answers every request of one gateway process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._entries = entries(world.dialects)

    def answer(self, incoming: Incoming, connection: Connection) -> Coroutine[Any, Any, None]:
        """http.server.Answer: one request, one answer."""
        entry = self._entries.get(incoming.head.path)
        if entry is not None and incoming.head.method == b"POST":
            if entry.counted is not None:
                return count(incoming, connection, entry, self._world)
            return live(incoming, connection, entry, self._world)
        filed = batch_place(incoming.head) if entry is None else None
        if filed is not None:
            return batch_front(incoming, connection, filed, self._world)
        spoken = message_place(incoming.head) if entry is None else None
        if spoken is not None:
            return message_front(incoming, connection, spoken, self._world)
        place = place_of(incoming.head) if entry is None else None
        if place is not None:
            return kept(incoming, connection, place, self._world)
        if incoming.head.path in FEEDBACK and incoming.head.method == b"POST":
            return feedback(incoming, connection, self._world)
        if incoming.head.path in CHUNKS and incoming.head.method == b"POST":
            return chunks(incoming, connection, self._world)
        return self._small_answer(incoming, connection, entry)

    async def _small_answer(
        self, incoming: Incoming, connection: Connection, entry: Entry | None
    ) -> None:
        takes_post = entry is not None or incoming.head.path in _POSTED
        try:
            if takes_post:
                raise Refusal("method_not_allowed", "this path takes POST")
            head, body = await self._page(incoming)
        except Refusal as refusal:
            self._world.listener.refused(refusal.code.name)
            head = answers.error_head(refusal)
            if refusal.code.name == "method_not_allowed":
                head += _TAKES_POST if takes_post else _TAKES_GET
            head += answers.request_id_header(self._world.ids.new())
            body = answers.error_body(refusal)
        connection.send(head, body)

    async def _page(self, incoming: Incoming) -> tuple[bytes, bytes]:
        path = incoming.head.path
        model, prompt = _model_in(path), prompt_in(path)
        if model is None and prompt is None and path not in _KNOWN:
            raise Refusal("not_found", "there is nothing at this path")
        if incoming.head.method not in (b"GET", b"HEAD"):
            raise Refusal("method_not_allowed", "this path takes GET")
        if path in _LIVE:
            return answers.text_head(200), b"ok\n"
        if path in _READY:
            return self._readiness()
        if path in _USAGE:
            return answers.json_head(200), await self._usage(incoming)
        key = await self._key(incoming)
        if prompt is not None:
            return prompt_page(prompt, incoming.head.query, key, self._world.obeyed().plan)
        if model is None:
            return answers.json_head(200), self._models(key)
        return answers.json_head(200), self._model(key, model)

    def _readiness(self) -> tuple[bytes, bytes]:
        """Ready to serve; being unable to record is told apart from being unable to serve."""
        world = self._world
        if world.listener.draining:
            raise Refusal("draining", "the gateway is shutting down")
        world.obeyed()
        world.check_journal()
        return answers.text_head(200), b"ready\n"

    async def _key(self, incoming: Incoming) -> KeyRecord:
        world = self._world
        receipt = Receipt("", 0.0, world.gateway, "chat")  # only to be written on
        return await authenticate(incoming.head, world.keys, receipt)

    async def _usage(self, incoming: Incoming) -> bytes:
        """What is left to the caller on the routes that its key may use."""
        world = self._world
        receipt = Receipt("", 0.0, world.gateway, "chat")
        key = await authenticate(incoming.head, world.keys, receipt)
        read_context(incoming.head.headers).note(receipt)
        receipt.end_user = key.end_user or receipt.end_user
        plan = world.obeyed()
        routes = [(name, route) for name, route in plan.routes.items() if key.may_use(name)]
        limits = plan.limits.of_key(key) + plan.limits.every()
        return await allowances(limits, receipt, routes, world.past)

    def _models(self, key: KeyRecord) -> bytes:
        plan = self._world.obeyed()
        rows = [_row(name, plan.plan.compiled_at_s) for name in plan.routes if key.may_use(name)]
        return msgspec.json.encode({"object": "list", "data": rows})

    def _model(self, key: KeyRecord, name: str) -> bytes:
        plan = self._world.obeyed()
        if name not in plan.routes or not key.may_use(name):
            raise Refusal(
                "model_not_found",
                "there is no such model; GET /v1/models lists yours",
                param="model",
            )
        return msgspec.json.encode(_row(name, plan.plan.compiled_at_s))


def _model_in(path: bytes) -> str | None:
    """The model's name in `/v1/models/{id}`, which clients may percent-encode.

    Nothing else of a path is decoded: the name is only ever compared with the plan's.
    """
    for prefix in _MODELS:
        if path.startswith(prefix + b"/"):
            try:
                return unquote_to_bytes(path[len(prefix) + 1 :]).decode("utf-8")
            except UnicodeDecodeError:
                return ""  # no model has that name
    return None


def _row(name: str, created_s: float) -> dict[str, str | int]:
    return {"id": name, "object": "model", "created": int(created_s), "owned_by": "tidegate"}
