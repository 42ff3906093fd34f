"""settle: what the request used, took and cost; the receipt is frozen and journalled."""

from typing import Final

from msgspec.structs import fields

from tidegate.core import clock
from tidegate.core.ask import Answer, Ask, Usage
from tidegate.core.limit import Counters, Moment, of_target
from tidegate.core.plan import Target
from tidegate.core.plugs import StreamReader
from tidegate.core.pricing import at_tier
from tidegate.core.reasoning import asks_to_think
from tidegate.core.receipt import Receipt, encode_frame
from tidegate.core.receipt_cost import cost_nanousd, prefix_saved_nanousd
from tidegate.gateway.admit import Past
from tidegate.gateway.context import identifier
from tidegate.gateway.demand import ceiling_of, demand_of, is_told, tier_asked
from tidegate.gateway.earlier import Earlier, add_earlier, attempts_apart, keep_cost
from tidegate.gateway.holding import moment, settle_holds, undo
from tidegate.gateway.metered_answer import account_units
from tidegate.gateway.progress import Progress
from tidegate.gateway.shared_hold import drop_shared, settle_shared
from tidegate.gateway.size import estimate_input_tokens, note_conversation
from tidegate.gateway.timings import note_attempt, note_earlier_s, note_line, note_times
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
    unknown = receipt.key_id is None and not receipt.is_own
    if unknown or receipt.error_code == "ledger_unavailable":
        # Whoever has no key leaves no receipt, or anybody could fill the ledger; and what is
        # refused for want of room must not take any.
        world.listener.refused(receipt.error_code or "internal")
        progress.ending()
        return
    worked, past = _account(progress, world), world.past
    if (progress.admitted or progress.late or progress.earlier) is not None or (
        past is not None and past.seeded_s >= progress.received_s
    ):
        _settle_holds(progress, worked, past, moment())
    note_times(receipt, progress.received_s, call, progress.relay, clock.monotonic_s())
    if progress.queued_s:
        note_line(receipt, progress.queued_s)
    if progress.earlier is not None:
        note_earlier_s(receipt, progress.earlier)
    world.journal.append(encode_frame(receipt), progress.ending, progress.connection.abort)
    if progress.capturing is not None and world.captures is not None:
        world.captures.take(progress)


def account_attempt(progress: Progress, world: World) -> tuple[bool, int]:
    """Whether an attempt that came to nothing did any work, and the most that it can have cost."""
    worked, receipt = _account(progress, world), progress.receipt
    cost_nanousd = receipt.cost_nanousd
    return worked, (receipt.most_nanousd or 0) if cost_nanousd is None else cost_nanousd


def settle_attempt(progress: Progress, world: World, worked: bool) -> None:
    """An attempt that has been accounted for, before the next: what it cost and took is kept, its
    own holds end, and the receipt is as it was before it."""
    receipt, call, received_s = progress.receipt, progress.call, progress.received_s
    earlier = progress.earlier = progress.earlier or Earlier()
    now = moment()
    counted = _end_attempt_holds(progress, worked, now, sent=call is not None)
    if call is not None:
        world.calls.pop(call, None)
        note_attempt(receipt, call, received_s, now.monotonic_s)
        began_s = call.started_s if call.stale is None else call.stale.started_s
        earlier.took_s += (call.ended_s or now.monotonic_s) - began_s
        if progress.relay is not None:
            world.relays.discard(progress.relay)
    keep_cost(earlier, receipt, counted)
    for name in _OF_ATTEMPT:
        setattr(receipt, name, _UNTOLD[name])
    progress.call = progress.relay = progress.answer = progress.following = None


# What a receipt tells of one attempt, and so of the last.
_OF_ATTEMPT = (
    *("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"),
    *("reasoning_tokens", "audio_input_tokens", "audio_output_tokens"),
    *("image_input_tokens", "image_output_tokens", "images", "image_size", "image_quality"),
    *("audio_s", "search_units", "output_bytes"),
    *("cache_write_1h_tokens", "tokens_estimated"),
    *("usage_conflict", "cost_nanousd", "most_nanousd", "service_tier", "price_version"),
    "prefix_saved_nanousd",
    *("finish_reason", "model_served", "model_fingerprint"),
    *("provider_request_id", "surplus_events"),
    *("validity", "violation_at_bytes", "violation_path", "violation_rule"),
    *("bytes_before_violation", "model_refusal", "model_refusal_reason"),
)
_UNTOLD: Final = {field.name: field.default for field in fields(Receipt)}


def _account(progress: Progress, world: World) -> bool:
    """What the last attempt's provider said, and what that cost; whether it did any work."""
    receipt, ask, call, target = progress.receipt, progress.ask, progress.call, progress.target
    unworked = call is None or not call.provider_worked
    if unworked or ask is None or ask.counts or target is None:
        receipt.cost_nanousd = 0  # nobody did anything that could cost
        if call is not None:
            call.attempt.cost_nanousd = 0
        return False
    _note_answer(progress)
    note_validity(progress)
    if ask.metered is not None:
        account_units(progress, ask, ask.metered, target.target)
        return True
    seen_tokens = 0
    if receipt.input_tokens is None or receipt.output_tokens is None:
        seen_tokens = _estimate_unknown(progress, ask, target.target)
    _note_cost(receipt, ask, target.target)
    if receipt.cost_nanousd is None:
        assumed_tokens = world.obeyed().plan.assumed_output_tokens
        receipt.most_nanousd = _most_nanousd(progress, ask, seen_tokens, assumed_tokens)
    alerts = world.plan is not None and world.plan.plan.session_alert_tokens
    if alerts and receipt.end_user is None and receipt.session_id is None:  # which tell it apart
        note_conversation(ask, receipt)
    return True


def _settle_holds(progress: Progress, worked: bool, past: Past | None, now: Moment) -> None:
    """What was held becomes what was used, also of budgets that began meanwhile: of the last
    attempt's target what that came to, of the caller what all have."""
    receipt, earlier = progress.receipt, progress.earlier
    holding = progress.admitted or progress.late
    late = past if past is not None and past.seeded_s >= progress.received_s else None
    taken = [it for it, *_ in holding.held] if late is not None and holding is not None else []
    if earlier is not None:
        _end_attempt_holds(progress, worked, now)
        worked = add_earlier(receipt, earlier) or worked
    if late is not None:
        for part, nanousd, counted in attempts_apart(receipt, earlier, taken):
            late.count_late(part, nanousd, progress.received_s, counted)
    if holding is not None:
        settle_holds(holding.held, receipt, worked, now)
        if holding.shared:
            settle_shared(holding.shared, receipt, worked)
    if progress.admitted is not None:
        progress.admitted.drop_more()


def _end_attempt_holds(
    progress: Progress, worked: bool, now: Moment, *, sent: bool = True
) -> list[Counters]:
    """Those of the limits by target, whose counters it returns; what is the caller's is held on.
    What was not `sent` counts nowhere."""
    holding = progress.admitted or progress.late
    if holding is None:
        return []
    ended = [one for one in holding.held if of_target(one[0].limit)]
    holding.held[:] = [one for one in holding.held if not of_target(one[0].limit)]
    shared = [one for one in holding.shared if of_target(one.of[0][0].limit)]
    holding.shared[:] = [one for one in holding.shared if not of_target(one.of[0][0].limit)]
    counted = [it.counters for it, *_ in ended if it.counters is not None]
    if not sent:
        undo(ended, 0, now)
        drop_shared(shared)
        return counted
    settle_holds(ended, progress.receipt, worked, now)
    settle_shared(shared, progress.receipt, worked)
    return counted


def _note_answer(progress: Progress) -> None:
    """What the provider said of its answer, streamed or whole."""
    receipt = progress.receipt
    said: StreamReader | Answer | None = progress.answer
    if progress.relay is not None:
        said = progress.relay.reader
        receipt.surplus_events = said.surplus_events
    if said is None:
        return
    if said.usage is not None:
        _note_usage(receipt, said.usage)
    receipt.finish_reason = identifier(said.finish_reason)
    receipt.model_served = identifier(said.model_served)
    receipt.provider_request_id = identifier(said.provider_request_id)
    if said.model_fingerprint is not None:
        receipt.model_fingerprint = identifier(said.model_fingerprint)
    if said.service_tier is not None:
        receipt.service_tier = identifier(said.service_tier)


def _note_usage(receipt: Receipt, usage: Usage) -> None:
    """The provider's own figures, unless they contradict themselves."""
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
    receipt.cache_write_1h_tokens = usage.cache_write_1h_tokens


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
    hides = target.hides_reasoning or (target.sums_up_reasoning and asks_to_think(ask.members))
    if not hides or (most_tokens is not None and seen_tokens > most_tokens):
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
    admitted, target = progress.admitted, progress.target
    assert target is not None  # noqa: S101 - a provider worked
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
    price, tier = target.price, receipt.service_tier
    if tier is None and "service_tier" in ask.members:
        tier = receipt.service_tier = identifier(tier_asked(ask))
    if price is not None:
        receipt.price_version = price.version
        rates = price if tier is None else at_tier(price, tier)
        if rates is not None and is_told(ask, receipt, price):
            receipt.cost_nanousd = cost_nanousd(receipt, rates)
            if receipt.cache_read_tokens or receipt.cache_write_tokens:
                receipt.prefix_saved_nanousd = prefix_saved_nanousd(receipt, rates)
    receipt.attempts[-1].cost_nanousd = receipt.cost_nanousd
