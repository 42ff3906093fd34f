"""Acts on what a controller has decided: proposals become changes, revisions and words to people.

All of a decision happens in the caller's one transaction, or none of it. A leadership that is over
writes nothing (`Fenced`). What is proposed again as it stands costs no write: its lease goes on
with the beat of the tick.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from sqlalchemy import Connection, Engine

from tidegate.core import clock
from tidegate.core.arm import dial_scope
from tidegate.core.change import Change, Revision
from tidegate.core.controller import Proposal, Revise, Set, Tell
from tidegate.core.levers import LEVERS
from tidegate.stores import changes, database, leadership, revisions
from tidegate.stores.audit import Author
from tidegate.stores.changes import ChangeRefused

# (the caller's transaction, what is told, wall-clock seconds)
Telling = Callable[[Connection, Tell, float], object]

MOST_OPEN = 10_000
# What a candidate's coming and going makes void. A promotion does not: its weight stands until its
# plan is obeyed, or everybody would be sent back for that moment.
_VOID_BY = frozenset({"start", "withdraw", "restore"})
_OF_CANDIDATE = frozenset({"release_weight", "shadow_share"})


class Actor(Struct, frozen=True):
    """Who acts (`controller:NAME`), in which leadership, at what time of the wall clock. What it
    sets lasts `lease_s` after each beat."""

    author: str
    epoch: int
    now_s: float
    lease_s: float


class Refused(Struct, frozen=True):
    """A proposal that was not followed, and why."""

    proposal: Proposal
    why: str


class Acted(Struct, frozen=True):
    """What an act came to: changes that were set and let go, revisions that now stand. `held` is
    what its author answers for from now on: the next act's `held`."""

    held: tuple[Change, ...] = ()
    set: tuple[Change, ...] = ()
    let_go: tuple[Change, ...] = ()
    revised: tuple[Revision, ...] = ()
    refused: tuple[Refused, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether gateways obey something else now."""
        return bool(self.set or self.let_go or self.revised)


def lead(connection: Connection, node: str, now_s: float) -> int:
    """Begin a leadership; its epoch. What the one before it left to lapse is ended, once."""
    epoch = leadership.take(connection, node, now_s)
    changes.sweep(connection, now_s, leases=True)
    return epoch


def renew(connection: Connection, epoch: int, now_s: float) -> None:
    """The end of a tick, in the transaction of its acts: leases begin anew, and what is over is
    ended. What lapsed while the leader stood still is not revived: its acts have set anew what they
    still want. Fenced."""
    leadership.check(connection, epoch)
    changes.sweep(connection, now_s, leases=True)
    leadership.beat(connection, epoch, now_s)


def end_what_is_over(engine: Engine, now_s: float) -> None:
    """What nobody else ends, where no loop does: gateways have let go of it by themselves.
    StoreError."""
    with database.reading(engine) as connection:
        over = any(one.is_over(now_s) for one in changes.recent(connection, limit=MOST_OPEN))
    if over:
        with database.writing(engine) as connection:
            changes.sweep(connection, now_s)


def apply(
    connection: Connection,
    actor: Actor,
    proposals: Sequence[Proposal],
    held: Iterable[Change],
    tell: Telling,
) -> Acted:
    """Follow a decision. `held` are the changes that it answers for; those of them that it does not
    propose again are let go.

    Fenced. What a lever's bounds or another holder do not allow is not followed, and said; what is
    held of that lever stays as it is.
    """
    leadership.check(connection, actor.epoch)
    author = Author(actor.author, actor.now_s)
    standing = _still_open(connection, held)
    revised = tuple(_revise(connection, actor, one) for one in proposals if isinstance(one, Revise))
    gone = list(_void(connection, revised, author))
    standing = {place: one for place, one in standing.items() if one not in gone}
    wanted = {(one.lever, one.scope): one for one in proposals if isinstance(one, Set)}
    fresh, refused = _set(connection, actor, wanted.values(), standing)
    for place in [place for place in standing if place not in wanted]:
        gone.append(changes.let_go(connection, standing.pop(place).id, author, "let go"))
    for one in proposals:
        if isinstance(one, Tell):
            tell(connection, one, actor.now_s)
    return Acted(tuple(standing.values()), tuple(fresh), tuple(gone), revised, tuple(refused))


def _set(
    connection: Connection,
    actor: Actor,
    wanted: Iterable[Set],
    standing: dict[tuple[str, str], Change],
) -> tuple[list[Change], list[Refused]]:
    """What is new of the wanted, which `standing` has then in place of what was, and what is not
    allowed."""
    fresh: list[Change] = []
    refused: list[Refused] = []
    for one in wanted:
        before = standing.get((one.lever, one.scope))
        if before is not None and before.value == one.value:
            continue
        try:
            change = changes.hold(connection, _change(actor, one))
        except ChangeRefused as error:
            refused.append(Refused(one, str(error)))
            continue
        if before is not None and LEVERS[one.lever].kind == "clamp":
            author = Author(actor.author, actor.now_s)
            changes.let_go(connection, before.id, author, "superseded")
        standing[one.lever, one.scope] = change
        fresh.append(change)
    return fresh, refused


def _still_open(connection: Connection, held: Iterable[Change]) -> dict[tuple[str, str], Change]:
    """By lever and scope. Somebody, or the time, may have ended one since."""
    found = {one.id: one for one in held}
    kept = [changes.find(connection, change_id) for change_id in found]
    still = [it.change for it in kept if it.ended_at_s is None]
    return {(one.lever, one.scope): one for one in still}


def _change(actor: Actor, one: Set) -> Change:
    return Change(
        clock.IdSource().new(),
        one.lever,
        one.scope,
        one.value,
        one.reason,
        actor.author,
        actor.now_s,
        lease_s=actor.lease_s,
        epoch=actor.epoch,
        evidence=one.evidence,
    )


def _revise(connection: Connection, actor: Actor, one: Revise) -> Revision:
    salt = clock.random_bytes(16).hex() if one.kind == "start" else None
    revision = Revision(
        0,
        clock.IdSource().new(),
        one.kind,
        one.route,
        actor.author,
        one.reason,
        actor.now_s,
        rollout=one.rollout,
        members=one.members,
        base=one.base,
        salt=salt,
        epoch=actor.epoch,
        evidence=one.evidence,
    )
    return revisions.append(connection, revision)


def dials_of(revised: Revise | Revision) -> tuple[str, ...]:
    """What the dials of the release may be held for that this is about."""
    route, rollout = revised.route, revised.rollout
    return (route,) if rollout is None else (route, dial_scope(route, rollout, in_lane=True))


def _void(connection: Connection, revised: Iterable[Revision], author: Author) -> Iterable[Change]:
    """Ends the dials of a release that comes or goes, whoever holds them; of one that has its route
    to itself those of the route."""
    scopes = {it for one in revised if one.kind in _VOID_BY for it in dials_of(one)}
    for change in changes.in_force(connection, author.at_s) if scopes else ():
        if change.lever in _OF_CANDIDATE and change.scope in scopes:
            yield changes.let_go(connection, change.id, author, "void")
