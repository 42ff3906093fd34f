"""All holds are taken or none, and each ends once."""

from tidegate.core.ask import Ask
from tidegate.core.limit import Demand, Moment
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import Held, settle_holds, take, undo
from tidegate.gateway.in_force import InForce
from tidegate.limits.concurrency import plug as concurrency
from tidegate.limits.tokens import plug as tokens
from tidegate.stores.memory_counters import memory_counters

NOW = Moment(10.0, 1_800_000_000.0)


def bind(limit: Limit) -> InForce:
    kind = {"concurrency": concurrency, "tokens": tokens}[limit.kind]
    shape = kind.shape(limit)
    assert shape is not None
    return InForce(limit, kind, memory_counters(shape))


def demand(input_tokens: int = 10) -> Demand:
    receipt = Receipt("id", 1.0, "g", "chat")
    return Demand(Ask("chat", b"", {}, "m"), receipt, input_tokens, True, 0, 1)


def used(it: InForce) -> int:
    assert it.counters is not None
    return it.counters.read("", 0, NOW).used


ROOMY = Limit("roomy", "tokens", 100, per_s=3600.0)
TIGHT = Limit("tight", "concurrency", 1)


def test_a_no_takes_nothing() -> None:
    roomy, tight = bind(ROOMY), bind(TIGHT)
    gate = Gate((roomy, tight))
    held: list[Held] = []
    assert take(gate, demand(), held, NOW)
    more = list(held)
    assert not take(gate, demand(), more, NOW)
    assert more == held
    assert (used(roomy), used(tight)) == (10, 1)
    undo(held, 0, NOW)
    assert (used(roomy), used(tight)) == (0, 0)


def test_what_nobody_knows_counts_as_held_unless_nobody_worked() -> None:
    for worked, known, counted in (
        (True, None, 10),
        (False, None, 0),
        (True, 4, 4),
        (True, 14, 14),
    ):
        it = bind(ROOMY)
        held: list[Held] = []
        assert take(Gate((it,)), demand(), held, NOW)
        receipt = Receipt("id", 1.0, "g", "chat", input_tokens=known)
        receipt.output_tokens = None if known is None else 0
        settle_holds(held, receipt, worked, NOW)
        settle_holds(held, receipt, worked, NOW)
        said = known if worked else 0
        assert [(hold.amount, hold.used) for hold in receipt.holds] == [(10, said)]
        assert used(it) == counted
