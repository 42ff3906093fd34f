"""batch_place: where at a provider a caller's files and batches lie, and one request about them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from msgspec import Struct

from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import BatchWire
from tidegate.core.receipt import Attempt
from tidegate.gateway.batch_ids import Sealed
from tidegate.gateway.call import connection_to, header_lines, texts
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.in_flight import InFlight, translate
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_target import PreparedReplica, PreparedTarget

MOST_S: Final = 30.0
# A provider that takes a long request more slowly is not waited for.
LEAST_BYTES_PER_S: Final = 128 * 1024
GOOD: Final = frozenset({200, 201, 202, 204})
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024


class Answer(Struct, frozen=True):
    """What a provider answered, to what was sent then (monotonic seconds)."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    sent_s: float
    streamed: bool = False

    @property
    def good(self) -> bool:
        return self.status in GOOD and not self.streamed


class Unsent(Failure):
    """The provider was not reached, so that it has heard nothing of the request."""


class Account(Struct, eq=False, frozen=True):
    """One replica of a target with one credential, and the provider's wire for files."""

    target: PreparedTarget
    replica: PreparedReplica
    wire: BatchWire

    @property
    def name(self) -> tuple[str, str, str]:
        """The same of all targets that lie in one account."""
        replica = self.replica
        return self.target.target.provider, replica.to.host, replica.credential.name

    async def head(self, method: bytes, path: bytes, request_id: str) -> bytes:
        """A request's head up to its own headers. `path` may have a query. Refusal
        (`credential_missing`) where its provider's identity has no token."""
        replica, identity = self.replica, self.target.identity
        path, _, query = path.partition(b"?")
        bearer = b""
        if identity is not None:
            await identity.ready()
            bearer = header_lines(identity.headers())
        return b"%b%b%b%b%bx-request-id: %b\r\n" % (
            method,
            replica.head_start.removeprefix(b"POST"),
            self.wire.path(self.target.target, path, query),
            replica.head_rest,
            bearer,
            request_id.encode(),
        )

    def in_flight(self) -> InFlight:
        """An exchange that has not begun. Nobody's budget of deadlines for chats holds it."""
        target = self.target.target
        return InFlight(Attempt(target.name, self.replica.name, 0.0), target.deadlines, False, 0.0)

    def conceal(self, body: bytes) -> bytes:
        """Some providers quote the key that they refuse."""
        secret = self.replica.credential.secret
        for one in self.target.secrets if secret is None else (secret,):
            body = one.conceal(body)
        return body

    def failure(self, answer: Answer) -> Failure | Refusal:
        """What an answer says that is none. A token that was refused is renewed."""
        if answer.status == 404:
            return Refusal("not_found", "the provider does not keep that, or not any more")
        body = self.conceal(answer.body)
        found = self.target.provider.fault(answer.status, texts(answer.headers), body)
        if self.target.identity is not None and found.code.name == "upstream_auth":
            self.target.identity.refused(answer.sent_s)
        return found

    async def renewed(self, no: Failure | Refusal, answer: Answer) -> bool:
        """Whether that was for a token, of which there is another one now."""
        identity = self.target.identity
        if identity is None or no.code.name != "upstream_auth":
            return False
        return await identity.renewed(answer.sent_s)


def account(target: PreparedTarget, replica: PreparedReplica) -> Account:
    """Refusal where its provider has no files of requests, or its credential is missing."""
    wire: BatchWire | None = getattr(target.provider, "batches", None)
    if wire is None or target.target.batches is None:
        raise Refusal(
            "invalid_request",
            "the provider of that model takes no files of requests; `batch` of its target in the "
            "plan says which do",
            param="model",
        )
    return Account(target, replica, wire)


def choose(target: PreparedTarget, now_s: float) -> Account:
    """Where a new file goes. Refusal, Failure."""
    if target.missing is not None:
        raise Refusal("credential_missing", f"the credential {target.missing} is not set")
    return account(target, target.choose((), 0, now_s))


def account_of(sealed: Sealed, plan: PreparedPlan) -> Account:
    """Where that file or batch is. Refusal where the plan has no such place any more."""
    found = plan.batches.get(sealed.place)
    if found is None:
        message = "the target that keeps it, or its credential, is no longer in the plan"
        raise Refusal("not_found", message)
    return account(*found)


def with_batches(plan: PreparedPlan, routes: Iterable[str]) -> list[PreparedTarget]:
    """The targets of these routes whose providers take batches, each once."""
    found = {
        target.target.name: target
        for name in routes
        for target in plan.routes[name].reachable()
        if target.target.batches is not None
    }
    return list(found.values())


def with_files(plan: PreparedPlan, routes: Iterable[str]) -> list[PreparedTarget]:
    """Those of them that take files of requests."""
    return [it for it in with_batches(plan, routes) if _form(it) == "files"]


def _form(target: PreparedTarget) -> str:
    wire: BatchWire | None = getattr(target.provider, "batches", None)
    return "" if wire is None else wire.form


async def ask(
    at: Account, method: bytes, path: bytes, request_id: str, body: bytes | None = None
) -> bytes:
    """The body of the provider's answer, whole. Failure, Refusal."""

    async def exchange() -> Answer:
        return await sent(at, await at.head(method, path, request_id), body)

    return await good_of(at, exchange)


async def good_of(at: Account, exchange: Callable[[], Awaitable[Answer]]) -> bytes:
    """The body of a good answer, which is asked for once more where the provider's identity had to
    have another token. Failure, Refusal."""
    answer = await exchange()
    if answer.good:
        return answer.body
    no = at.failure(answer)
    if await at.renewed(no, answer):
        answer = await exchange()
        if answer.good:
            return answer.body
        no = at.failure(answer)
    raise no


async def sent(at: Account, head: bytes, body: bytes | None) -> Answer:
    """What the provider answers to a request with this head. Failure, Refusal."""
    if body is not None:
        head += b"content-length: %d\r\n" % len(body)
    this = at.in_flight()
    try:
        async with asyncio.timeout(MOST_S + len(body or b"") / LEAST_BYTES_PER_S):
            upstream = await connection_to(this, at.replica)
            this.send(upstream, head + b"\r\n" + (body or b""), MAX_ANSWER_BYTES)
            await upstream.answered()
        status, headers, streamed = upstream.status, upstream.headers, upstream.streaming
        return Answer(status, headers, this.take_body(), this.sent_s or 0.0, streamed)
    except TimeoutError:
        message = "the provider did not answer in time"
        raise Failure("timeout", "upstream_timeout", message) from None
    except UpstreamError as error:
        raise translate(error) from None
    except Failure as no:
        if this.sent_s is None:
            raise Unsent(no.kind, no.code.name, no.message) from None
        raise
    finally:
        this.end()
