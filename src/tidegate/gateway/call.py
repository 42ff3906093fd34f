"""call: one attempt at one replica, up to the head of its answer."""

import ssl
from collections.abc import Mapping
from math import inf
from typing import Final

from tidegate.core import clock
from tidegate.core.ask import Ask, Outgoing
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Attempt, Receipt
from tidegate.gateway import wires
from tidegate.gateway.credential import Credential
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.pool import PoolFull
from tidegate.gateway.in_flight import InFlight, translate
from tidegate.gateway.metered_answer import note_kind
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.prepared_target import JSON_TYPE, PreparedReplica, PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.provider_rate import TELLING
from tidegate.gateway.withdrawn import Withdrawn, check_version, withdrawn
from tidegate.gateway.world import World

_IDENTITY = (b"", b"identity")
# What an attempt came to that is made once more: by another connection, by another token.
_STALE_CONNECTION: Final = "stale_connection"
_STALE_TOKEN: Final = "stale_token"  # noqa: S105 - a word of receipts
_TOO_LATE: Final = "the caller waits no longer"


async def call(progress: Progress, ask: Ask, replica: PreparedReplica, world: World) -> InFlight:
    """Sends the request to a replica of the attempt's target, and waits for the head of a stream
    or a whole answer.

    Failure or Refusal otherwise; Withdrawn where it was not sent for that. A kept-alive connection
    that is closed the moment it is used was closed before the provider could see the request; it is
    replaced once, by a new one. So is a token of an identity that the provider takes no more.
    """
    receipt, target, route = progress.receipt, progress.target, progress.route
    assert target is not None  # noqa: S101 - the attempt has one
    note_target(receipt, target)
    receipt.replica = replica.name
    if target.identity is not None:
        await target.identity.ready(_left_s(progress.until_s))
    outgoing = wires.outgoing(progress, ask, world)
    request = _request(progress, replica, outgoing)
    stale: InFlight | None = None
    came_by = None if route is None else route.route.came_by
    while True:
        if came_by:
            check_version(progress, world)
        this = _begin(progress, ask, replica, stale)
        attempt, world.calls[this] = this.attempt, progress
        closed = stale is not None and stale.attempt.failure == _STALE_CONNECTION
        upstream = None if closed else replica.pool.take_idle()
        if upstream is None:
            upstream = await connection_to(this, replica)
            if came_by and withdrawn(progress, world) is not None:
                upstream.close()
                raise Withdrawn
        else:
            attempt.reused = True
            attempt.connect_s = 0.0
        this.send(upstream, request, world.max_response_bytes)
        if ask.metered is not None:
            upstream.stream_kinds = ask.metered.streams
        try:
            await upstream.answered()
            attempt.status = upstream.status
            _check_answer(progress, this, replica.credential)
        except UpstreamError as error:
            this.end()
            if error.clean and not this.ended_at_once():
                message = f"{error} before it answered"
                raise Failure("interrupted", "upstream_interrupted", message) from None
            again = error.clean and stale is None and attempt.reused
            if not again or not _owes_one_more(progress):
                raise translate(error) from None
            this.provider_worked = False
            why = _STALE_CONNECTION
        except Failure as no:
            if stale is not None or not await _has_other_token(progress, this, no):
                raise
            request, why = _request(progress, replica, outgoing), _STALE_TOKEN
        else:
            return this
        stale, attempt.failure, attempt.cost_nanousd = this, why, 0
        del world.calls[this]


def _begin(
    progress: Progress, ask: Ask, replica: PreparedReplica, stale: InFlight | None
) -> InFlight:
    """An exchange that nobody has heard of yet, and its place on the receipt. Failure where its
    caller waits no longer."""
    target, until_s = progress.target, progress.until_s
    assert target is not None  # noqa: S101 - see `call`
    now_s = clock.monotonic_s()
    if until_s is not None and now_s >= until_s and stale is None:
        raise Failure("timeout", "upstream_timeout", _TOO_LATE)
    attempt = Attempt(target.target.name, replica.name, 0.0)
    if target.target.more_credentials:
        attempt.credential = replica.credential.name
    progress.receipt.attempts.append(attempt)
    this = progress.call = InFlight(attempt, target.target.deadlines, ask.stream, now_s, stale)
    if until_s is not None:
        if not ask.stream:
            this.until_whole_s = until_s
        elif progress.impatient and progress.whole_until_s is None:
            this.until_first_s = until_s
        else:
            _bound(this, until_s, progress)
    return this


def _bound(this: InFlight, until_s: float, progress: Progress) -> None:
    """So long a stream is waited for. Of what a ladder waits for no longer than to its first token,
    the caller's own time bounds the whole."""
    flows, until_whole_s = _flows(progress.route), progress.answer_until_s
    if flows or progress.impatient:
        this.until_first_s = until_s
    if not flows and until_whole_s is not None:
        this.until_whole_s = until_whole_s


def _left_s(until_s: float | None) -> float:
    """How much longer its caller waits. Failure where that is over."""
    left_s = inf if until_s is None else until_s - clock.monotonic_s()
    if left_s <= 0:
        raise Failure("timeout", "upstream_timeout", _TOO_LATE)
    return left_s


async def _has_other_token(progress: Progress, this: InFlight, no: Failure) -> bool:
    """Whether it was its identity's token that the provider did not take, and there is another by
    now, and room in the route's budget to send it again."""
    target, until_s = progress.target, progress.until_s
    identity = None if target is None else target.identity
    if identity is None or no.code.name != "upstream_auth" or this.sent_s is None:
        return False
    left_s = inf if until_s is None else until_s - clock.monotonic_s()
    return await identity.renewed(this.started_s, left_s) and _owes_one_more(progress)


def _owes_one_more(progress: Progress) -> bool:
    """Whether the route's budget has room for what is sent again over another connection: of one
    that has ended nobody knows whether the provider had read the request."""
    route = progress.route
    if route is None or not route.budget.take(clock.monotonic_s()):
        return False
    progress.owed += 1
    return True


def _flows(route: PreparedRoute | None) -> bool:
    """Whether a stream's caller sees it begin: of one that is held back it sees the whole."""
    if route is None:
        return True
    guardrails = None if route.guardrails is None else route.guardrails.output
    if guardrails is not None and guardrails.withholds:
        return False
    return route.contract is None or not route.contract.contract.buffer


def note_target(receipt: Receipt, target: PreparedTarget) -> None:
    """Who is meant to serve the request."""
    receipt.target = target.target.name
    receipt.provider = target.target.provider
    receipt.model_wanted = target.target.model


def _request(progress: Progress, replica: PreparedReplica, outgoing: Outgoing) -> bytes:
    headers, target = outgoing.headers, progress.target
    if target is not None and target.identity is not None:
        headers += target.identity.headers()
    if target is not None and target.aws is not None:
        headers += _signature(target, replica, outgoing)
    own = header_lines(headers) if headers else b""
    rest = replica.head_rest
    if outgoing.content_type is not None:
        rest = rest.replace(JSON_TYPE, b"content-type: %b\r\n" % outgoing.content_type, 1)
    return b"%b%b%b%bx-request-id: %b\r\ncontent-length: %d\r\n\r\n%b" % (
        replica.head_start,
        outgoing.path,
        rest,
        own,
        progress.receipt.id.encode(),
        len(outgoing.body),
        outgoing.body,
    )


def header_lines(headers: tuple[tuple[str, str], ...]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")


def _signature(
    target: PreparedTarget, replica: PreparedReplica, outgoing: Outgoing
) -> tuple[tuple[str, str], ...]:
    """The headers that sign the request with the machine's own key. Refusal when there is none."""
    signer, aws = target.provider.signer, target.aws
    assert signer is not None and aws is not None  # noqa: S101 - see Preparer
    if aws.key is None:
        raise Refusal("credential_missing", aws.problem or "there is no AWS key")
    return signer.sign(outgoing, replica.to, aws.key, clock.wall_s())


async def connection_to(this: InFlight, replica: PreparedReplica) -> Upstream:
    """A connection that is waited for or opened. Failure: of the provider's, where it was not
    there in time; else the caller waits no longer."""
    attempt, usual_s = this.attempt, this.deadlines.connect_s
    left_s = min(this.until_first_s, this.until_whole_s) - clock.monotonic_s()
    connect_s = min(usual_s, max(left_s, 0.0))
    try:
        taken = await replica.pool.take(connect_s)
    except PoolFull:
        this.queue_s = clock.monotonic_s() - this.started_s
        message = "all connections to the provider are in use"
        raise Refusal("overloaded", message, retry_after_s=1.0) from None
    except TimeoutError:
        message = f"the provider was not reached within {connect_s:g} s"
        if connect_s < usual_s:
            raise Failure("timeout", "upstream_timeout", message) from None
        raise Failure("unavailable", "upstream_unreachable", message) from None
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", None) or error.reason or "handshake failed"
        message = f"TLS with the provider failed: {reason}"
        raise Failure("unavailable", "upstream_tls", message) from None
    except OSError as error:
        raise Failure("unavailable", "upstream_unreachable", _unreachable(error)) from None
    attempt.reused = taken.reused
    attempt.connect_s = taken.connect_s
    this.queue_s = taken.queue_s
    return taken.upstream


def _unreachable(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the provider refuses connections"
    if error.args and isinstance(error.args[0], int) and error.args[0] < 0:
        return "the provider's name does not resolve"
    return "the provider cannot be reached"


def _of_adapter(failure: Failure, target: PreparedTarget, status: int, body: bytes) -> Failure:
    """The failure, or that the engine has not loaded the adapter: no fault of the caller's, and
    another replica, or another target, may serve."""
    adapter = target.target.adapter
    if adapter is not None and adapter.of == target.target.name:
        return failure  # the model itself
    lacks = getattr(target.provider, "lacks_adapter", None)
    if adapter is None or lacks is None or not lacks(status, body):
        return failure
    message = f"the engine has not loaded the adapter {adapter.name!r}"
    return Failure("unavailable", "upstream_error", message)


def _check_answer(progress: Progress, this: InFlight, credential: Credential) -> None:
    """Turns an answer that is none into a Failure; the connection is given back or dropped."""
    ask, target, upstream = progress.ask, progress.target, this.live()
    assert ask is not None and target is not None  # noqa: S101 - they have been sent
    headers, rate = upstream.headers, credential.rate
    if not TELLING.isdisjoint(headers):
        rate.learn(headers, clock.monotonic_s())
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.lower() not in _IDENTITY:
        message = "the provider compressed its answer unasked"
        raise Failure("malformed", "upstream_malformed", message)
    if upstream.status != 200:
        this.provider_worked = False
        body = this.take_body()
        if credential.secret is not None:
            body = credential.secret.conceal(body)  # some providers quote the key that they refuse
        for secret in target.secrets:
            body = secret.conceal(body)
        failure = target.provider.fault(upstream.status, texts(upstream.headers), body)
        if target.target.adapter is not None:
            failure = _of_adapter(failure, target, upstream.status, body)
        if failure.kind == "rate_limited":
            rate.refused(failure.retry_after_s, clock.monotonic_s())
        raise failure
    if rate.backoff_s:
        rate.backoff_s = 0.0
    if ask.metered is not None:
        note_kind(ask.metered, ask, upstream)
    if upstream.streaming != ask.stream:
        if not upstream.streaming:
            # An error inside a 200 says more than the mix-up does.
            wires.check(ask, target, this.take_body())
        message = "the provider mixed up streaming and not streaming"
        raise Failure("malformed", "upstream_malformed", message)


def texts(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
