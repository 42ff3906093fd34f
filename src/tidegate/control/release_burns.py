"""Whose doing it is that an objective burns, where several releases of its route are at work: what
they answer for together is told apart by the names that receipts tell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol, cast

from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.control.sli_windows import counted
from tidegate.controllers.release import Burning, is_own
from tidegate.core.objective import HOUR_S, Indicator, Objective
from tidegate.core.rollout_state import State
from tidegate.stores import signals
from tidegate.stores.rollouts import Kept

# By release.
Burns = Mapping[str, tuple[Burning, ...]]
_CANARY: Final = "canary"
_PROMOTED: Final[frozenset[State]] = frozenset({"promoted", "soak"})
_AT_WORK: Final[frozenset[State]] = _PROMOTED | {"shadow", "step", "analysing", "paused"}


class Moment(Protocol):
    """What is looked at of a tick's."""

    @property
    def now_s(self) -> float: ...
    @property
    def burning(self) -> Mapping[str, tuple[Burning, ...]]: ...
    @property
    def candidates(self) -> Mapping[str, str] | None: ...


def of_each(connection: Connection, moment: Moment, kept: Sequence[Kept]) -> Burns:
    """Of releases that are not alone on a route that burns, what burns there with their own shares
    of it. To one that was promoted and soaks nothing is held that is another's."""
    by_route: dict[str, list[Kept]] = {}
    for one in kept:
        if one.state in _AT_WORK and moment.burning.get(one.rollout.route):
            by_route.setdefault(one.rollout.route, []).append(one)
    found: dict[str, tuple[Burning, ...]] = {}
    for route, some in by_route.items():
        if len(some) > 1:
            found |= dict(_apart(connection, moment, route, some))
    return found


def _apart(
    connection: Connection, moment: Moment, route: str, kept: list[Kept]
) -> Iterator[tuple[str, tuple[Burning, ...]]]:
    names = moment.candidates or {}
    shares: dict[str, tuple[Burning, ...]] = {}
    for one in kept:
        name = names.get(one.rollout.id)
        if name is not None and one.state not in _PROMOTED:
            shares[one.rollout.id] = tuple(
                _share(connection, moment, (route, name), it) for it in moment.burning[route]
            )
    yield from shares.items()
    others = {
        it.objective
        for some in shares.values()
        for it in some
        if is_own(it.canary_bad, it.canary_traffic)
    }
    left = tuple(it for it in moment.burning[route] if it.objective not in others)
    for one in kept:
        if one.state in _PROMOTED:
            yield one.rollout.id, left


def _share(
    connection: Connection, moment: Moment, whose: tuple[str, str], burning: Burning
) -> Burning:
    """What of all candidates' share is this release's; all of it, where that is not known."""
    if burning.canary_bad is None or burning.canary_traffic is None:
        return burning
    route, name = whose
    sli, more_s = cast("Indicator", burning.objective), burning.per_output_token_s
    objective = Objective(sli, 0.0, burning.within_s, more_s)
    from_s = moment.now_s - HOUR_S
    judged, bad = _tally(signals.of_arm(connection, route, _CANARY, from_s), objective)
    if not judged or not bad:
        return burning
    mine = signals.of_arm(connection, route, _CANARY, from_s, releases=(name,))
    own_judged, own_bad = _tally(mine, objective)
    return replace(
        burning,
        canary_bad=burning.canary_bad * own_bad / bad,
        canary_traffic=burning.canary_traffic * own_judged / judged,
    )


def _tally(minutes: list[signals.Minute], objective: Objective) -> tuple[int, int]:
    counts = [counted(one, objective) for one in minutes]
    return sum(judged for judged, _ in counts), sum(bad for _, bad in counts)
