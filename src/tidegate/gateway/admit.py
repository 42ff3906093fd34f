"""admit: the holds of a request, all taken or none, or the no of the tightest limit."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from tidegate.core.ask import Ask
from tidegate.core.limit import Counters, Demand, Moment, Reading, of_target, scope_text
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway import demand as demands
from tidegate.gateway.gate import Gate, Wanted
from tidegate.gateway.holding import Held, moment, take, undo
from tidegate.gateway.in_force import InForce
from tidegate.gateway.prepared_target import Priced
from tidegate.gateway.shared_hold import SharedHold, Short, drop_shared, take_more, take_shared
from tidegate.gateway.size import note_conversation
from tidegate.text.fingerprint import prompt_fingerprint

_NEVER_S = float("inf")
_SHARED_TRIES = 8


class Past(Protocol):
    """What was spent before this process counted."""

    seeded_s: float

    async def learn(self, wanted: Wanted) -> Collection[InForce]:
        """Seeds the counters of money that know nothing of their past yet. Those that only alert
        and could not be learnt come back: they are not counted now. Refusal for any other."""

    def count_late(
        self, receipt: Receipt, nanousd: int, received_s: float, held: Collection[Counters]
    ) -> None:
        """Counts what an attempt used of a budget that began while its request was served."""

    def began(self, counters: Counters, scope: str, since_s: float) -> bool:
        """Whether they were seeded after that (monotonic seconds) with what the ledger has of this
        scope, as far as that is remembered."""

    async def recorded(self, ids: Sequence[str]) -> set[str]:
        """Those of these receipts that are in the ledger. StoreError, OSError."""

    async def receipt(self, id: str) -> Receipt | None:
        """The receipt of this id, where the ledger has it. StoreError, OSError."""

    async def holds(
        self, since_s: float, most: int, *, late: bool = False, team: str | None = None
    ) -> list[Receipt]:
        """What batches held since then (wall clock), and what of that has ended: at most so many
        receipts, of all or of one team. With `late` also what the journals here have and the ledger
        has not yet. StoreError, OSError."""


class Admission:
    """What one request holds and may come to. `settle` ends every hold that is in `held` (in
    memory) and in `shared`, those of limits by target with each attempt. What failed attempts may
    have cost is held beside them.

    `gate` is the first that it has passed, which is the caller's own. `most_chunks` is how many
    tokens, and so chunks at most, its money was held for.
    """

    __slots__ = (
        *("_before", "_more", "_more_shared", "_number", "_target"),
        *("demand", "gate", "held", "lowered"),
        *("most_chunks", "shared"),
    )

    def __init__(
        self, ask: Ask, receipt: Receipt, target: Priced, assumed_output_tokens: int
    ) -> None:
        self._target = target
        self.demand = demands.demand_of(ask, receipt, target, assumed_output_tokens)
        self.held: list[Held] = []
        self.shared: list[SharedHold] = []
        self.lowered = False
        self.most_chunks: int | None = None
        self.gate: Gate | None = None
        self._number = 0
        self._before: tuple[Demand, bool] | None = None
        self._more: list[Held] = []
        self._more_shared: list[SharedHold] = []

    def aim(self, target: Priced) -> None:
        """The holds to come are of an attempt at this target, at its own price. What the limits of
        one before it have made of the request is undone."""
        self._number += 1
        if self._before is None:
            self._before = replace(self.demand), self.lowered
        else:
            before, self.lowered = self._before
            self.demand = replace(before)
        if target is not self._target or self._number > 1:
            self._target = target
            demands.price(self.demand, target)

    def send(self, ask: Ask) -> int:
        """Another request is sent in its place, with more in it: how much dearer it can be."""
        demand = self.demand
        before_nanousd = demand.cost_nanousd or 0
        longer_bytes = max(len(ask.body) - len(demand.ask.body), 0)
        for one in (demand,) if self._before is None else (demand, self._before[0]):
            one.ask = ask
            one.input_tokens += longer_bytes  # a token of text has a byte at least
            one.input_exact = one.input_exact and not longer_bytes
        if not longer_bytes:
            return 0
        demands.price(demand, self._target)
        return (demand.cost_nanousd or 0) - before_nanousd

    def meant_for(self, ask: Ask, target: Priced, assumed_output_tokens: int) -> int:
        """The request goes on as `ask`, at what has this price at most, with what is held for it:
        how much dearer it can be. It answers no longer than that was held for. Refusal where nobody
        knows a price and money is held."""
        held = self.demand if self._before is None else self._before[0]
        fresh = demands.demand_of(ask, held.receipt, target, assumed_output_tokens)
        if fresh.output_tokens > held.output_tokens:
            fresh.output_tokens, self.lowered = held.output_tokens, True
            demands.price(fresh, target)
        fresh.bound_told = held.bound_told
        self.demand, self._target, self._before = fresh, target, None
        if held.cost_nanousd is None or not self._holds_money():
            return 0
        if fresh.cost_nanousd is None:
            message = "no price is known for what serves that model now, and a budget holds money"
            raise Refusal("unpriced_model", message, param="model")
        return max(fresh.cost_nanousd - held.cost_nanousd, 0)

    async def meant_too(
        self, ask: Ask, target: Priced, assumed_output_tokens: int, wasted_nanousd: int
    ) -> bool:
        """The same, where the attempt before may have cost so much of what is held. Whether there
        is money for both; without it nothing has changed."""
        before = self.demand, self._target, self._before, self.lowered
        held_nanousd = (self.demand if self._before is None else self._before[0]).cost_nanousd
        try:
            more_nanousd = wasted_nanousd + self.meant_for(ask, target, assumed_output_tokens)
            fresh_nanousd = self.demand.cost_nanousd
            if held_nanousd is not None and fresh_nanousd is not None:
                more_nanousd = max(wasted_nanousd + fresh_nanousd - held_nanousd, 0)
            if not more_nanousd or await self.hold_more(more_nanousd):
                return True
        except Refusal:
            pass
        self.demand, self._target, self._before, self.lowered = before
        return False

    def _holds_money(self) -> bool:
        return any(it.money and amount for it, _, amount, _ in self.held) or any(
            hold.holds_money() for hold in self.shared
        )

    async def hold_more(self, nanousd: int) -> bool:
        """Holds what an attempt may have cost beside what is held for the next, of all money that
        is held for the caller, or nothing; whether there was so much."""
        here, there = len(self._more), len(self._more_shared)
        held = False
        try:
            held = await self._take_more(nanousd)
        finally:  # its client may have left meanwhile
            if not held:
                undo(self._more, here, moment())
                beyond, self._more_shared[there:] = self._more_shared[there:], []
                drop_shared(beyond)
        return held

    async def _take_more(self, nanousd: int) -> bool:
        now, receipt = moment(), self.demand.receipt
        for it, scope, amount, _ in self.held:
            if it.money and amount and not of_target(it.limit):
                ticket = it.take(scope, nanousd, now)
                if ticket is None:
                    return False
                self._more.append((it, scope, nanousd, ticket))
        for hold in self.shared:
            if hold.holds_money() and not of_target(hold.of[0][0].limit):
                self._number += 1
                id = f"{receipt.id}/more.{self._number}"
                more = await take_more(hold, receipt, nanousd, id)
                if more is None:
                    return False
                self._more_shared.append(more)
        return True

    def drop_more(self) -> None:
        """Once the caller's holds are settled, with all that was used of them."""
        if self._more:
            undo(self._more, 0, moment())
        if self._more_shared:
            drop_shared(self._more_shared)

    async def admit(self, gate: Gate, past: Past | None) -> None:
        """Takes the holds of these limits. Refusal, with nothing of them taken."""
        receipt = self.demand.receipt
        try:
            if gate.judges:
                self._judge(gate)
            now = moment()
            if gate.money:
                self._check_price(gate)
                if past is not None and (unknown := gate.unknown(receipt, now)):
                    gate = gate.without(await past.learn(unknown))
                    now = moment()
            if gate.sessions and receipt.session_id is None:
                if receipt.end_user is None:  # else the session is theirs
                    note_conversation(self.demand.ask, receipt)
                receipt.session_id = receipt.session
            if gate.prompts and receipt.prompt_fingerprint is None:
                receipt.prompt_fingerprint = prompt_fingerprint(self.demand.ask)
            before = len(self.held)
            while not take(gate, self.demand, self.held, now):
                if not self._come_down(partial(self._readings, gate, now)):
                    raise self._no(gate, now)
            if gate.shared:
                await self._share(gate, before)
        except Refusal as no:
            receipt.refused_by = no.excess.limit if no.excess is not None else None
            raise
        if self.gate is None:
            self.gate = gate

    def bind(self, ask: Ask) -> None:
        """Writes the bound that was held into the request, where the caller may pass it."""
        demand = self.demand
        held_money = any(hold.holds_money() for hold in self.shared) if self.shared else False
        for it, _, amount, _ in self.held:
            if amount and it.money:
                held_money = True
        unasked = ask.output_ceiling_tokens is None and demand.choices
        if self.lowered or demand.bound_told or (held_money and unasked):
            ask.output_bound_tokens = demand.output_tokens
        self.most_chunks = demand.total_output_tokens if held_money else None

    async def _share(self, gate: Gate, before: int) -> None:
        """Takes what is held in the shared store. Refusal, with what is held in memory beyond the
        first `before` undone."""
        demand, earlier = self.demand, len(self.shared)
        number = 0
        try:
            while True:
                id = f"{demand.receipt.id}/{self._number}.{earlier}.{number}"
                answer = await take_shared(gate, demand, id)
                if isinstance(answer, SharedHold):
                    self.shared.append(answer)
                if answer is None or isinstance(answer, SharedHold):
                    return
                number += 1
                if number == _SHARED_TRIES or not self._come_down(partial(_only, answer)):
                    it, scope, _, reading = answer
                    raise it.kind.refusal(it.limit, scope_text(it.limit, scope), reading)
        except Refusal:
            undo(self.held, before, moment())
            raise

    def _judge(self, gate: Gate) -> None:
        """Limits that judge the request itself; counted exactly before one of them says no."""
        demand = self.demand
        before = demand.output_tokens
        for it in gate.judges:
            if it.applies(demand.receipt):
                try:
                    it.kind.check(it.limit, demand)
                except Refusal:
                    if not demands.count(demand, self._target):
                        raise
                    it.kind.check(it.limit, demand)
        if demand.output_tokens < before:
            self.lowered = True
            demands.price(demand, self._target)

    def _check_price(self, gate: Gate) -> None:
        """Refusal when a budget holds money and nobody knows how much the request could cost."""
        demand = self.demand
        unpriced = demand.cost_nanousd is None
        uncovered = (demands.uncovered_member(demand.ask, p) for p in self._target.prices)
        dearer = next(filter(None, uncovered), None)
        if not unpriced and dearer is None:
            return
        for it in gate.money:
            if it.limit.on_excess == "refuse" and gate.wanted(it, demand.receipt) is not None:
                if unpriced:
                    raise Refusal(
                        "unpriced_model",
                        f"no price is known for that model, and the budget {it.limit.name!r} holds "
                        "money for each request",
                        param="model",
                    )
                raise Refusal(
                    "invalid_parameter",
                    f"`{dearer}` asks for what the model's price does not cover, and the budget "
                    f"{it.limit.name!r} holds money for each request; leave it out",
                    param=dearer,
                )

    def _wanted(self, gate: Gate) -> Wanted:
        demand = self.demand
        wanted: Wanted = []
        for it, fixed in gate.counts:
            scope = gate.wanted(it, demand.receipt) if fixed is None else fixed
            if scope is not None:
                wanted.append((it, scope, it.amount(demand)))
        return wanted

    def _come_down(self, readings: Callable[[], list[Short]]) -> bool:
        """A smaller demand that may fit: an exact count first, then a shorter answer."""
        demand = self.demand
        if demand.ask.metered is not None:
            return False
        if demands.count(demand, self._target):
            return True
        before = demand.output_tokens
        for it, _, _, reading in readings():
            if reading.retry_s == 0:
                continue
            if it.money:
                fits = demands.afford(demand, self._target, reading.allowed - reading.used)
            else:
                fits = reading.retry_s is None and self._assume_less(it, reading.allowed)
            if not fits:
                return False
        self.lowered = self.lowered or demand.output_tokens < before
        return demand.output_tokens < before

    def _assume_less(self, it: InForce, allowed: int) -> bool:
        """A length that nobody asked for must not make a request too large for a limit."""
        demand = self.demand
        if demand.ask.output_ceiling_tokens is not None or not demand.choices:
            return False
        beyond = it.amount(demand) - allowed
        shorter = demand.output_tokens + -beyond // demand.choices
        if shorter < demands.MIN_OUTPUT_TOKENS or beyond <= 0:
            return beyond <= 0
        demand.output_tokens = shorter
        demands.price(demand, self._target)
        return it.amount(demand) <= allowed

    def _no(self, gate: Gate, now: Moment) -> Refusal:
        """The no of the limit that takes longest to have room again."""
        tightest: tuple[float, InForce, str, Reading] | None = None
        for it, scope, _, reading in self._readings(gate, now):
            wait_s = _NEVER_S if reading.retry_s is None else reading.retry_s
            if wait_s > (0.0 if tightest is None else tightest[0]):
                tightest = wait_s, it, scope, reading
        if tightest is None:  # it had no room a moment ago, and has some now
            return Refusal("rate_limit_exceeded", "a limit is exceeded", retry_after_s=0.1)
        _, it, scope, reading = tightest
        return it.kind.refusal(it.limit, scope_text(it.limit, scope), reading)

    def _readings(self, gate: Gate, now: Moment) -> list[Short]:
        return [
            (it, scope, amount, it.counters.read(scope, amount, now))
            for it, scope, amount in self._wanted(gate)
            if it.counters is not None
        ]


def _only(short: Short) -> list[Short]:
    return [short]
