"""What became of an answer, and whether its model refused: noted on the receipt at settle.

Without a contract only what costs nothing is told: that an answer was cut short, broke off, held
nothing, or ended twice.
"""

from typing import Final

from tidegate.core.ask import Answer, Said
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import METERED, Receipt, Validity
from tidegate.gateway.contract import Verdict, is_refused, is_truncated
from tidegate.gateway.progress import Progress
from tidegate.gateway.stream import Relay
from tidegate.text.model_refusal import MAX_BYTES, NO_REFUSAL, POLICY, ModelRefusal, model_refusal

_SAID_NOTHING: Final = ModelRefusal("full")


def note_validity(progress: Progress) -> None:
    """Fills in what is known of an answer that had begun."""
    receipt, relay, answer = progress.receipt, progress.relay, progress.answer
    if relay is not None:
        if receipt.endpoint not in METERED:
            _note_stream(receipt, relay)
        elif relay.chunks and not relay.reader.finished:
            receipt.validity = _cut_short(relay.failure)
    elif answer is not None and receipt.endpoint in ("chat", "completions"):
        following = progress.following
        _note_whole(receipt, answer, None if following is None else following.verdict)
    if receipt.validity is not None:
        attempt = receipt.attempts[-1]
        attempt.validity = receipt.validity
        attempt.violation_at_bytes = receipt.violation_at_bytes
        attempt.violation_path = receipt.violation_path
        attempt.violation_rule = receipt.violation_rule


def turned_down(progress: Progress) -> Failure | None:
    """What an answer comes to that its provider's rules have ended and of which nothing is out,
    where the route has others to ask then."""
    route, relay, answer = progress.route, progress.relay, progress.answer
    if route is None or not route.fallbacks.get("refused_by_safety"):
        return None
    if relay is not None:
        finish = None if relay.flowing else relay.reader.finish_reason
    else:
        finish = None if answer is None else answer.finish_reason
    if not is_refused(finish) or progress.receipt.choices > 1:
        return None
    message = "the provider's safety rules ended its answer"
    return Failure("refused_by_safety", "rejected_by_provider", message)


def _note_stream(receipt: Receipt, relay: Relay) -> None:
    reader = relay.reader
    if not relay.chunks and not reader.finished:
        return  # there was no answer
    opening, finish = reader.opening(MAX_BYTES), reader.finish_reason
    found = None if relay.following is None else relay.following.verdict
    ended_well = finish == "stop" and reader.finished and not reader.ended_twice
    if ended_well and opening is not None and found is None and not reader.refused:
        if opening and receipt.choices == 1:
            _note_wording(receipt, opening)  # as most do
        return
    refused = reader.refused or (finish != "stop" and is_refused(finish))
    silent = opening is None and not reader.called and not refused
    if found is not None:
        _note_verdict(receipt, found)
        if not relay.flowing and found.seen_bytes:
            receipt.bytes_before_violation = 0
    elif not reader.finished:
        receipt.validity = _cut_short(relay.failure)
    elif finish != "stop" and is_truncated(finish):
        receipt.validity = "truncated"
    elif silent:
        receipt.validity = "empty"
    elif reader.ended_twice:
        receipt.validity = "duplicate_terminator"
    _note_refusal(receipt, opening, refused=refused, empty=silent and reader.finished)


def _cut_short(failure: Failure | Refusal | None) -> Validity | None:
    """Of an answer without its end: whose doing that was. A client that leaves says nothing."""
    if isinstance(failure, Refusal):
        return "truncated" if failure.code.name == "insufficient_quota" else "interrupted"
    if failure is None:
        return None
    return "malformed" if failure.kind == "malformed" else "interrupted"


def _note_whole(receipt: Receipt, answer: Answer, found: Verdict | None) -> None:
    said, finish = answer.said, answer.finish_reason
    first = said[0] if len(said) == 1 else _together(said)
    content = first.content
    if finish == "stop" and content and found is None and not first.refused:
        if receipt.choices == 1:
            _note_wording(receipt, content[:MAX_BYTES].encode())  # as most do
        return
    refused = first.refused or (finish != "stop" and is_refused(finish))
    silent = not (refused or content or first.calls or first.acts)
    if found is not None:
        _note_verdict(receipt, found)
    elif finish != "stop" and is_truncated(finish):
        receipt.validity = "truncated"
    elif silent:
        receipt.validity = "empty"
    opening = content[:MAX_BYTES].encode() if content else None
    _note_refusal(receipt, opening, refused=refused, empty=silent)


def _together(said: tuple[Said, ...]) -> Said:
    """What all choices have said, or none where there are none."""
    return Said(
        next((one.content for one in said if one.content), ""),
        any(one.refused for one in said),
        tuple(call for one in said for call in one.calls),
        any(one.acts for one in said),
    )


def _note_verdict(receipt: Receipt, found: Verdict) -> None:
    receipt.validity = found.validity
    receipt.violation_at_bytes = found.at_bytes
    receipt.violation_path = found.path
    receipt.violation_rule = found.rule
    receipt.bytes_before_violation = found.seen_bytes


def _note_refusal(receipt: Receipt, opening: bytes | None, *, refused: bool, empty: bool) -> None:
    """The wire's own signs first; of several choices only those are asked."""
    finish = receipt.finish_reason
    if refused:
        found = POLICY
    elif empty:
        if is_truncated(finish):
            return  # it did not get to speak
        found = _SAID_NOTHING
    elif opening is not None:
        if opening and receipt.choices == 1:
            _note_wording(receipt, opening)
        return
    elif receipt.choices > 1:
        return
    else:
        found = NO_REFUSAL
    receipt.model_refusal = found.extent
    receipt.model_refusal_reason = found.reason


def _note_wording(receipt: Receipt, opening: bytes) -> None:
    """What the words of an only answer say of it."""
    found = model_refusal(opening)
    receipt.model_refusal = found.extent
    receipt.model_refusal_reason = found.reason
