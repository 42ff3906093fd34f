"""Where the time of a request went: its attempts, and the phases that add up to the whole."""

from tidegate.core.receipt import Receipt
from tidegate.gateway.earlier import Earlier
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.stream import Relay


def note_times(
    receipt: Receipt, received_s: float, call: InFlight | None, relay: Relay | None, now_s: float
) -> None:
    """Splits the time since the request's first byte into who spent it.

    `gateway_s` is what is left when queue, connect, first token and generation are taken out, so
    that the five add up to the whole.
    """
    receipt.total_s = gateway_s = now_s - received_s
    if call is not None:
        attempt = call.attempt
        ended_s = note_attempt(receipt, call, received_s, now_s)
        sent_s, first_s = call.sent_s, None if relay is None else relay.first_s
        if sent_s is not None:
            receipt.generation_s = ended_s - sent_s
            gateway_s -= ended_s - sent_s
            if relay is not None and first_s is not None:
                receipt.first_token_s = first_s - sent_s
                receipt.generation_s = ended_s - first_s
                rewritten = relay.rewriter is not None
                shown_s = relay.shown_s if relay.withheld or rewritten else first_s
                _note_stream(receipt, relay, None if shown_s is None else shown_s - received_s)
        receipt.queue_s = call.queue_s
        receipt.connect_s = attempt.connect_s or 0.0
        if call.stale is not None:
            _note_stale(receipt, call.stale, call.started_s)
        gateway_s -= receipt.queue_s + receipt.connect_s
    receipt.gateway_s = gateway_s if gateway_s > 0.0 else 0.0


def note_attempt(receipt: Receipt, call: InFlight, received_s: float, now_s: float) -> float:
    """When an attempt, and the stale exchange before it, began, was sent and ended; its end."""
    if call.stale is not None:
        note_attempt(receipt, call.stale, received_s, now_s)
    attempt = call.attempt
    attempt.started_s = call.started_s - received_s
    ended_s = now_s if call.ended_s is None else call.ended_s
    attempt.ended_s = ended_s - received_s
    if call.sent_s is None:  # nobody was reached: all of it went into trying
        attempt.connect_s = max(ended_s - call.started_s - call.queue_s, 0.0)
    else:
        attempt.sent_s = call.sent_s - received_s
    return ended_s


def note_earlier_s(receipt: Receipt, earlier: Earlier) -> None:
    """Takes what earlier attempts took, and the pauses after them, out of the gateway's own."""
    receipt.earlier_s = earlier.took_s
    receipt.gateway_s = max((receipt.gateway_s or 0.0) - earlier.took_s, 0.0)


def note_line(receipt: Receipt, queued_s: float) -> None:
    """Takes what was spent in line for the target out of the gateway's own time."""
    receipt.queue_s = (receipt.queue_s or 0.0) + queued_s
    receipt.gateway_s = max((receipt.gateway_s or 0.0) - queued_s, 0.0)


def _note_stale(receipt: Receipt, stale: InFlight, until_s: float) -> None:
    """Adds an exchange that came to nothing before the one that began then: what it took, and the
    wait for a new token, beside its wait in the queue, was a part of reaching the provider."""
    took_s = until_s - stale.started_s
    receipt.queue_s = (receipt.queue_s or 0.0) + stale.queue_s
    receipt.connect_s = (receipt.connect_s or 0.0) + took_s - stale.queue_s


def _note_stream(receipt: Receipt, relay: Relay, ttft_s: float | None) -> None:
    receipt.ttft_s = ttft_s
    receipt.content_chunks = relay.chunks
    if relay.first_s is None or relay.chunks < 2:
        return
    decode_s = relay.last_s - relay.first_s
    receipt.itl_mean_s = decode_s / (relay.chunks - 1)
    receipt.itl_max_s = relay.itl_max_s
    if decode_s > 0 and receipt.output_tokens is not None:
        produced = receipt.output_tokens + (receipt.reasoning_tokens or 0)
        receipt.output_tokens_per_s = produced / decode_s
