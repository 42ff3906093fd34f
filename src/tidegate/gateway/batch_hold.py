"""batch_hold: what a batch may cost is held of its budgets, from before its provider is asked until
its results are settled.

That takes up to a day and longer than gateways and plans live, so a hold is a receipt: budgets
count its `most_nanousd` as that of any request whose cost nobody knows, in live counters, in those
that several gateways share, and wherever they begin with the ledger. It is as safe as the plan
promises before the provider is asked, so that whoever is killed leaves no batch that nothing is
held for. A second receipt, whose id follows from the first one's, takes as much away again. Whoever
writes that, the ledger has it once.
"""

import logging
from collections.abc import Iterable

from msgspec.structs import replace

from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.limit import Calendar, Demand, Moment, scope_text
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Hold, Receipt, encode_frame
from tidegate.gateway.batch_desk import HeldMoney
from tidegate.gateway.batch_ids import SEALED, Sealed, hold_id, shown
from tidegate.gateway.batch_money import budgets, gates, is_over, knows
from tidegate.gateway.batch_results import line_id
from tidegate.gateway.batch_settle import owner_of
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import Held, moment, take, undo
from tidegate.gateway.in_force import InForce
from tidegate.gateway.shared_hold import SharedHold, drop_shared, take_shared
from tidegate.gateway.world import World
from tidegate.stores.errors import StoreError
from tidegate.stores.spending import MAX_COST_NANOUSD

log = logging.getLogger(__name__)


async def hold(file: Sealed, receipt: Receipt, key: KeyRecord, world: World) -> bool:
    """Holds what a batch of this file may cost where a hard budget counts it, all or nothing, and
    notes it in the journal. `receipt` says whose the batch is and when it begins, under the id of
    the hold. Whether it is as safe there as promised; else it is to be released. Refusal."""
    plan = world.obeyed()
    wanted = budgets(receipt, key, plan)
    hard = [it for it, _ in wanted if _is_hard(it)]
    nanousd = _most_nanousd(file, hard)
    taken: list[Held] = []
    shared: list[SharedHold] = []
    if nanousd:
        ask = Ask(receipt.endpoint, b"", {}, receipt.route or "")
        demand = Demand(ask, receipt, 0, True, 0, 0, cost_nanousd=nanousd)
        here = [(it, scope, nanousd) for it, scope in wanted if it.counters is not None]
        unknown = () if world.past is None else await world.past.learn(here)
        wanted = [one for one in wanted if one[0] not in unknown]
        await _take(demand, gates(receipt, key, plan), (taken, shared))
    # What follows is one turn of the loop: whoever reads what was spent finds all of it or none.
    receipt.holds = [Hold(it.limit.name, scope, nanousd) for it, scope in wanted if nanousd]
    receipt.most_nanousd = nanousd or None
    receipt.cost_nanousd = None if nanousd else 0
    written = world.journal.written(encode_frame(receipt))
    now = moment()
    for it, scope, amount, ticket in taken:
        it.give_back(scope, ticket, amount, amount, now)
    for store, told, _ in shared:
        store.in_use -= 1
        store.counters.give_back(told, [want.amount for want in told.wants])
    for it, scope in wanted if nanousd else ():
        if not _is_hard(it):
            _tell_soft((it, scope), receipt, taken, now)
    world.batches.hold(receipt.id, HeldMoney(receipt, taken, now.monotonic_s))
    safe = await written
    for store, *_ in shared:  # whoever is killed now has told what others count by, too
        await store.counters.tell()
    return safe


async def release(batch: Sealed, world: World) -> bool:
    """Ends what is held for a batch whose results are settled, or that never has any. Whether it
    has ended; else it is to be tried again."""
    if not batch.hold:
        return True
    desk, done = world.batches, done_id(batch)
    if done in desk.settled:
        return True
    held, known = desk.holds.get(hold_id(batch)), False
    receipt = None if held is None else held.receipt
    try:
        if world.past is not None:
            known = bool(await world.past.recorded([done]))
            receipt = receipt or await world.past.receipt(hold_id(batch))
        owner = await owner_of(batch, world)
    except (StoreError, OSError, Refusal) as error:
        log.info("what is held for batch %s cannot be given back now: %s", batch.own, error)
        return False
    if receipt is None and not known:
        return False  # the ledger has not got it yet
    if not desk.settled.note(done):
        return True
    desk.holds.pop(hold_id(batch), None)
    now = moment()
    for it, scope, amount, ticket in () if held is None else held.taken:
        it.give_back(scope, ticket, amount, 0, now)
    if receipt is None or known:
        return True
    nanousd = receipt.most_nanousd
    ended = replace(receipt, id=done, most_nanousd=None if nanousd is None else -nanousd, holds=[])
    written = world.journal.written(encode_frame(ended))
    if nanousd:
        mine = {id(it.counters) for it, *_ in held.taken} if held is not None else set()
        for it, scope in budgets(receipt, owner.key, world.obeyed()):
            if it.shared is not None and held is None and batch.kind == "owner":
                continue  # killed before it was begun: whether the store was told, nobody knows
            if it.counters is None or id(it.counters) not in mine:
                _take_back((it, scope), ended, held, world, now)
    await written  # what is not in time is written later
    return True


async def release_or_later(owner: Sealed, world: World) -> None:
    """The same of a batch that surely was not begun."""
    if not await release(owner, world):
        world.batches.unbegun.append(owner)


async def note_begun(batch: Sealed, world: World) -> None:
    """Notes which batch it is that something is held for, for whoever starts when this process is
    no more, before its caller is told."""
    held = world.batches.holds.get(hold_id(batch))
    if held is None:
        return
    named = {"batch": batch.own, SEALED: shown(batch, world.keys.digests)}
    began = replace(held.receipt, id=begun_id(batch), most_nanousd=None, cost_nanousd=0, holds=[])
    began.attributes = {**(held.receipt.attributes or {}), **named}
    written = world.journal.written(encode_frame(began))
    world.batches.note_begun(began)
    await written  # it exists, whether that can be written or not


async def has_ended(batch: Sealed, world: World) -> bool:
    """Whether what was held for it was given back, here or elsewhere, so that its results are
    settled."""
    if not batch.hold or done_id(batch) in world.batches.settled:
        return bool(batch.hold)
    try:
        return world.past is not None and bool(await world.past.recorded([done_id(batch)]))
    except (StoreError, OSError):
        return False


def done_id(batch: Sealed) -> str:
    """Of the one that ends it."""
    return line_id(batch.at_ms, "", hold_id(batch), "done")


def begun_id(batch: Sealed) -> str:
    """Of the one that says which batch it was."""
    return line_id(batch.at_ms, "", hold_id(batch), "begun")


def _is_hard(it: InForce) -> bool:
    return it.limit.on_excess == "refuse"


def _most_nanousd(file: Sealed, hard: list[InForce]) -> int:
    """What is to be held; 0 where no hard budget counts it. Refusal where nobody knows that."""
    if not hard:
        return 0
    name = hard[0].limit.name
    if file.most_nanousd is None:
        raise Refusal(
            "unpriced_model",
            f"no price is known for a batch of that model, and the budget {name!r} holds money for "
            "each request",
            param="model",
        )
    if file.unbound:
        raise Refusal(
            "invalid_parameter",
            f"the file's answers may be of any length, and the budget {name!r}, which held no "
            "money for whoever sent it, holds some now: send the file again",
            param="input_file_id",
        )
    if file.most_nanousd > MAX_COST_NANOUSD:
        message = "the batch may cost more than a budget can hold; send it in several files"
        raise Refusal("invalid_parameter", message, param="input_file_id")
    return file.most_nanousd


async def _take(
    demand: Demand, several: Iterable[Gate], held: tuple[list[Held], list[SharedHold]]
) -> None:
    """Takes it of each hard budget, or of none. Refusal."""
    taken, shared = held
    some = [gate.only(lambda it: it.money and _is_hard(it)) for gate in several]
    done = False
    try:
        for number, gate in enumerate(some):
            id = f"{demand.receipt.id}/{number}"
            answer = await take_shared(gate, demand, id) if gate.shared else None
            if isinstance(answer, SharedHold):
                shared.append(answer)
            elif answer is not None:
                it, scope, _, reading = answer
                raise it.kind.refusal(it.limit, scope_text(it.limit, scope), reading)
        now = moment()
        for gate in some:
            if not take(gate, demand, taken, now):
                raise _no(gate, demand, now)
        done = True
    finally:  # whoever waits for it may be gone
        if not done:
            undo(taken, 0, moment())
            drop_shared(shared)


def _no(gate: Gate, demand: Demand, now: Moment) -> Refusal:
    """The no of the first budget that has no room."""
    nanousd = demand.cost_nanousd or 0
    for it, fixed in gate.counts:
        scope = gate.wanted(it, demand.receipt) if fixed is None else fixed
        if scope is not None and it.counters is not None:
            reading = it.counters.read(scope, nanousd, now)
            if reading.used + nanousd > reading.allowed:
                return it.kind.refusal(it.limit, scope_text(it.limit, scope), reading)
    return Refusal("limits_unavailable", "a budget has changed meanwhile", retry_after_s=1.0)


def _tell_soft(one: tuple[InForce, str], receipt: Receipt, taken: list[Held], now: Moment) -> None:
    """Soft budgets refuse nothing, and count as the ledger does."""
    it, scope = one
    nanousd = receipt.most_nanousd or 0
    if it.shared is not None:
        _tell_shared(one, receipt)
    elif it.counters is not None and (ticket := it.take(scope, 0, now)) is not None:
        it.give_back(scope, ticket, 0, nanousd, now)
        taken.append((it, scope, nanousd, ticket))


def _tell_shared(one: tuple[InForce, str], receipt: Receipt) -> None:
    """The hold, or its end, to counters that pass over what they have seen."""
    it, scope = one
    assert it.shared is not None  # noqa: S101 - see the callers
    counters = it.shared.store.counters
    want = it.shared.want(scope, 0, receipt, counters.wall_s(), receipt.started_at_s)
    counters.spent(f"{receipt.id}/{it.limit.name}", want, receipt.most_nanousd or 0)


def _take_back(
    one: tuple[InForce, str], ended: Receipt, held: HeldMoney | None, world: World, now: Moment
) -> None:
    """Takes the hold off a counter that did not take it itself: one that is shared, or that began
    with the ledger after it was held, as those of a budget that was changed meanwhile do. Another
    goes on counting it, which errs on the safe side."""
    it, scope = one
    if is_over(it, ended, now):
        return
    if it.shared is not None:
        _tell_shared(one, ended)
        return
    shape, nanousd = it.shape, -(ended.most_nanousd or 0)
    if it.counters is None or shape is None or not knows(it, scope, now):
        return
    began = world.batches.since_s > ended.started_at_s
    if held is not None and world.past is not None:
        began = began or world.past.began(it.counters, scope, held.at_s)
    if not began:
        return
    if isinstance(shape, Calendar):
        ticket = it.take(scope, 0, now)
    else:
        ticket = it.place_of(ended.started_at_s)
    if ticket is not None:
        it.give_back(scope, ticket, nanousd, 0, now)
