"""What the loop looks at: for each controller its subjects, each with what is news of it.

One tick reads everything in one snapshot of the store. A view is kept with the decision that it
led to, less what the store keeps of it anyway (`kept`), and is made whole again by `refilled`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.control.release_burns import Burns, of_each
from tidegate.control.release_shadows import copies_of
from tidegate.controllers import release
from tidegate.controllers.release import (
    Bounds,
    Burning,
    Place,
    ShadowSeen,
    Unreadable,
    View,
    read_place,
)
from tidegate.core.block import Block
from tidegate.core.business_hours import read_business_hours
from tidegate.core.change import Change
from tidegate.core.controller import Controller, Set
from tidegate.core.levers import EVERY
from tidegate.core.rollout import Rollout
from tidegate.core.rollout_state import ENDED, Asked, State
from tidegate.stores import assessments, blocks, rollouts
from tidegate.stores.assessments import Ungraded
from tidegate.stores.rollouts import Kept, Moved

# More of a rollout's blocks wait for the next tick.
MAX_BLOCKS: Final = 200
MAX_NEW_BLOCKS: Final = 5000
# How long the plan is not asked again what it did not take.
REFUSED_S: Final = 60.0
_WITH_CANDIDATE: Final = frozenset({"shadow", "step", "analysing", "paused"})
_EDITED_AWAY: Final = (
    "the plan file was edited in what this release changes, so nobody is sent to it any more; "
    "roll it back, and release what is wanted now"
)

_NO_SHADOW: Final = ShadowSeen()
_encode = msgspec.json.Encoder().encode


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


class Seen(Struct, frozen=True):
    """One subject of a controller."""

    subject: str
    view: Any


class Watcher(Protocol):
    """A controller with the eyes that it needs. All of it is called from one thread."""

    controller: Controller

    def observe(
        self, connection: Connection, moment: Moment, memories: Mapping[str, Raw]
    ) -> Iterable[Seen]: ...

    def kept(self, view: Any) -> bytes:
        """The view as JSON, as much as has to be kept of it."""
        ...

    def refilled(self, connection: Connection, kept: bytes, memory: Raw) -> Any:
        """The view of a kept decision. LookupError when what it was made of is not kept any
        more."""
        ...

    def note(
        self, connection: Connection, subject: str, decision: int, memories: tuple[Raw, Raw]
    ) -> None:
        """A decision was made, before and after which `memories` were: in its transaction."""
        ...

    def refused(self, connection: Connection, subject: str, why: str, at_s: float) -> None:
        """What was proposed of a subject is not done."""
        ...


class _KeptView(Struct, frozen=True, omit_defaults=True):
    """A view less its release, which never changes, and less its blocks, of which the numbers of
    the first and the last are kept. `arithmetic` is what they were judged by."""

    rollout: str
    now_s: float
    active_s: float
    asked: tuple[Asked, ...] = ()
    bounds: Bounds = Bounds()
    shadow: ShadowSeen = ShadowSeen()
    blocks: tuple[int, int] | None = None
    arithmetic: int = 1


_kept_view = msgspec.json.Decoder(_KeptView).decode


class Releases:
    """Every release that has not ended: `standing` as it was seen last. `moves` counts the states
    that releases came to, and by which row of the table."""

    controller: Controller = release.plug

    def __init__(self) -> None:
        self._rollouts: dict[str, Rollout] = {}
        self._blocks = _Blocks()
        self.standing: dict[str, Kept] = {}
        self.moves: Counter[tuple[State, str]] = Counter()

    def observe(
        self, connection: Connection, moment: Moment, memories: Mapping[str, Raw]
    ) -> Iterator[Seen]:
        kept = rollouts.under_way(connection, self._rollouts)
        self.standing = {one.rollout.id: one for one in kept}
        known = {one.rollout.id: _place(memories.get(one.rollout.id, Raw())) for one in kept}
        asked = rollouts.asked_after(
            connection, {name: place.asked_seq for name, place in known.items()}
        )
        new = self._blocks.after(connection, {name: it.block_seq for name, it in known.items()})
        ungraded = assessments.not_graded(connection)
        bound = Binding(moment, of_each(connection, moment, kept), ungraded)
        shadows = copies_of(connection, kept, known, moment.candidates)
        for one in kept:
            name = one.rollout.id
            view = View(
                rollout=one.rollout,
                now_s=moment.now_s,
                active_s=moment.active_s,
                blocks=tuple(new.get(name, ())),
                asked=tuple(asked.get(name, ())),
                bounds=bound.of(one),
                shadow=shadows.get(name, _NO_SHADOW),
            )
            yield Seen(name, view)

    def kept(self, view: View) -> bytes:
        blocks = view.blocks
        numbers = (blocks[0][0], blocks[-1][0]) if blocks else None
        return _encode(
            _KeptView(
                view.rollout.id,
                view.now_s,
                view.active_s,
                view.asked,
                view.bounds,
                view.shadow,
                numbers,
                arithmetic=release.ARITHMETIC,
            )
        )

    def refilled(self, connection: Connection, kept: bytes, memory: Raw) -> View:
        stored = _kept_view(kept)
        name = stored.rollout
        if stored.arithmetic != release.ARITHMETIC:
            raise LookupError(
                f"it was judged by arithmetic {stored.arithmetic} of another version of this "
                f"program, which has {release.ARITHMETIC}"
            )
        view = View(
            rollouts.find(connection, name).rollout,
            stored.now_s,
            stored.active_s,
            asked=stored.asked,
            bounds=stored.bounds,
            shadow=stored.shadow,
        )
        if stored.blocks is None:
            return view
        first, last = stored.blocks
        found = [
            (seq, block)
            for seq, block in blocks.after(connection, name, first - 1, most=MAX_BLOCKS)
            if seq <= last
        ]
        if not found or (found[0][0], found[-1][0]) != (first, last):
            raise LookupError(f"blocks {first} to {last} of {name} are not kept any more")
        return replace(view, blocks=tuple(found))

    def note(
        self, connection: Connection, subject: str, decision: int, memories: tuple[Raw, Raw]
    ) -> None:
        before, after = (_place(memory).standing for memory in memories)
        if (before.state, before.step, before.since_s) == (after.state, after.step, after.since_s):
            return
        line = Moved(after.since_s, after.state, after.step, after.why, decision)
        rollouts.move(connection, subject, line, ended=after.state in ENDED)
        self.moves[after.state, after.by] += 1

    def refused(self, connection: Connection, subject: str, why: str, at_s: float) -> None:
        rollouts.note_problem(connection, subject, why, at_s)


def _place(memory: Raw) -> Place:
    """Of one whose memory cannot be read its controller says so, of that one alone."""
    try:
        return read_place(memory)
    except Unreadable:
        return Place()


class _Blocks:
    """New blocks of all releases by one question, once each has been asked for its own: one that
    has not taken in all that it was given is asked for anew."""

    def __init__(self) -> None:
        self._upto = 0
        self._given: dict[str, int] = {}

    def after(
        self, connection: Connection, known: Mapping[str, int]
    ) -> dict[str, list[tuple[int, Block]]]:
        """By release, what came after the numbers that are `known`."""
        behind = {name for name, seq in known.items() if self._given.get(name) != seq}
        upto = self._upto if len(behind) < len(known) else blocks.newest_seq(connection)
        found = blocks.news(connection, upto, most=MAX_NEW_BLOCKS)
        self._upto = max((some[-1][0] for some in found.values()), default=upto)
        for name in behind:
            found[name] = blocks.after(connection, name, known[name], most=MAX_BLOCKS)
        self._given = {
            name: found[name][-1][0] if found.get(name) else seq
            for name, seq in known.items()
            if name not in behind or len(found[name]) < MAX_BLOCKS
        }
        return found


class Binding:
    """What binds releases from outside, at one moment."""

    def __init__(
        self,
        moment: Moment,
        burning: Burns | None = None,
        ungraded: Mapping[str, Ungraded] | None = None,
    ) -> None:
        """`burning` is by release, where it is another than its route's, `ungraded` by route."""
        self._moment = moment
        self._burning = burning or {}
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
