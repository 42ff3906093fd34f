"""Carries out what one tick has decided, fenced by its leadership.

What holds or withdraws is done in one transaction, with the decisions that it came from. What the
plan has to take first (a start, a promotion) is done one release at a time, together with the
compilation: where the plan refuses it nothing of it has happened, and the reason is kept.
"""

import logging
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, Engine

from tidegate.control import acting
from tidegate.control.acting import Acted, Actor, Telling
from tidegate.control.compiling import Compiling
from tidegate.control.decide import Decided, Deciding, with_base
from tidegate.control.moment import Moment
from tidegate.control.plans import NoPlan, Plans
from tidegate.core.change import Change
from tidegate.core.compile import PlanRefused
from tidegate.core.controller import Proposal, Revise, Set
from tidegate.core.levers import LEVERS
from tidegate.core.route_members import members_of
from tidegate.stores import database, decisions, leadership
from tidegate.stores.changes import is_controller
from tidegate.stores.decisions import Made

_log = logging.getLogger(__name__)


class Acting:
    """`tell` notes what people are told, `lease_s` is how long a lever is held after each tick.
    StoreError, Fenced."""

    def __init__(
        self,
        engine: Engine,
        plans: Plans,
        compiling: Compiling,
        tell: Telling,
        lease_s: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._plans = plans
        self._compiling = compiling
        self._tell = tell
        self._lease_s = lease_s

    def hold(
        self, decided: Sequence[Decided], deciding: Deciding, moment: Moment, epoch: int
    ) -> bool:
        """Everything that needs no compilation, and the leases of all. Whether a plan without what
        was withdrawn is to be published, or one whose publication has failed."""
        now = [one for one in decided if not one.compiles]
        with database.writing(self._engine) as connection:
            leadership.check(connection, epoch)
            for author in sorted({one.author for one in decided} | _holders(moment)):
                mine = [one for one in now if one.author == author]
                later = _scopes(one for one in decided if one.author == author and one.compiles)
                held = [it for it in _held(moment, author) if it.scope not in later]
                # First: what is not followed is noted of where it stands then.
                self._keep(connection, mine, moment, epoch)
                self._apply(connection, self._actor(author, moment, epoch), mine, held)
            decisions.work_on(connection, moment.active_s)
            acting.renew(connection, epoch, moment.now_s)
        for one in now:
            deciding.kept(one)
        return any(one.revises for one in now) or self._plans.is_owed

    async def revise(self, one: Decided, deciding: Deciding, moment: Moment, epoch: int) -> bool:
        """One decision that the plan has to take; whether it did."""

        def change(connection: Connection) -> None:
            leadership.check(connection, epoch)
            scopes = _scopes((one,))
            held = [it for it in _held(moment, one.author) if it.scope in scopes]
            self._keep(connection, [one], moment, epoch)
            self._apply(connection, self._actor(one.author, moment, epoch), [one], held)

        try:
            await self._plans.amend(self._compiling.changing(change))
        except PlanRefused as refused:
            problems = [f"{'.'.join(it.path)}: {it.message}" for it in refused.complaints]
            self._refused(one, problems[0] if problems else str(refused), moment)
            return False
        except NoPlan as error:
            self._refused(one, f"the plan file is refused: {error}", moment)
            return False
        deciding.kept(one)
        return True

    async def publish(self, decided: Sequence[Decided], moment: Moment) -> None:
        """A plan without what was withdrawn. Nobody is sent there meanwhile, but for what had been
        promoted: where that stays in the plan it is said."""
        try:
            await self._plans.amend(self._compiling.changing(lambda _: None))
        except (PlanRefused, NoPlan) as error:
            _log.error("what was rolled back stays in the plan that gateways obey: %s", error)
            for one in decided:
                if one.restores:
                    self._refused(one, f"it still serves; put the plan file right: {error}", moment)

    def _actor(self, author: str, moment: Moment, epoch: int) -> Actor:
        return Actor(author, epoch, moment.now_s, self._lease_s())

    def _apply(
        self,
        connection: Connection,
        actor: Actor,
        decided: Sequence[Decided],
        held: Sequence[Change],
    ) -> None:
        every = [it for one in decided for it in self._based(one)]
        proposals, held = _moving(every, held)
        if not proposals and not held:
            return
        acted = acting.apply(connection, actor, proposals, held, self._tell)
        self._note_refused(connection, decided, acted, actor.now_s)
        for revision in acted.revised:
            _log.info("%s of %s: %s", revision.kind, revision.rollout, revision.reason)

    def _based(self, one: Decided) -> Iterable[Proposal]:
        declared = self._plans.declared.routes
        for revise in one.decision.proposals:
            if isinstance(revise, Revise) and revise.members and revise.route in declared:
                base = members_of(declared[revise.route], revise.members)
                return with_base(one.decision, base).proposals
        return one.decision.proposals

    def _note_refused(
        self, connection: Connection, decided: Sequence[Decided], acted: Acted, at_s: float
    ) -> None:
        for refused in acted.refused:
            _log.warning("a proposal is not followed: %s", refused.why)
            for one in decided:
                if refused.proposal in one.decision.proposals:
                    one.watcher.refused(connection, one.seen.subject, refused.why, at_s)

    def _keep(
        self, connection: Connection, decided: Iterable[Decided], moment: Moment, epoch: int
    ) -> None:
        news = [one for one in decided if one.is_news]
        made = [
            Made(
                controller=one.watcher.controller.name,
                subject=one.seen.subject,
                view=one.watcher.kept(one.seen.view).decode(),
                memory=bytes(one.before) if one.snapshot else None,
                proposals=one.decision.proposals,
                after=bytes(one.decision.memory),
            )
            for one in news
        ]
        numbers = decisions.keep(connection, made, moment.now_s, epoch)
        for one, number in zip(news, numbers, strict=True):
            memories = one.before, one.decision.memory
            one.watcher.note(connection, one.seen.subject, number, memories)

    def _refused(self, one: Decided, why: str, moment: Moment) -> None:
        _log.error("the plan does not take %s: %s", one.seen.subject, why)
        with database.writing(self._engine) as connection:
            one.watcher.refused(connection, one.seen.subject, why, moment.now_s)


def _held(moment: Moment, author: str) -> list[Change]:
    """What its author answers for. Of what it could not decide the clamps stay as they are."""
    return [
        it
        for it in moment.in_force
        if it.author == author
        and not (LEVERS[it.lever].kind == "clamp" and (author, it.scope) in moment.undecided)
    ]


def _holders(moment: Moment) -> set[str]:
    """Also a controller that wants nothing more lets go of what it holds."""
    return {it.author for it in moment.in_force if is_controller(it.author)}


def _scopes(decided: Iterable[Decided]) -> set[str]:
    revisions = (it for one in decided for it in one.decision.proposals if isinstance(it, Revise))
    return {scope for it in revisions for scope in acting.dials_of(it)}


def _moving(
    proposals: Sequence[Proposal], held: Sequence[Change]
) -> tuple[list[Proposal], list[Change]]:
    """Without the levers that are held as they are wanted, which are only renewed. What is held of
    a route that is revised may be void by that."""
    revised = {one.route for one in proposals if isinstance(one, Revise)}
    there = {(it.lever, it.scope): it.value for it in held if it.scope not in revised}
    wanted = {(one.lever, one.scope): one.value for one in proposals if isinstance(one, Set)}
    stands = {place for place, value in wanted.items() if there.get(place) == value}
    return (
        [it for it in proposals if not (isinstance(it, Set) and (it.lever, it.scope) in stands)],
        [it for it in held if (it.lever, it.scope) not in stands],
    )
