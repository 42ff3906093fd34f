"""The plan in force: compiled whole from its file and published, or refused whole.

A refused file changes nothing: the last good plan serves on, and its problems are kept to be
shown. Versions rise by one with each accepted plan that differs; the same digest publishes
nothing, unless a file that the plan names (a credential, an authority) has changed: gateways read
those when a plan reaches them. The published plan lies on disk for gateways that start while
control is away.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from tidegate.config.load import Compiled
from tidegate.control.held_plan import as_told, decoded, encoded, read_held
from tidegate.control.publication import AGAIN, Publication, moved
from tidegate.control.stamps import Stamps, stamps_of
from tidegate.control.whole_file import write_whole
from tidegate.core import clock
from tidegate.core.compile import PlanRefused
from tidegate.core.declared import Declared
from tidegate.core.feed import PlanPublished
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan
from tidegate.stores.errors import StoreError
from tidegate.stores.file_stamp import FileStamp, stamp_of
from tidegate.stores.plans import PlanSuperseded

WATCH_S = 0.5

Cause = Literal["start", "signal", "file change", "api", "run time"]

# Compiles the plan file as the given version.
Compile = Callable[[Path, int], Compiled]
# Records a published version in the feed's numbering.
Announce = Callable[[int], None]
# Makes a version ours before anything obeys it, where others might publish too; raises otherwise.
Claim = Callable[[PlanPublished], None]


def _nobody_else(_plan: PlanPublished) -> None:
    pass


T = TypeVar("T")

_log = logging.getLogger(__name__)


class NoPlan(Exception):
    """The file is refused and no plan was published before. `problems` say where and why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Reload(Struct, frozen=True):
    """What one reading of the plan file came to."""

    outcome: Literal["published", "unchanged", "refused"]
    version: int
    problems: list[str]


class Plans:
    """Owns the plan file, the published plan and the problems of the newest reading."""

    def __init__(
        self,
        layout: Layout,
        file: Path,
        compile_plan: Compile,
        announce: Announce,
        claim: Claim = _nobody_else,
    ) -> None:
        self.file = file
        self.declared = Declared()  # its defaults, while the file is refused from the start
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.read_at_s: float | None = None
        self.failures_total = 0
        self.published_total = 0
        self.publication: Publication | None = None  # the newest of this process
        self.is_owed = False  # something was stored, and the plan that it comes to not published
        self._path = layout.plan
        self._compile = compile_plan
        self._announce = announce
        self._claim = claim
        self._current: Plan | None = read_held(layout.plan)
        self._highest = self._current.version if self._current else 0
        self._announced = 0
        self._by: str | None = None  # who asked for the reading that goes on
        self._one_at_a_time = asyncio.Lock()
        self._turn = threading.RLock()
        self._seen: tuple[FileStamp | None, Stamps] = (None, {})

    @property
    def current(self) -> Plan:
        """The plan that gateways are to obey."""
        if self._current is None:
            raise LookupError("no plan has been published")
        return self._current

    @property
    def has_one(self) -> bool:
        return self._current is not None

    def candidates(self) -> Mapping[str, str] | None:
        """The releases that the current plan has on their way, each with the name that its receipts
        tell of it; None without a plan."""
        if self._current is None:
            return None
        coming = (one for route in self._current.routes.values() for one in route.candidates)
        return {one.rollout: one.route.release.name for one in coming}

    @property
    def highest(self) -> int:
        """The highest version that is ours, or may be: nobody knows of some commits."""
        return self._highest

    @property
    def is_announced(self) -> bool:
        """Whether the feed's numbering has the current plan, as far as this process knows."""
        if self.is_owed:
            return False
        return self._current is None or self._announced >= self._current.version

    def published(self) -> PlanPublished:
        """The current plan as the feed carries it."""
        return as_told(self.current)

    def follow(self, published: PlanPublished) -> None:
        """Hold what another control has published, if it is news. OSError, msgspec.DecodeError."""
        with self._turn:
            self._follow(published)

    def _follow(self, published: PlanPublished) -> None:
        held = self._current
        if (
            held is not None
            and held.version >= published.version
            and (held.version > published.version or encoded(held) == bytes(published.plan))
        ):
            if held.version > published.version:
                _log.warning(
                    "this machine's plan is version %d and the leader's %d: its gateways keep to "
                    "theirs until the leader's is higher, or until this machine is stopped, %s "
                    "removed, and started again",
                    *(held.version, published.version, self._path),
                )
            return
        plan = decoded(published.plan)
        write_whole(self._path, bytes(published.plan))
        self._current, self._highest = plan, max(self._highest, plan.version)
        _log.info("plan version %d is the leader's", plan.version)

    def read_file(self) -> None:
        """Take what the file says of control itself, and publish nothing."""
        compiled = self._compile(self.file, self._highest + 1)
        if compiled.declared is not None:
            self.declared = compiled.declared

    def start(self, announced_version: int) -> None:
        """Read the file for the first time. NoPlan when it is refused and there is no other.

        Versions go on above `announced_version`, even where the plan on disk was lost: gateways
        never go back to a lower one.
        """
        with self._turn:
            self._highest = max(self._highest, announced_version)
            result = self._reload("start")
            if self._current is None:
                raise NoPlan(result.problems)
            if result.outcome == "published":
                return
            # A crash may have come between the steps of publishing, and this store may be another
            # than the one that the plan was published in.
            current = self._current
            if current.version < self._highest:
                current = replace(current, version=self._highest + 1)
            self._publish(current, "start")

    async def reload(self, cause: Cause, by: str | None = None) -> Reload:
        """Read the file again, for somebody; never raises for what is in it."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._reload, cause, by)

    async def amend(self, make: Callable[[Declared, int], tuple[Plan, T]]) -> T:
        """Publish the plan that `make` compiles of what is declared, as the version it is given.

        What `make` raises is raised and changes nothing; NoPlan while no file was ever good.
        """
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._amend, make)

    async def watch(self, may_publish: Callable[[], bool] = lambda: True) -> None:
        """Reload whenever the file, or one that the plan names, changes and has rested for one
        look, and we may; runs until cancelled."""
        moving = self._seen
        while True:
            await asyncio.sleep(WATCH_S)
            looked = stamp_of(self.file), stamps_of(self._current, self._seen[1])
            if looked == self._seen or not may_publish():
                continue
            if looked == moving:  # not while an editor is still writing it
                try:
                    await self.reload("file change")
                except (OSError, StoreError) as error:
                    _log.error("the plan cannot be published, trying again: %s", error)
            moving = looked

    def _amend(self, make: Callable[[Declared, int], tuple[Plan, T]]) -> T:
        if not self.declared.routes:
            raise NoPlan(self.problems)
        with self._turn:
            owed, self.is_owed = self.is_owed, True  # what is stored stands, whatever fails then
            try:
                plan, result = make(self.declared, self._highest + 1)
            except PlanRefused:
                self.is_owed = owed
                raise
            if plan.digest != self.current.digest:
                self._publish(plan, "run time")
            elif self._announced < self.current.version:
                self._tell(self.current.version)
            self.is_owed = False
            return result

    def _reload(self, cause: Cause, by: str | None = None) -> Reload:
        with self._turn:
            self._by = by
            try:
                return self._read_again(cause)
            finally:
                self._by = None

    def _read_again(self, cause: Cause) -> Reload:
        self.read_at_s = clock.wall_s()
        read = stamp_of(self.file)  # before it is read: what changes meanwhile is read again
        compiled = self._compile(self.file, self._highest + 1)
        named = stamps_of(compiled.plan or self._current, self._seen[1])
        result = self._take(compiled, cause, renewed=named != self._seen[1])
        self._seen = read, named
        return result

    def _take(self, compiled: Compiled, cause: Cause, *, renewed: bool) -> Reload:
        """Publish what differs. `renewed`: a file that the plan names has other content."""
        self.problems = [str(problem) for problem in compiled.problems]
        if compiled.plan is None or compiled.declared is None:
            self.failures_total += 1
            if self._current is not None and renewed:
                self._publish(replace(self._current, version=self._highest + 1), cause)
            held = self._current.version if self._current else 0
            serving = f"version {held} serves on" if held else "there is none to fall back on"
            _log.error("plan refused (%s); %s:\n%s", cause, serving, "\n".join(self.problems))
            return Reload("refused", held, self.problems)
        self.warnings = [str(warning) for warning in compiled.warnings]
        for warning in self.warnings:
            _log.warning("%s", warning)
        self.declared = compiled.declared
        plan = compiled.plan
        if self._current is not None and plan.digest == self._current.digest and not renewed:
            if cause != "start" and not self.is_announced:
                self._tell(self._current.version)
            return Reload("unchanged", self._current.version, [])
        self._publish(plan, cause)
        return Reload("published", plan.version, [])

    def _publish(self, plan: Plan, cause: Cause) -> None:
        before, self._highest = self._highest, plan.version
        try:
            self._claim(as_told(plan))
        except PlanSuperseded:
            self._highest = before
            raise
        write_whole(self._path, encoded(plan))
        what = AGAIN if plan is self._current else moved(self._current, plan)
        self.publication = Publication(plan.version, self._by or cause, what)
        self._current = plan
        self.published_total += 1
        self._tell(plan.version)
        self.is_owed = False
        _log.info("plan version %d published (%s)", plan.version, cause)

    def _tell(self, version: int) -> None:
        self._announce(version)
        self._announced = version
