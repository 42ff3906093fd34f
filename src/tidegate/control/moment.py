"""One tick of the loop: the time, and what holds by then."""

from collections.abc import Mapping

from msgspec import Struct

from tidegate.controllers.release import Burning
from tidegate.core.change import Change
from tidegate.core.controller import Set


class Moment(Struct, frozen=True):
    """One tick: the time on the wall, how long loops have worked, what holds a lever, whether all
    gateways obey the newest entry of the feed, and of what the tick has decided before: what is to
    hold a lever from now on, and by route which objectives burn, and how many people say yes to a
    fix while little of their error budget is left. `candidates` are the releases that the plan has
    beside its routes' own, with the names that receipts tell of them (None: not known), `undecided`
    authors and their subjects of which nobody knows what is to be done."""

    now_s: float
    active_s: float
    in_force: tuple[Change, ...] = ()
    obeyed: bool = True
    wanted: tuple[Set, ...] = ()
    burning: Mapping[str, tuple[Burning, ...]] = {}
    approvers: Mapping[str, int] = {}
    candidates: Mapping[str, str] | None = None
    undecided: frozenset[tuple[str, str]] = frozenset()
