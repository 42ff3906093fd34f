"""The one table through which anything is reachable: a row says its path, who may, what it takes.

`build` is the only maker of routes, and a row cannot be written without `access`, so a route that
nobody declared cannot exist. Bodies and queries are typed: an unknown field, a wrong type or a
field given twice is refused. A team's lead reaches rows and sends fields that say so, no others.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tidegate.control.desk import Desk
from tidegate.control.errors import ApiError
from tidegate.control.leads import Leads
from tidegate.control.operators import FailureLimit, Operator, Operators, Role
from tidegate.control.respond import answer, refusal
from tidegate.core.address import is_loopback
from tidegate.stores.teams import TeamRecord

MAX_BODY_BYTES = 256 * 1024

# `public` needs nothing; `scrape` needs nothing from this machine and a viewer from elsewhere.
Access = Literal["public", "scrape"] | Role

_log = logging.getLogger(__name__)


class Call(Struct):
    """One admitted request: who asks and what, already checked against the row's types."""

    desk: Desk
    operator: Operator | None
    path: dict[str, str]
    query: Any = None
    body: Any = None

    @property
    def team(self) -> TeamRecord | None:
        """The one team that the caller may see and serve; None for an operator, who may all."""
        return self.operator.team if self.operator is not None else None


class Row(Struct, frozen=True):
    """One reachable thing. `query` and `body` are structs that forbid unknown fields; a `body`
    of fields by name is judged by what answers.

    `lead` names the fields of both that a team's lead may send; None keeps a lead away. What
    answers for a lead must look at `Call.team`.
    """

    method: Literal["GET", "POST"]
    path: str
    access: Access
    answer: Callable[[Call], Awaitable[Any]]
    query: type[Struct] | None = None
    body: Any = None
    status: int = 200
    lead: frozenset[str] | None = None
    most_bytes: int = MAX_BODY_BYTES


NO_FIELDS: Final[frozenset[str]] = frozenset()


class Gate:
    """Checks the operator's token against what a row demands."""

    def __init__(self, operators: Operators, leads: Leads, listen_host: str) -> None:
        self._operators = operators
        self._leads = leads
        self._loopback_listener = is_loopback(listen_host)
        self._failures = FailureLimit()

    async def admit(self, request: Request, row: Row) -> Operator | None:
        """The operator, None where none is needed. ApiError when the caller may not."""
        access = row.access
        if access == "public" or (access == "scrape" and self._from_here(request)):
            return None
        address = request.client.host if request.client else "local"
        token = _bearer(request)
        operator = self._operators.find(token) or await self._leads.find(token)
        if operator is None:
            raise self._wrong_token(address)
        needed: Role = "viewer" if access == "scrape" else access
        if operator.team is not None:
            if row.lead is None:
                raise ApiError("role_too_low", "A team's lead may not do this; ask an operator.")
        elif not operator.may(needed):
            message = f"This needs the role {needed}; {operator.name} has {operator.role}."
            raise ApiError("role_too_low", message)
        return operator

    def _wrong_token(self, address: str) -> ApiError:
        # Asked of wrong tokens only: others at an address cannot lock out who holds a right one.
        wait_s = self._failures.wait_s(address)
        if wait_s > 0:
            message = "Too many wrong tokens came from this address."
            return ApiError("too_many_failures", message, retry_after_s=wait_s)
        self._failures.failed(address)
        return ApiError(
            "invalid_token", "This is not a token of this Tidegate; see operator.token."
        )

    def _from_here(self, request: Request) -> bool:
        # A proxy on this machine speaks for others, so what it forwards is not from here.
        forwarded = any(name.startswith(("x-forwarded", "forwarded")) for name in request.headers)
        peer = request.client
        return (
            self._loopback_listener
            and not forwarded
            and peer is not None
            and is_loopback(peer.host)
        )


def build(desk: Desk, gate: Gate, rows: Iterable[Row]) -> Starlette:
    """The application that answers exactly `rows`."""
    app = Starlette(
        routes=[Route(row.path, _endpoint(desk, gate, row), methods=[row.method]) for row in rows],
        exception_handlers={HTTPException: _http_error, Exception: _crashed},
    )
    app.router.redirect_slashes = False
    return app


def _endpoint(desk: Desk, gate: Gate, row: Row) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            operator = await gate.admit(request, row)
            if row.method == "POST":
                _refuse_stand_by(desk)
            call = Call(desk, operator, dict(request.path_params))
            allowed = row.lead if call.team is not None else None
            call.query = _query(request.query_params, row.query, allowed)
            call.body = await _body(request, row, allowed)
            return answer(await row.answer(call), row.status)
        except ApiError as error:
            return refusal(error)
        except ClientDisconnect:
            return Response(status_code=499)

    return endpoint


def _refuse_stand_by(desk: Desk) -> None:
    leader = desk.who_leads()
    if leader is not None:
        message = f"This control stands by and changes nothing; {leader} leads: ask there."
        raise ApiError("stand_by", message, retry_after_s=1.0)


def _bearer(request: Request) -> bytes:
    values = request.headers.getlist("authorization")
    if not values:
        raise ApiError("missing_token", "Send `Authorization: Bearer <operator token>`.")
    kind, _, token = values[0].partition(" ")
    if len(values) > 1 or kind.lower() != "bearer" or not token.strip():
        raise ApiError("missing_token", "Send one `Authorization: Bearer <operator token>`.")
    return token.strip().encode("latin-1", "replace")


def _query(given: QueryParams, shape: type[Struct] | None, allowed: frozenset[str] | None) -> Any:
    pairs = given.multi_items()
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ApiError("invalid_request", f"{name} is given twice.", param=name)
    if shape is None:
        if names:
            raise ApiError("invalid_request", f"There is no parameter {names[0]!r} here.")
        return None
    _refuse_fields(names, allowed)
    try:
        return msgspec.convert(dict(pairs), shape, strict=False)
    except msgspec.ValidationError as error:
        raise ApiError("invalid_request", f"The query is wrong: {error}.") from error


async def _body(request: Request, row: Row, allowed: frozenset[str] | None) -> Any:
    shape = row.body
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > row.most_bytes:
            raise ApiError("body_too_large", f"The body exceeds {row.most_bytes} bytes.")
        chunks.append(chunk)
    data = b"".join(chunks)
    if shape is None:
        if data not in (b"", b"{}"):
            raise ApiError("invalid_request", "No body is expected here.")
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ApiError("unsupported_media_type", "Send `Content-Type: application/json`.")
    try:
        data.decode()  # members of `Raw` are not looked into below
        body = msgspec.json.decode(data or b"{}", type=shape)
        if allowed is not None:
            _refuse_fields(msgspec.json.decode(data or b"{}", type=dict[str, Raw]), allowed)
        return body
    except msgspec.ValidationError as error:
        raise ApiError("invalid_request", f"The body is wrong: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError("invalid_json", "The body is not JSON in UTF-8.") from error


def _refuse_fields(names: Iterable[str], allowed: frozenset[str] | None) -> None:
    """A lead may send only what was said to be a lead's to send; None is no lead."""
    for name in names:
        if allowed is not None and name not in allowed:
            message = f"A team's lead may not set {name}; ask an operator."
            raise ApiError("role_too_low", message, param=name)


async def _http_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return refusal(ApiError("method_not_allowed", f"{request.method} is not answered here."))
    return refusal(ApiError("not_found", "There is nothing at this path."))


async def _crashed(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed: %r", request.method, request.url.path, error)
    return refusal(ApiError("internal", "Control failed to answer; its log says why."))
