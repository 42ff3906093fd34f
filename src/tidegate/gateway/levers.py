"""What levers are held at in this process now: control says which, this clock says how long.

A change ends here by itself, on the monotonic clock, whatever becomes of control or of the wall
clock. A lease begins anew with each beat of its leadership, and one that had lapsed is back then:
control beats only for what it still holds.
"""

import math
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tidegate.core.feed import ChangesInForce, InForce
from tidegate.core.levers import LEVERS, merged, wrong

# By lever, then by scope.
Standing = Mapping[str, Mapping[str, float]]
NOTHING: Final[Standing] = {}


class _Held(Struct, eq=False):
    change: InForce
    until_s: float


class Levers:
    """Times are monotonic seconds. `count` is of what holds now."""

    def __init__(self) -> None:
        self._epoch = 0
        self._held: dict[str, _Held] = {}
        self._live: frozenset[str] = frozenset()
        self._next_s = math.inf

    @property
    def count(self) -> int:
        return len(self._live)

    def forget(self) -> None:
        """The store is another than it was: its leaderships are counted anew."""
        self._epoch = 0

    def told(self, body: ChangesInForce, now_s: float) -> str | None:
        """These hold from now on, and no others. What of them cannot be obeyed, if anything; the
        rest is obeyed. Of a leadership that is over nothing is taken."""
        if body.epoch < self._epoch:
            return f"leadership {body.epoch} is over: {self._epoch} was heard"
        self._epoch = body.epoch
        before, self._held = self._held, {}
        problems = []
        for change in body.changes:
            problem = wrong(change.lever, change.scope, change.value)
            if problem is not None:
                problems.append(problem)
                continue
            until_s = now_s + _lasts_s(change)
            known = before.get(change.id)
            if known is not None and change.lease_s is not None:
                until_s = max(until_s, known.until_s)  # a beat was heard since
            self._held[change.id] = _Held(change, until_s)
        self._look(now_s)
        return "; ".join(problems) or None

    def beat(self, epoch: int, now_s: float) -> bool:
        """The loop lives. Whether other changes hold now than before."""
        if epoch < self._epoch:
            return False
        self._epoch = epoch
        for held in self._held.values():
            if held.change.lease_s is not None:
                held.until_s = max(held.until_s, now_s + held.change.lease_s)
        return self._look(now_s)

    def sweep(self, now_s: float) -> bool:
        """Ends what is over. Whether anything is; called ten times a second."""
        return now_s >= self._next_s and self._look(now_s)

    def standing(self) -> Standing:
        """What each lever is held at, with its clamps merged."""
        values: dict[str, dict[str, list[float]]] = {}
        for change_id in self._live:
            change = self._held[change_id].change
            scopes = values.setdefault(change.lever, {})
            scopes.setdefault(change.scope, []).append(change.value)
        return {
            name: {scope: merged(LEVERS[name], several) for scope, several in scopes.items()}
            for name, scopes in values.items()
        }

    def _look(self, now_s: float) -> bool:
        live = {key: it for key, it in self._held.items() if it.until_s > now_s}
        self._next_s = min((it.until_s for it in live.values()), default=math.inf)
        before, self._live = self._live, frozenset(live)
        return self._live != before


def _lasts_s(change: InForce) -> float:
    if change.remaining_s is not None:
        return change.remaining_s
    return 0.0 if change.lease_s is None else change.lease_s
