"""One route under the error-budget controller, tick after tick."""

from typing import Any

import msgspec
from msgspec import Raw

from tidegate.controllers import error_budget
from tidegate.controllers.error_budget import ObjectiveSeen, View, plug
from tidegate.core.block import Tally
from tidegate.core.controller import Decision, Set, Tell
from tidegate.core.objective import ErrorBudget, Objective
from tidegate.stats.burn import DAY_S, windows_s

HOUR_S = 3600.0
NOON_S = 1_800_000_000.0
P30 = 30 * DAY_S
AVAILABILITY = Objective("availability", 0.999)


def seen(
    bad: dict[float, int] | None = None,
    *,
    per_s: float = 10.0,
    objective: Objective = AVAILABILITY,
    **fields: Any,
) -> ObjectiveSeen:
    """Requests that come evenly; `bad` are those of every window as long as its key, or longer."""
    counts = {}
    for window_s in windows_s(P30):
        worst = max((n for at_s, n in (bad or {}).items() if at_s <= window_s), default=0)
        counts[int(window_s)] = Tally(round(per_s * window_s), worst)
    return ObjectiveSeen(objective, counts, **fields)


def view(*objectives: ObjectiveSeen, at_s: float = 0.0, **fields: Any) -> View:
    budget = fields.pop("budget", ErrorBudget())
    return View("chat", NOON_S + at_s, P30, budget, objectives or (seen(),), **fields)


# Of a period, 25,920 bad ones are allowed.
OUTAGE = {300.0: 3_000, P30: 5_000}


def spent(share: float) -> dict[float, int]:
    return {P30: round(share * 25_920)}


class Route:
    """One route, tick after tick."""

    def __init__(self) -> None:
        self.memory = Raw(b"")
        self.decision: Decision | None = None

    def tick(self, one: View) -> Decision:
        packed = msgspec.msgpack.encode(one)
        again = msgspec.msgpack.decode(packed, type=View)
        self.decision = plug.decide(again, self.memory)
        assert plug.decide(one, self.memory) == self.decision  # and so it replays
        self.memory = self.decision.memory
        return self.decision

    @property
    def state(self) -> str:
        return error_budget.read_memory(self.memory).state


def tells(decision: Decision) -> list[tuple[str, bool]]:
    return [(one.key, one.resolved) for one in decision.proposals if isinstance(one, Tell)]


def held(decision: Decision) -> float | None:
    found = [one for one in decision.proposals if isinstance(one, Set)]
    assert all((one.lever, one.scope) == ("release_policy", "chat") for one in found)
    return found[0].value if found else None
