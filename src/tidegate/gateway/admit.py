"""admit: the caller-scoped holds of a request, all taken or none, or the no of the tightest."""

from collections.abc import Collection, Sequence
from typing import Protocol

from tidegate.core.ask import Ask
from tidegate.core.limit import Counters, Demand, Moment, Reading, scope_text
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway import demand as demands
from tidegate.gateway.holding import Held, moment, take
from tidegate.gateway.in_force import InForce
from tidegate.gateway.prepared import PreparedTarget
from tidegate.text.fingerprint import prompt_fingerprint

_NEVER_S = float("inf")
Wanted = list[tuple[InForce, str, int]]


class Past(Protocol):
    """What was spent before this process counted."""

    seeded_s: float

    async def learn(self, wanted: Wanted) -> Collection[InForce]:
        """Seeds the counters of money that know nothing of their past yet; those that cannot be
        counted now. Refusal."""

    def count_late(self, receipt: Receipt, received_s: float, held: Collection[Counters]) -> None:
        """Counts a request that ended now where it was received before a counter was seeded, at
        `seeded_s` (monotonic), and holds nothing of it."""


class Admission:
    """What one request holds and may come to. `settle` ends every hold that is in `held`."""

    __slots__ = ("_target", "_uncounted", "demand", "held", "lowered", "most_chunks")

    def __init__(self, demand: Demand, target: PreparedTarget) -> None:
        self._target = target.target
        self.demand = demand
        self.held: list[Held] = []
        self.lowered = False
        self.most_chunks: int | None = None
        self._uncounted: Collection[InForce] = ()

    async def admit(self, gate: Sequence[InForce], receipt: Receipt, past: Past | None) -> None:
        """Takes the holds of these limits. Refusal, with nothing of them taken."""
        try:
            self._check(gate, receipt)
            wanted = self._wanted(gate, receipt)
            if past is not None and any(it.money for it, _, _ in wanted):
                self._uncounted = await past.learn(wanted)
                if self._uncounted:
                    wanted = self._wanted(gate, receipt)
            now = moment()
            while not take(wanted, self.held, now):
                if not self._come_down(gate, receipt, now):
                    raise self._no(gate, receipt, now)
                wanted = self._wanted(gate, receipt)
        except Refusal as no:
            receipt.refused_by = no.excess.limit if no.excess is not None else None
            raise

    def bind(self, ask: Ask) -> None:
        """Writes the bound that was held into the request, where the caller may pass it."""
        demand = self.demand
        held_money = any(one.by.money and one.hold.amount for one in self.held)
        unasked = ask.output_ceiling_tokens is None and demand.choices
        if self.lowered or demand.bound_told or (held_money and unasked):
            ask.output_bound_tokens = demand.output_tokens
        if held_money:
            self.most_chunks = demand.total_output_tokens

    def _check(self, gate: Sequence[InForce], receipt: Receipt) -> None:
        """Limits that judge the request itself; counted exactly before one of them says no."""
        before = self.demand.output_tokens
        for it in gate:
            if it.applies(receipt):
                try:
                    it.kind.check(it.limit, self.demand)
                except Refusal:
                    if not demands.count(self.demand, self._target):
                        raise
                    it.kind.check(it.limit, self.demand)
        if self.demand.output_tokens < before:
            self.lowered = True
            demands.price(self.demand, self._target)

    def _wanted(self, gate: Sequence[InForce], receipt: Receipt) -> Wanted:
        wanted: Wanted = []
        for it in gate:
            if it.counters is None or not it.applies(receipt) or it in self._uncounted:
                continue
            scope = it.scope_of(receipt)
            if scope is None and "prompt" in it.limit.scope and not receipt.prompt_fingerprint:
                receipt.prompt_fingerprint = prompt_fingerprint(self.demand.ask)
                scope = it.scope_of(receipt)
            if scope is None:
                continue
            if it.money and self.demand.cost_nanousd is None and it.limit.on_excess == "refuse":
                raise Refusal(
                    "unpriced_model",
                    f"no price is known for that model, and the budget {it.limit.name!r} holds "
                    "money for each request",
                    param="model",
                )
            wanted.append((it, scope, it.amount(self.demand)))
        return wanted

    def _come_down(self, gate: Sequence[InForce], receipt: Receipt, now: Moment) -> bool:
        """A smaller demand that may fit: an exact count first, then a shorter answer."""
        if demands.count(self.demand, self._target):
            return True
        before = self.demand.output_tokens
        for it, _, _, reading in self._readings(gate, receipt, now):
            if reading.retry_s == 0:
                continue
            if it.money:
                fits = demands.afford(self.demand, self._target, reading.allowed - reading.used)
            else:
                fits = reading.retry_s is None and self._assume_less(it, reading.allowed)
            if not fits:
                return False
        self.lowered = self.lowered or self.demand.output_tokens < before
        return self.demand.output_tokens < before

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

    def _no(self, gate: Sequence[InForce], receipt: Receipt, now: Moment) -> Refusal:
        """The no of the limit that takes longest to have room again."""
        tightest: tuple[float, InForce, str, Reading] | None = None
        for it, scope, _, reading in self._readings(gate, receipt, now):
            wait_s = _NEVER_S if reading.retry_s is None else reading.retry_s
            if wait_s > (0.0 if tightest is None else tightest[0]):
                tightest = wait_s, it, scope, reading
        if tightest is None:  # it had no room a moment ago, and has some now
            return Refusal("rate_limit_exceeded", "a limit is exceeded", retry_after_s=0.1)
        _, it, scope, reading = tightest
        return it.kind.refusal(it.limit, scope_text(it.limit, scope), reading)

    def _readings(
        self, gate: Sequence[InForce], receipt: Receipt, now: Moment
    ) -> list[tuple[InForce, str, int, Reading]]:
        return [
            (it, scope, amount, it.counters.read(scope, amount, now))
            for it, scope, amount in self._wanted(gate, receipt)
            if it.counters is not None
        ]


def admission(
    ask: Ask, receipt: Receipt, target: PreparedTarget, assumed_output_tokens: int
) -> Admission:
    """An admission that holds nothing yet."""
    return Admission(demands.demand_of(ask, receipt, target.target, assumed_output_tokens), target)
