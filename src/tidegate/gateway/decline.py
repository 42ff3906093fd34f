"""How a request ends that was not served: the error, as the caller may see it."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.http import answers
from tidegate.gateway.progress import Progress
from tidegate.gateway.withdrawn import Withdrawn
from tidegate.text.redact import redact

log = logging.getLogger(__name__)

MAX_ERROR_CHARS = 500
# Failures by which a provider says that it has not done, and will not charge, the work.
_NOT_SERVED = frozenset({"unavailable", "rate_limited", "overflow", "rejected"})


def decline(progress: Progress, no: Refusal | Failure) -> None:
    """Our no or theirs: a status of its own, or the last event of a stream that has begun."""
    receipt, dialect = progress.receipt, progress.dialect
    receipt.error_code = no.code.name
    receipt.error_fault = no.code.fault
    receipt.error_message = redact(no.message)[:MAX_ERROR_CHARS]
    note_failure(progress, no)
    if progress.begun or (progress.relay is not None and progress.relay.committed):
        receipt.status = 200
        receipt.interrupted = True
        event = answers.error_event(no)
        if progress.ask is not None and progress.ask.metered is not None:
            event = event if progress.ask.metered.events else b""  # what is no text is cut short
        if dialect is not None:
            sequence = 0 if progress.relay is None else progress.relay.sequence
            event = dialect.error_event(no, receipt.id, sequence)
        progress.ending = partial(progress.connection.cut, event)
    else:
        receipt.status = no.status if isinstance(no, Failure) else no.code.status
        if dialect is not None:
            receipt.status = dialect.status(no)
        head = answers.error_head(no, receipt.status) + request_ids(progress)
        if receipt.rung is not None:
            head += answers.rung_header(receipt.rung)
        body = answers.error_body(no) if dialect is None else dialect.error(no, receipt.id)
        progress.ending = partial(progress.connection.send, head, body)
    if no.code.name == "draining":
        receipt.cancelled_by = "gateway"
    elif isinstance(no, Failure) and no.kind == "timeout" and not _said_by_provider(progress):
        receipt.cancelled_by = "deadline"


def request_ids(progress: Progress) -> bytes:
    """The request's id, wherever its caller's clients look for it."""
    request_id, dialect = progress.receipt.id, progress.dialect
    header = answers.request_id_header(request_id)
    if dialect is not None and dialect.id_header != answers.REQUEST_ID:
        header += answers.request_id_header(request_id, dialect.id_header)
    return header


def note_failure(progress: Progress, no: Refusal | Failure) -> None:
    """How the attempt in flight ended, where one is; its connection ends with it."""
    call = progress.call
    if call is None:
        return
    call.end()
    if isinstance(no, Failure):
        call.attempt.failure = call.attempt.failure or no.kind
        begun = progress.relay is not None and progress.relay.chunks > 0
        if no.kind in _NOT_SERVED and not begun:
            call.provider_worked = False


def _said_by_provider(progress: Progress) -> bool:
    """Whether the failure is an answer with an error status, and not ours to cut short."""
    call = progress.call
    return call is not None and call.attempt.status not in (None, 200)


def forget_frames(error: BaseException | None) -> None:
    """An error that is kept holds, by its traceback, the frames that keep it: their memory would
    wait for the garbage collector."""
    while error is not None:
        error.__traceback__ = None
        error = error.__context__


def break_off(progress: Progress, error: BaseException) -> None:
    """The client has left, or the fault is ours: the provider is told to stop at once."""
    if progress.call is not None:
        progress.call.end()
    if progress.connection.lost:
        decline(progress, Refusal("client_closed", "the client closed the connection"))
        progress.receipt.cancelled_by = "client"
        return
    log.error("a request failed inside the gateway", exc_info=error)
    decline(progress, Refusal("internal", "the gateway failed to complete the request"))
    progress.receipt.cancelled_by = "gateway"


@contextmanager
def declined(progress: Progress) -> Iterator[None]:
    """What a request of our own, which nobody waits for, ends with. Cancelled goes on."""
    try:
        yield
    except (Refusal, Failure) as no:
        decline(progress, no)
        forget_frames(no)
    except Withdrawn:
        decline(progress, Refusal("route_off", "its release was rolled back before it was sent"))
    except asyncio.CancelledError:
        decline(progress, Refusal("draining", "the gateway is shutting down"))
        raise
    except Exception as error:
        break_off(progress, error)
