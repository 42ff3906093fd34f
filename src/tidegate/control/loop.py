"""The loop: at each tick it observes, decides and acts, while this control leads.

One leader acts at a time, fenced by its epoch: one that was overtaken finds every write refused,
and begins a new leadership when it leads again. Where the loop stands still its leases run out, and
gateways go back to the last revision by themselves. In a dry run nothing is led and nothing
written: what would be done is shown and that is all.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from msgspec import Raw, Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tidegate.control import acting
from tidegate.control.act import Acting
from tidegate.control.decide import Decided, Deciding, author_of
from tidegate.control.moment import Moment
from tidegate.control.observe import Watcher
from tidegate.controllers.release import Burning
from tidegate.core import clock
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.stores import changes, database, decisions, feed
from tidegate.stores.errors import StoreError
from tidegate.stores.leadership import Fenced

# The part of a lease that plans may be compiled in one tick, but for the first.
_COMPILING = 0.25
# Of the time since the last tick, what a machine that slept, or stood still, adds at most.
_MOST_TICKS = 3.0

# How much a tick gives way to gateways on the same cores, as `nice` counts.
_GIVES_WAY: Final = 5

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")

# By controller, then by subject.
Memories = dict[str, dict[str, Raw]]
# What burns now, by route.
Burns = Callable[[], Mapping[str, tuple[Burning, ...]]]


class Status(Struct, frozen=True):
    """The newest tick. `epoch` None: this control has not led. `took_s` is what it took;
    `problem` why it came to nothing."""

    at_s: float | None = None
    took_s: float = 0.0
    epoch: int | None = None
    dry_run: bool = False
    problem: str | None = None
    decided: tuple[Decided, ...] = ()


class Outside(Struct, frozen=True):
    """What the loop asks of the process around it: what is declared, whether this control leads,
    whether gateways obey an entry of the feed, which objectives burn, that gateways look, and how
    many people say yes to a fix of a route. `candidates` are the releases that the plan has now.
    `count` is called before each tick with the leadership's epoch, and counts what was found of
    answers since."""

    declared: Callable[[], DeclaredLoop]
    leads: Callable[[], bool]
    obeyed: Callable[[int], bool]
    burns: Burns
    wake: Callable[[], None]
    node: str = ""
    approvers: Callable[[], Mapping[str, int]] = dict
    candidates: Callable[[], Mapping[str, str] | None] = lambda: None
    count: Callable[[int], None] = lambda _: None


class Loop:
    """Owned by one event loop; what blocks is done off it, in a thread of its own."""

    def __init__(
        self, engine: Engine, watchers: Sequence[Watcher], hands: Acting, outside: Outside
    ) -> None:
        self._engine = engine
        self.watchers = tuple(watchers)
        self._acting = hands
        self.outside = outside
        self._deciding = Deciding()
        self._memories: Memories = {}
        self._epoch: int | None = None
        self._active_s = 0.0
        self._ticked_s: float | None = None
        self._woken = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "loop", initializer=_give_way)
        self.status = Status()

    async def run(self) -> None:
        """Tick until cancelled, and end what has begun. Nothing else ends it: the next tick may go
        well."""
        try:
            while True:
                await self._turn()
        finally:
            await self._off(lambda: None)

    async def _turn(self) -> None:
        declared = self.outside.declared()
        self._woken.clear()  # before it looks: what is asked meanwhile has a tick of its own
        if self.outside.leads():
            await self._try(declared)
        else:
            self._stand_down()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), declared.tick_s)

    def wake(self) -> None:
        """Tick now: somebody has asked something."""
        self._woken.set()

    async def _try(self, declared: DeclaredLoop) -> None:
        began_s = clock.monotonic_s()
        problem: str | None = None
        decided: tuple[Decided, ...] = ()
        try:
            decided, problem = await self._tick(declared)
        except Fenced as fenced:
            problem = str(fenced)
            _log.warning("%s", problem)
            self._stand_down()
        except StoreError as error:
            problem = f"the database cannot be used: {error}"
            _log.warning("the loop's tick failed: %s", problem)
            self._forget()  # of what was written then, nobody knows whether it is
        except Exception as error:  # a mistake in one tick must not end all of them
            problem = repr(error)
            _log.exception("the loop's tick failed")
            self._forget()
        took_s = clock.monotonic_s() - began_s
        shown = decided or self.status.decided
        at_s = clock.wall_s()
        self.status = Status(at_s, took_s, self._epoch, declared.dry_run, problem, shown)

    async def tick(self, declared: DeclaredLoop) -> tuple[Decided, ...]:
        """One look, its decisions, and what they come to. StoreError, Fenced."""
        return (await self._tick(declared))[0]

    async def _tick(self, declared: DeclaredLoop) -> tuple[tuple[Decided, ...], str | None]:
        """With what of it came to nothing."""
        if not declared.dry_run:
            await self._off(self._lead)
            await self._off(self._count)
        moment, decided = await self._off(self._look, declared)
        problem = _said_of(moment.undecided)
        if declared.dry_run or self._epoch is None:
            return decided, problem
        epoch, hands = self._epoch, self._acting
        publish = await self._off(hands.hold, decided, self._deciding, moment, epoch)
        self._remember([one for one in decided if not one.compiles])
        self.outside.wake()
        if publish:
            await hands.publish(decided, moment)
        began_s = clock.monotonic_s()
        for one in (one for one in decided if one.compiles):
            if await hands.revise(one, self._deciding, moment, epoch):
                self._remember([one])
                self.outside.wake()
            if clock.monotonic_s() - began_s > _COMPILING * declared.lease_s:
                break  # the others are decided again: leases wait for the next tick
        return decided, problem

    async def _off(self, do: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
        running = asyncio.get_running_loop()
        return await running.run_in_executor(self._thread, partial(do, *given, **named))

    def _lead(self) -> None:
        """Begin a leadership where there is none of ours."""
        if self._epoch is not None:
            return
        with database.writing(self._engine) as connection:
            epoch = acting.lead(connection, self.outside.node, clock.wall_s())
        self._forget()
        self._epoch = epoch
        _log.info("leadership %d of the loop begins", epoch)

    def _count(self) -> None:
        """What was found of answers is not worth a tick, but for whose it is. Fenced."""
        if self._epoch is None:
            return
        try:
            self.outside.count(self._epoch)
        except Fenced:
            raise
        except StoreError as error:
            _log.warning("what was found of answers waits to be counted: %s", error)
        except Exception:
            _log.exception("what was found of answers is not counted")

    def _look(self, declared: DeclaredLoop) -> tuple[Moment, tuple[Decided, ...]]:
        with database.reading(self._engine) as connection:
            if not self._memories or declared.dry_run:
                self._recall(connection)
            moment = self._moment(connection, declared)
            decided: list[Decided] = []
            undecided: set[tuple[str, str]] = set()
            for watcher in self.watchers:
                moment, known = self._bound(moment, decided), self._of(watcher)
                for seen in watcher.observe(connection, moment, known):
                    try:
                        decided.append(self._deciding.decide(watcher, seen, known))
                    except Exception:  # a mistake about one must not keep the loop from all others
                        name = watcher.controller.name
                        _log.exception("%s of %s cannot be decided", name, seen.subject)
                        undecided.add((author_of(watcher), seen.subject))
        return replace(moment, undecided=frozenset(undecided)), tuple(decided)

    def _bound(self, moment: Moment, decided: Sequence[Decided]) -> Moment:
        """With what this tick has found so far: what a leader that is gone held may have lapsed,
        and what it had seen is old."""
        if not decided:
            return moment
        return replace(
            moment,
            wanted=tuple(held for one in decided for held in one.held.values()),
            burning=self.outside.burns(),
            approvers=self.outside.approvers(),
        )

    def _moment(self, connection: Connection, declared: DeclaredLoop) -> Moment:
        now_s = clock.wall_s()
        ticked_s = clock.monotonic_s()
        if self._ticked_s is not None:
            passed_s = max(ticked_s - self._ticked_s, 0.0)
            self._active_s += min(passed_s, _MOST_TICKS * declared.tick_s)
        self._ticked_s = ticked_s
        return Moment(
            now_s=now_s,
            active_s=self._active_s,
            in_force=tuple(changes.in_force(connection, now_s)),
            obeyed=self.outside.obeyed(feed.newest_seq(connection)),
            candidates=self.outside.candidates(),
        )

    def _recall(self, connection: Connection) -> None:
        for watcher in self.watchers:
            name = watcher.controller.name
            known = decisions.remembered(connection, name)
            self._memories[name] = {subject: one.memory for subject, one in known.items()}
        if self._ticked_s is None:
            self._active_s = decisions.active_s(connection)

    def _of(self, watcher: Watcher) -> Mapping[str, Raw]:
        return self._memories.get(watcher.controller.name, {})

    def _remember(self, decided: Sequence[Decided]) -> None:
        for one in decided:
            name = one.watcher.controller.name
            self._memories.setdefault(name, {})[one.seen.subject] = one.decision.memory

    def _stand_down(self) -> None:
        self._epoch = None
        self._forget()

    def _forget(self) -> None:
        """The store knows more: another may have led."""
        self._deciding.forget()
        self._memories.clear()
        self._ticked_s = None


def _give_way() -> None:
    """Callers wait for gateways, nobody for a tick. Of this thread alone, where a thread has a
    priority of its own."""
    if sys.platform == "linux":
        os.nice(_GIVES_WAY)


def _said_of(undecided: Iterable[tuple[str, str]]) -> str | None:
    found = ", ".join(f"{author} of {subject}" for author, subject in sorted(undecided))
    return f"a mistake in this program, see control's log: {found}" if found else None
