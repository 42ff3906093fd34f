"""signs: what went wrong with an attempt, in the words by which a ladder's rungs are reached."""

from collections.abc import Collection
from typing import Final

from tidegate.core import clock
from tidegate.core.ladder import QualityWord, RungReason
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.chain import TIMER_S, failure_class
from tidegate.gateway.contract import VIOLATION, is_refused, is_truncated
from tidegate.gateway.progress import Progress
from tidegate.text.model_refusal import MAX_BYTES, model_refusal

Signs = tuple[RungReason, ...]
_LATE: Final = frozenset({"upstream_timeout", "deadline_too_short"})
_BY_VALIDITY: Final[dict[str, QualityWord]] = {"empty": "empty", "truncated": "truncated"}


def signs_of(progress: Progress, no: Refusal | Failure, patience_until_s: float | None) -> Signs:
    """Of an attempt that failed; the first that a rung has is its reason. None where nothing may
    serve in its place: its client has left, something of it is out, or it is the caller's own.

    What its ladder was tired of waiting for until `patience_until_s` is slow, and nothing else: of
    a stream its first token, whether or not that has gone on to its client.
    """
    relay = progress.relay
    if progress.connection.lost or (relay is not None and relay.flowing):
        return ()
    had_first = relay is not None and relay.first_s is not None
    if patience_until_s is not None and no.code.name in _LATE and not had_first:
        early = clock.monotonic_s() < patience_until_s - TIMER_S
        if not early or isinstance(no, Refusal):
            stream = progress.ask is not None and progress.ask.stream
            return ("slow_first_token",) if stream else ("slow_answer",)
    if isinstance(no, Failure) and no.code.name == VIOLATION:
        following = progress.following if relay is None else relay.following
        verdict = getattr(following, "verdict", None)
        validity = "" if verdict is None else str(verdict.validity)
        return (_BY_VALIDITY.get(validity, "invalid"), "malformed")
    of = failure_class(no)
    if of is None:
        return ()
    if isinstance(no, Failure) and no.kind == "timeout":
        return ("timeout", of)
    return ("refused", of) if of == "refused_by_safety" else (of,)


def signs_of_answer(progress: Progress, wanted: Collection[RungReason]) -> Signs:
    """Of an answer that came to its end, and of which nothing is out. None where it is good as far
    as its end and its first words tell; they are read where somebody `wanted` to know."""
    relay, answer, receipt = progress.relay, progress.answer, progress.receipt
    if relay is not None:
        if relay.flowing:
            return ()
        reader = relay.reader
        finish, called = reader.finish_reason, reader.called
        refused, opening = reader.refused, reader.opening(MAX_BYTES)
    elif answer is not None and answer.said:
        said = answer.said
        finish = answer.finish_reason
        called = any(one.calls or one.acts for one in said)
        refused = any(one.refused for one in said)
        opening = next((one.content[:MAX_BYTES].encode() for one in said if one.content), None)
    else:
        return ()
    if refused or is_refused(finish):
        return ("refused",)
    if is_truncated(finish):
        return ("truncated",)
    if called:
        return ()
    if opening is None:
        return ("empty",)
    if "refused" not in wanted or not opening or receipt.choices > 1:
        return ()
    return ("refused",) if model_refusal(opening).extent == "full" else ()
