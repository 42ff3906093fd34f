"""What binds releases from outside, at one tick: levers, error budgets, hours, what the plan took,
certificates, and whether their answers are graded."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from tidegate.control.moment import Moment
from tidegate.control.release_burns import Burns
from tidegate.controllers.release import Bounds
from tidegate.core.business_hours import read_business_hours
from tidegate.core.change import Change
from tidegate.core.controller import Set
from tidegate.core.levers import EVERY
from tidegate.stores.assessments import Ungraded
from tidegate.stores.rollouts import Kept

# How long the plan is not asked again what it did not take.
REFUSED_S: Final = 60.0
_WITH_CANDIDATE: Final = frozenset({"shadow", "step", "analysing", "paused"})
_EDITED_AWAY: Final = (
    "the plan file was edited in what this release changes, so nobody is sent to it any more; "
    "roll it back, and release what is wanted now"
)


class Binding:
    """What binds releases from outside, at one moment."""

    def __init__(
        self,
        moment: Moment,
        burning: Burns | None = None,
        uncertified: Mapping[str, tuple[str, ...]] | None = None,
        ungraded: Mapping[str, Ungraded] | None = None,
    ) -> None:
        """`burning` is by release, where it is another than its route's, `uncertified` too, and
        `ungraded` by route."""
        self._moment = moment
        self._burning = burning or {}
        self._uncertified = uncertified or {}
        self._ungraded = ungraded or {}
        holds: list[Change | Set] = [*moment.in_force, *moment.wanted]
        self._frozen = _values(holds, "frozen")
        self._ranks = _values(holds, "release_policy")

    def of(self, kept: Kept) -> Bounds:
        rollout, now_s = kept.rollout, self._moment.now_s
        hours = rollout.business_hours
        refused = kept.problem_at_s is not None and 0 <= now_s - kept.problem_at_s < REFUSED_S
        return Bounds(
            policy_rank=int(self._most(self._ranks, rollout.route)),
            frozen=bool(self._most(self._frozen, rollout.route)),
            in_hours=hours is None or read_business_hours(hours).open_at(now_s),
            refusal=(kept.problem or "") if refused else self._edited_away(kept),
            obeyed=self._moment.obeyed,
            burning=self._burning.get(rollout.id, self._moment.burning.get(rollout.route, ())),
            approvers=self._moment.approvers.get(rollout.route, Bounds().approvers),
            uncertified=self._uncertified.get(rollout.id, ()),
            not_graded=self._not_graded(rollout.route),
        )

    def _not_graded(self, route: str) -> str:
        one = self._ungraded.get(route)
        if one is None:
            return ""
        since = datetime.fromtimestamp(one.since_s, UTC).isoformat(timespec="minutes")
        return f"its answers are not graded since {since}: {one.why}"

    def _edited_away(self, kept: Kept) -> str:
        """Why a release that should serve has no candidate in the plan; "" where it has one."""
        there = self._moment.candidates
        if there is None or kept.state not in _WITH_CANDIDATE or kept.rollout.id in there:
            return ""
        return _EDITED_AWAY

    @staticmethod
    def _most(values: Mapping[str, float], route: str) -> float:
        return max(values.get(route, 0.0), values.get(EVERY, 0.0))


def _values(holds: Iterable[Change | Set], lever: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in holds:
        if one.lever == lever:
            found[one.scope] = max(one.value, found.get(one.scope, 0.0))
    return found
