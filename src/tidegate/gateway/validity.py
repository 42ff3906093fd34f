"""What became of an answer, and whether its model refused: noted on the receipt at settle.

Without a contract only what costs nothing is told: that an answer was cut short, broke off, held
nothing, or ended twice.
"""

from typing import Final

from tidegate.core.ask import Answer, Said
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Receipt, Validity
from tidegate.gateway.contract import Verdict, is_truncated
from tidegate.gateway.progress import Progress
from tidegate.gateway.stream import Relay
from tidegate.text.model_refusal import MAX_BYTES, POLICY, ModelRefusal, model_refusal

# Finish reasons by which a wire tells of a refusal, as the dialects write them, in lower case.
_REFUSED: Final = frozenset({"content_filter", "refusal", "safety", "guardrail_intervened"})
_SAID_NOTHING: Final = ModelRefusal("full")


def note_validity(progress: Progress) -> None:
    """Fills in what is known of an answer that had begun."""
    receipt = progress.receipt
    if receipt.endpoint == "embeddings":
        return
    if progress.relay is not None:
        _note_stream(receipt, progress.relay)
    elif progress.answer is not None:
        following = progress.following
        _note_whole(receipt, progress.answer, following.verdict if following else None)


def _note_stream(receipt: Receipt, relay: Relay) -> None:
    reader = relay.reader
    if not relay.chunks and not reader.finished:
        return  # there was no answer
    opening = reader.opening(MAX_BYTES)
    silent = opening is None and not reader.called and not reader.refused
    found = None if relay.following is None else relay.following.verdict
    if found is not None:
        _note_verdict(receipt, found)
    elif not reader.finished:
        receipt.validity = _cut_short(relay.failure)
    elif reader.finish_reason != "stop" and is_truncated(reader.finish_reason):
        receipt.validity = "truncated"
    elif silent:
        receipt.validity = "empty"
    elif reader.ended_twice:
        receipt.validity = "duplicate_terminator"
    _note_refusal(receipt, opening, refused=reader.refused, empty=silent and reader.finished)


def _cut_short(failure: Failure | Refusal | None) -> Validity | None:
    """Of an answer without its end: whose doing that was. A client that leaves says nothing."""
    if isinstance(failure, Refusal):
        return "truncated" if failure.code.name == "insufficient_quota" else "interrupted"
    if failure is None:
        return None
    return "malformed" if failure.kind == "malformed" else "interrupted"


def _note_whole(receipt: Receipt, answer: Answer, found: Verdict | None) -> None:
    said = answer.said
    first = said[0] if len(said) == 1 else _together(said)
    refused = first.refused
    silent = not (first.content or first.calls or refused)
    if found is not None:
        _note_verdict(receipt, found)
    elif answer.finish_reason != "stop" and is_truncated(answer.finish_reason):
        receipt.validity = "truncated"
    elif silent:
        receipt.validity = "empty"
    opening = first.content[:MAX_BYTES].encode() if first.content else None
    _note_refusal(receipt, opening, refused=refused, empty=silent)


def _together(said: tuple[Said, ...]) -> Said:
    """What all choices have said, or none where there are none."""
    calls = tuple(call for one in said for call in one.calls)
    content = next((one.content for one in said if one.content), "")
    return Said(content, any(one.refused for one in said), calls)


def _note_verdict(receipt: Receipt, found: Verdict) -> None:
    receipt.validity = found.validity
    receipt.violation_at_bytes = found.at_bytes
    receipt.violation_path = found.path
    receipt.violation_rule = found.rule
    receipt.bytes_before_violation = found.seen_bytes


def _note_refusal(receipt: Receipt, opening: bytes | None, *, refused: bool, empty: bool) -> None:
    """The wire's own signs first; of several choices only those are asked."""
    finish = receipt.finish_reason
    if refused or (finish is not None and finish != "stop" and finish.lower() in _REFUSED):
        found = POLICY
    elif empty:
        if is_truncated(finish):
            return  # it did not get to speak
        found = _SAID_NOTHING
    elif receipt.choices > 1 or opening == b"":
        return
    else:
        found = ModelRefusal("none") if opening is None else model_refusal(opening)
    receipt.model_refusal = found.extent
    receipt.model_refusal_reason = found.reason
