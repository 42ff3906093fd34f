"""kept: an answer that its provider stores, read or deleted by those whose it is (`stored`).

No model works and nothing is charged, so none of it leaves a receipt.
"""

import asyncio
import re
from typing import Final, NamedTuple

from tidegate.core.ask import OPENAI_RESPONSES
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Attempt, Receipt
from tidegate.core.secret import Secret
from tidegate.gateway import stored
from tidegate.gateway.authenticate import authenticate
from tidegate.gateway.call import connection_to, header_lines, texts
from tidegate.gateway.http import answers
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.in_flight import InFlight, translate
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.world import World

MOST_S: Final = 30.0
_METHODS: Final = {b"": (b"GET", b"DELETE"), b"/input_items": (b"GET",)}
_PATH: Final = re.compile(rb"(?:/v1)?/responses/([A-Za-z0-9_-]{1,256})(/input_items)?")
# What a reader of a list may say: its order, its length, where to go on.
_QUERY: Final = re.compile(rb"(?:(?:limit|order|after)=[A-Za-z0-9_-]*&?)*")


class Place(NamedTuple):
    """What is asked for: the answer's id as its caller knows it, and what of it."""

    id: str
    rest: bytes


def place_of(head: Head) -> Place | None:
    """None where the path names no answer, or nothing that is done with one."""
    match = _PATH.fullmatch(head.path)
    if match is None or head.method not in _METHODS[match[2] or b""]:
        return None
    return Place(match[1].decode(), match[2] or b"")


async def kept(incoming: Incoming, connection: Connection, place: Place, world: World) -> None:
    """Answers one such request."""
    request_id = world.ids.new()
    try:
        head = answers.json_head(200)
        body = await _kept(incoming.head, place, world, request_id)
    except (Refusal, Failure) as no:
        world.listener.refused(no.code.name)
        head, body = answers.error_head(no), answers.error_body(no)
    connection.send(head + answers.request_id_header(request_id), body)


async def _kept(head: Head, place: Place, world: World, request_id: str) -> bytes:
    receipt = Receipt(request_id, 0.0, world.gateway, "chat")  # only to be written on
    key = await authenticate(head, world.keys, receipt)
    if not _QUERY.fullmatch(head.query):
        message = "of a stored answer only its whole and its input, by `limit`, `order` and `after`"
        raise Refusal("unsupported_parameter", message, param="query")
    found = stored.find(place.id, receipt.team, _targets(key, world.obeyed()), world.keys.digests)
    if found is None:
        raise Refusal("not_found", "there is no such answer that is kept for you")
    (target, replica), own, _ = found
    if target.missing is not None:
        raise Refusal("credential_missing", f"the credential {target.missing} is not set")
    query, bearer = b"?" + head.query if head.query else b"", b""
    if target.identity is not None:
        await target.identity.ready()
        bearer = header_lines(target.identity.headers())
    request = b"%b%b/responses/%b%b%b%b%bx-request-id: %b\r\n\r\n" % (
        head.method,
        replica.head_start.removeprefix(b"POST"),
        own.encode(),
        place.rest,
        query,
        replica.head_rest,
        bearer,
        request_id.encode(),
    )
    deadlines = target.target.deadlines
    this = InFlight(Attempt(target.target.name, replica.name, 0.0), deadlines, False, 0.0)
    try:
        async with asyncio.timeout(min(MOST_S, deadlines.total_s)):
            upstream = await connection_to(this, replica)
            this.send(upstream, request, world.max_response_bytes)
            await upstream.answered()
        body = _body(this, target, replica.credential.secret)
    except TimeoutError:
        message = "the provider did not say in time what it keeps"
        raise Failure("timeout", "upstream_timeout", message) from None
    except UpstreamError as error:
        raise translate(error) from None
    finally:
        this.end()
    return body.replace(b'"%b"' % own.encode(), b'"%b"' % place.id.encode())


def _targets(key: KeyRecord, plan: PreparedPlan) -> list[PreparedTarget]:
    """Those that may keep an answer of this key's."""
    found = {
        target.target.name: target
        for name, route in plan.routes.items()
        if key.may_use(name)
        for target in route.reachable()
        if OPENAI_RESPONSES in target.provider.passthrough
    }
    return list(found.values())


def _body(this: InFlight, target: PreparedTarget, secret: Secret | None) -> bytes:
    """The answer's body. Failure or Refusal where it is none."""
    upstream = this.live()
    body = this.take_body()
    if upstream.status == 200 and not upstream.streaming:
        return body
    if upstream.status == 404:
        raise Refusal("not_found", "the provider does not keep that answer, or not any more")
    for one in target.secrets if secret is None else (secret,):
        body = one.conceal(body)
    no = target.provider.fault(upstream.status, texts(upstream.headers), body)
    if target.identity is not None and no.code.name == "upstream_auth":
        target.identity.refused(this.sent_s or 0.0)
    raise no
