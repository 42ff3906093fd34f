"""call: one attempt at one replica, up to the head of its answer."""

import ssl
from collections.abc import Mapping

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Attempt, Receipt
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.pool import PoolFull
from tidegate.gateway.in_flight import InFlight, translate
from tidegate.gateway.media import text_bytes
from tidegate.gateway.prepared import PreparedReplica, PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.provider_rate import TELLING
from tidegate.gateway.world import World
from tidegate.text import tokens

_IDENTITY = (b"", b"identity")


async def call(progress: Progress, ask: Ask, target: PreparedTarget, world: World) -> InFlight:
    """Sends the request and waits for the head of a stream or a whole answer.

    Failure or Refusal otherwise. A kept-alive connection that is closed the moment it is used was
    closed before the provider could see the request; it is replaced once, by a new one.
    """
    if target.missing is not None:
        raise Refusal(
            "credential_missing", f"the credential {target.missing} of this route is not set"
        )
    if target.rate.known:
        target.rate.check(tokens.estimate(text_bytes(ask)), clock.monotonic_s())
    receipt = progress.receipt
    replica = target.least_busy()
    note_target(receipt, target)
    receipt.replica = replica.name
    request = _request(ask, target, replica, receipt)
    stale: InFlight | None = None
    while True:
        attempt = Attempt(target.target.name, replica.name, 0.0)
        receipt.attempts.append(attempt)
        this = progress.call = InFlight(
            attempt, target.target.deadlines, ask.stream, clock.monotonic_s(), stale
        )
        world.calls[this] = progress
        upstream = None if stale is not None else replica.pool.take_idle()
        if upstream is None:
            upstream = await _connection(this, replica)
        else:
            attempt.reused = True
            attempt.connect_s = 0.0
        this.send(upstream, request, world.max_response_bytes)
        try:
            await upstream.answered()
            attempt.status = upstream.status
        except UpstreamError as error:
            this.end()
            if error.clean and not this.ended_at_once():
                message = f"{error} before it answered"
                raise Failure("interrupted", "upstream_interrupted", message) from None
            if not error.clean or stale is not None or not attempt.reused:
                raise translate(error) from None
            this.provider_worked = False
            stale = this
            attempt.failure = "stale_connection"
            del world.calls[this]
            continue
        _check_answer(this, ask, target)
        return this


def note_target(receipt: Receipt, target: PreparedTarget) -> None:
    """Who is meant to serve the request."""
    receipt.target = target.target.name
    receipt.provider = target.target.provider
    receipt.model_wanted = target.target.model


def _request(ask: Ask, target: PreparedTarget, replica: PreparedReplica, receipt: Receipt) -> bytes:
    outgoing = target.provider.encode(ask, target.target)
    return b"%b%b%bx-request-id: %b\r\ncontent-length: %d\r\n\r\n%b" % (
        replica.head_start,
        outgoing.path,
        replica.head_rest,
        receipt.id.encode(),
        len(outgoing.body),
        outgoing.body,
    )


async def _connection(this: InFlight, replica: PreparedReplica) -> Upstream:
    """A connection that is waited for or opened. Failure."""
    attempt = this.attempt
    connect_s = this.deadlines.connect_s
    try:
        taken = await replica.pool.take(connect_s)
    except PoolFull:
        this.queue_s = clock.monotonic_s() - this.started_s
        message = "all connections to the provider are in use"
        raise Refusal("overloaded", message, retry_after_s=1.0) from None
    except TimeoutError:
        message = f"the provider was not reached within {connect_s:g} s"
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


def _check_answer(this: InFlight, ask: Ask, target: PreparedTarget) -> None:
    """Turns an answer that is none into a Failure; the connection is given back or dropped."""
    upstream = this.live()
    headers = upstream.headers
    if not TELLING.isdisjoint(headers):
        target.rate.learn(headers, clock.monotonic_s())
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.lower() not in _IDENTITY:
        message = "the provider compressed its answer unasked"
        raise Failure("malformed", "upstream_malformed", message)
    if upstream.status != 200:
        this.provider_worked = False
        body = this.take_body()
        if target.secret is not None:
            body = target.secret.conceal(body)  # some providers quote the key that they refuse
        failure = target.provider.fault(upstream.status, _texts(upstream.headers), body)
        if failure.kind == "rate_limited":
            target.rate.refused(failure.retry_after_s, clock.monotonic_s())
        raise failure
    if target.rate.backoff_s:
        target.rate.backoff_s = 0.0
    if upstream.streaming != ask.stream:
        if not upstream.streaming:
            # An error inside a 200 says more than the mix-up does.
            target.provider.read_answer(ask, this.take_body())
        message = "the provider mixed up streaming and not streaming"
        raise Failure("malformed", "upstream_malformed", message)


def _texts(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
