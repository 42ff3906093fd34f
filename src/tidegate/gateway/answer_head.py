"""The head of an answer: how it is sent, whose it is, and what limits and losses say of it."""

from typing import Final

from tidegate.core.ask import Ask
from tidegate.core.guardrail import Hit
from tidegate.gateway.allowance import rate_headers
from tidegate.gateway.decline import request_ids
from tidegate.gateway.http import answers
from tidegate.gateway.progress import Progress
from tidegate.gateway.shared_told import shared_rate_headers

_AGE_MOST_S: Final = 2**31


def answer_head(progress: Progress, ask: Ask) -> bytes:
    """Of a live answer of the attempt's target."""
    target = progress.target
    assert target is not None  # noqa: S101 - see `attempts`
    head = answers.STREAM_HEAD if ask.stream else answers.JSON_HEAD
    if ask.metered is not None and ask.metered.came_as:
        head = answers.typed_head(ask.metered.came_as)
    if progress.caching is not None:
        head += progress.caching.told
    elif progress.batch is not None:
        head += progress.batch.told
    return head + _rest(progress, target.target.name)


def kept_head(progress: Progress, ask: Ask, target: str, age_s: float, told: bytes) -> bytes:
    """Of a kept answer that `target` once made; `told` says how it was found, and how long anybody
    else may keep it."""
    head = answers.KEPT_STREAM_HEAD if ask.stream else answers.JSON_HEAD
    age = b"age: %d\r\n" % min(max(age_s, 0.0), _AGE_MOST_S)
    return head + told + age + _rest(progress, target)


def made_head(progress: Progress, ask: Ask) -> bytes:
    """Of an answer that no target has made, which nobody is to keep."""
    head = answers.KEPT_STREAM_HEAD if ask.stream else answers.JSON_HEAD
    receipt = progress.receipt
    whose = f"x-tidegate-route: {receipt.route}\r\nx-tidegate-release: {receipt.release}\r\n"
    return (
        head
        + b"cache-control: no-store\r\n"
        + whose.encode("latin-1", "replace")
        + _rest(progress, "")
    )


def waiting_head(progress: Progress, ask: Ask) -> bytes:
    """Of a stream whose caller waits for the answer that another asks for."""
    del ask
    return answers.STREAM_HEAD + request_ids(progress)


def _rest(progress: Progress, target: str) -> bytes:
    receipt, route = progress.receipt, progress.route
    assert route is not None  # noqa: S101 - see `resolve`
    if progress.dialect is None:
        head = answers.request_id_header(receipt.id)
    else:
        head = request_ids(progress)
    head += route.heads.get(target, b"")
    if route.told:
        head += route.told
    if receipt.rung is not None:
        head += answers.rung_header(receipt.rung)
    if progress.earlier is not None:
        head += b"x-tidegate-attempts: %d\r\n" % len(receipt.attempts)
    admitted = progress.admitted
    if admitted is not None and admitted.gate is not None:
        head += rate_headers(admitted.gate, receipt)
        if admitted.shared:
            head += shared_rate_headers(admitted.shared, admitted.gate)
    if receipt.guardrails:
        head += b"x-tidegate-guardrails: %b\r\n" % _told_of(receipt.guardrails)
    if receipt.dropped:
        head += b"x-tidegate-dropped: %b\r\n" % ",".join(receipt.dropped).encode()
    return head


def _told_of(hits: list[Hit]) -> bytes:
    """What guardrails have done up to now; of a stream, to its request."""
    told = [f"{it.side}/{it.guardrail}/{it.type}={it.action}:{it.count}" for it in hits]
    return ", ".join(told).encode("ascii", "replace")
