"""What the loop looks at: for each controller its subjects, each with what is news of it.

One tick reads everything in one snapshot of the store. A view is kept with the decision that it
led to, less what the store keeps of it anyway (`kept`), and is made whole again by `refilled`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.control.moment import Moment
from tidegate.control.release_bounds import Binding
from tidegate.control.release_burns import of_each
from tidegate.control.release_certificates import ReleaseCertificates, of_nobody
from tidegate.control.release_shadows import copies_of
from tidegate.controllers import release
from tidegate.controllers.release import (
    Bounds,
    Place,
    ShadowSeen,
    Unreadable,
    View,
    read_place,
)
from tidegate.core.block import Block
from tidegate.core.controller import Controller
from tidegate.core.rollout import Rollout
from tidegate.core.rollout_state import ENDED, Asked, State
from tidegate.stores import assessments, blocks, rollouts
from tidegate.stores.rollouts import Kept, Moved

# More of a rollout's blocks wait for the next tick.
MAX_BLOCKS: Final = 200
MAX_NEW_BLOCKS: Final = 5000

_NO_SHADOW: Final = ShadowSeen()
_encode = msgspec.json.Encoder().encode


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

    def __init__(self, certificates: ReleaseCertificates | None = None) -> None:
        self._certificates = certificates
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
        waiting = [one for one in kept if one.state != "created"]
        lacking = of_nobody(waiting)
        if self._certificates is not None:
            lacking = self._certificates.missing(connection, waiting, moment.now_s)
        ungraded = assessments.not_graded(connection)
        bound = Binding(moment, of_each(connection, moment, kept), lacking, ungraded)
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
