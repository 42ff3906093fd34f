"""settle: what the request used, took and cost; the receipt is frozen and journalled."""

from tidegate.core.ask import Ask, Usage
from tidegate.core.limit import Moment
from tidegate.core.plan import Target
from tidegate.core.plugs import StreamReader
from tidegate.core.pricing import at_tier
from tidegate.core.receipt import Receipt, cost_nanousd, encode_frame
from tidegate.gateway.admit import Past
from tidegate.gateway.context import identifier
from tidegate.gateway.demand import ceiling_of, demand_of, is_told, tier_asked
from tidegate.gateway.holding import moment, settle_holds
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.progress import Progress
from tidegate.gateway.shared_hold import settle_shared
from tidegate.gateway.size import estimate_input_tokens, note_conversation
from tidegate.gateway.stream import Relay
from tidegate.gateway.validity import note_validity
from tidegate.gateway.world import World
from tidegate.stores.spending import MAX_COST_NANOUSD
from tidegate.text import tokens


def settle(progress: Progress, world: World) -> None:
    """Runs exactly once for each request, whatever has happened to it before."""
    receipt, call = progress.receipt, progress.call
    if call is not None:
        world.calls.pop(call, None)
    if progress.relay is not None:
        world.relays.discard(progress.relay)
    if receipt.key_id is None or receipt.error_code == "ledger_unavailable":
        # Whoever has no key leaves no receipt, or anybody could fill the ledger; and what is
        # refused for want of room must not take any.
        world.listener.refused(receipt.error_code or "internal")
        progress.ending()
        return
    ask, route = progress.ask, progress.route
    if ask is not None and route is not None and call is not None and call.provider_worked:
        _note_answer(progress)
        note_validity(progress)
        seen_tokens = _estimate_unknown(progress, ask, route.target.target)
        _note_cost(receipt, ask, route.target.target)
        if receipt.cost_nanousd is None:
            assumed_tokens = world.obeyed().plan.assumed_output_tokens
            receipt.most_nanousd = _most_nanousd(progress, ask, seen_tokens, assumed_tokens)
        if world.plan is not None and world.plan.plan.session_alert_tokens:
            note_conversation(ask, receipt)
        worked = True
    else:
        receipt.cost_nanousd = 0  # nobody did anything that could cost
        worked = False
    now = moment()
    _settle_holds(progress, worked, world.past, now)
    _note_times(receipt, progress.received_s, call, progress.relay, now.monotonic_s)
    if progress.queued_s:
        _note_line(receipt, progress.queued_s)
    world.journal.append(encode_frame(receipt), progress.ending, progress.connection.abort)


def _settle_holds(progress: Progress, worked: bool, past: Past | None, now: Moment) -> None:
    """What was held becomes what was used, also of budgets that began meanwhile."""
    receipt, holding = progress.receipt, progress.admitted or progress.late
    if past is not None and past.seeded_s >= progress.received_s:
        taken = [] if holding is None else holding.held
        held = [it.counters for it, *_ in taken if it.counters is not None]
        past.count_late(receipt, progress.received_s, held)
    if holding is not None:
        settle_holds(holding.held, receipt, worked, now)
        if holding.shared:
            settle_shared(holding.shared, receipt, worked)


def _note_answer(progress: Progress) -> None:
    """What the provider said of its answer, streamed or whole."""
    receipt = progress.receipt
    if progress.relay is not None:
        reader = progress.relay.reader
        _note_usage(receipt, reader.usage)
        receipt.finish_reason = identifier(reader.finish_reason)
        receipt.model_served = identifier(reader.model_served)
        receipt.provider_request_id = identifier(reader.provider_request_id)
        receipt.service_tier = identifier(reader.service_tier)
        receipt.surplus_events = reader.surplus_events
    elif progress.answer is not None:
        answer = progress.answer
        _note_usage(receipt, answer.usage)
        receipt.finish_reason = identifier(answer.finish_reason)
        receipt.model_served = identifier(answer.model_served)
        receipt.provider_request_id = identifier(answer.provider_request_id)
        receipt.service_tier = identifier(answer.service_tier)


def _note_usage(receipt: Receipt, usage: Usage | None) -> None:
    """The provider's own figures, unless they contradict themselves."""
    if usage is None:
        return
    if usage.conflict:
        receipt.usage_conflict = True
        return
    receipt.input_tokens = usage.input_tokens
    receipt.cache_read_tokens = usage.cache_read_tokens
    receipt.cache_write_tokens = usage.cache_write_tokens
    receipt.output_tokens = usage.output_tokens
    receipt.reasoning_tokens = usage.reasoning_tokens
    receipt.audio_input_tokens = usage.audio_input_tokens
    receipt.audio_output_tokens = usage.audio_output_tokens


def _estimate_unknown(progress: Progress, ask: Ask, target: Target) -> int:
    """Our own count, labelled, where the provider worked and did not say how much; how many tokens
    of output were seen here.

    A stream without a known tokenizer counts its content events, as engines send one a token,
    unless their text is too long for that. What was produced of an answer of which nothing has
    come is not known to anybody here, and stays so; nor is it of a model that thinks unseen.
    """
    receipt, relay = progress.receipt, progress.relay
    if receipt.input_tokens is None:
        receipt.input_tokens = estimate_input_tokens(ask, target.tokenizer)
        receipt.tokens_estimated = True
    if receipt.output_tokens is not None or ask.endpoint == "embeddings":
        return 0
    most_tokens = None
    if relay is not None:
        reader, most_tokens = relay.reader, relay.most_chunks
        if not reader.content_chunks and not reader.finished:
            return 0
        seen_tokens = _streamed_tokens(reader, target)
    elif progress.answer is not None:
        seen_tokens = tokens.count(progress.answer.text, target.tokenizer)
    else:
        return 0
    if not target.hides_reasoning or (most_tokens is not None and seen_tokens > most_tokens):
        receipt.output_tokens = seen_tokens
        receipt.tokens_estimated = True
    return seen_tokens


def _streamed_tokens(reader: StreamReader, target: Target) -> int:
    if target.tokenizer in tokens.ENCODINGS:
        counted = tokens.count(reader.text(), target.tokenizer)
        return counted + tokens.estimate(reader.text_beyond_bytes)
    chunks, text_bytes = reader.content_chunks, reader.text_bytes()
    if text_bytes <= chunks * tokens.MOST_BYTES_A_TOKEN:
        return chunks
    return max(chunks, tokens.estimate(text_bytes))


def _most_nanousd(
    progress: Progress, ask: Ask, seen_tokens: int, assumed_tokens: int
) -> int | None:
    """The most that an answer of unknown cost can have come to; None where nobody knows a price.

    Where nothing bounds the answer, as many tokens are assumed as limits assume, or were seen.
    """
    admitted, route = progress.admitted, progress.route
    assert route is not None  # noqa: S101 - a provider worked
    target = route.target
    ceiling = ceiling_of(ask, target)
    if ceiling is None:
        return None
    if admitted is not None:
        demand = admitted.demand
    else:
        demand = demand_of(ask, progress.receipt, target, assumed_tokens)
    output_tokens = max(demand.total_output_tokens, seen_tokens)
    most_nanousd = ceiling.nanousd(demand.input_tokens, output_tokens)
    return None if most_nanousd is None else min(most_nanousd, MAX_COST_NANOUSD)


def _note_cost(receipt: Receipt, ask: Ask, target: Target) -> None:
    """The cost at the target's pinned price, in the class of service that served it, or else was
    asked for; unknown stays unknown."""
    price = target.price
    if receipt.service_tier is None and "service_tier" in ask.members:
        receipt.service_tier = identifier(tier_asked(ask))
    if price is not None:
        receipt.price_version = price.version
        rates = at_tier(price, receipt.service_tier)
        if rates is not None and is_told(ask, receipt, price):
            receipt.cost_nanousd = cost_nanousd(receipt, rates)
    receipt.attempts[-1].cost_nanousd = receipt.cost_nanousd


def _note_times(
    receipt: Receipt, received_s: float, call: InFlight | None, relay: Relay | None, now_s: float
) -> None:
    """Splits the time since the request's first byte into who spent it.

    `gateway_s` is what is left when queue, connect, first token and generation are taken out, so
    that the five add up to the whole.
    """
    receipt.total_s = now_s - received_s
    spent_s = 0.0
    if call is not None:
        attempt = call.attempt
        attempt.started_s = call.started_s - received_s
        ended_s = now_s if call.ended_s is None else call.ended_s
        attempt.ended_s = ended_s - received_s
        if call.sent_s is None:  # nobody was reached: all of it went into trying
            attempt.connect_s = max(ended_s - call.started_s - call.queue_s, 0.0)
        else:
            attempt.sent_s = call.sent_s - received_s
            receipt.generation_s = spent_s = ended_s - call.sent_s
            if relay is not None and relay.first_s is not None:
                receipt.first_token_s = relay.first_s - call.sent_s
                receipt.generation_s = ended_s - relay.first_s
                shown_s = relay.shown_s if relay.withheld else relay.first_s
                _note_stream(receipt, relay, None if shown_s is None else shown_s - received_s)
        receipt.queue_s = call.queue_s
        receipt.connect_s = attempt.connect_s or 0.0
        if call.stale is not None:
            _note_stale(receipt, call.stale, received_s)
        spent_s += receipt.queue_s + receipt.connect_s
    receipt.gateway_s = max(receipt.total_s - spent_s, 0.0)


def _note_line(receipt: Receipt, queued_s: float) -> None:
    """Takes what was spent in line for the target out of the gateway's own time."""
    receipt.queue_s = (receipt.queue_s or 0.0) + queued_s
    receipt.gateway_s = max((receipt.gateway_s or 0.0) - queued_s, 0.0)


def _note_stale(receipt: Receipt, stale: InFlight, received_s: float) -> None:
    """Adds an exchange whose connection was closed as it was used: what it took, beside its wait
    in the queue, was a part of reaching the provider."""
    sent_s, ended_s = stale.sent_s, stale.ended_s
    assert sent_s is not None  # noqa: S101 - only what was sent can find its connection closed
    assert ended_s is not None  # noqa: S101 - the one after it began at its end
    attempt = stale.attempt
    attempt.started_s = stale.started_s - received_s
    attempt.sent_s = sent_s - received_s
    attempt.ended_s = ended_s - received_s
    took_s = ended_s - stale.started_s
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
