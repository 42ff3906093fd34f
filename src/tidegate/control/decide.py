"""Decisions of one tick, from what was seen: pure, but for whose turn it is."""

from collections.abc import Mapping

from msgspec import Raw, Struct
from msgspec.structs import replace

from tidegate.control.observe import Seen, Watcher
from tidegate.core.controller import Decision, Proposal, Revise, Set
from tidegate.stores.changes import CONTROLLER

# Between two decisions whose memory is kept whole, so many follow from it.
SNAPSHOT_EVERY = 20

# A withdrawal is undone by nothing that the plan may say; it takes effect before it is compiled.
UNDOING = frozenset({"withdraw", "restore"})


def author_of(watcher: Watcher) -> str:
    """By which name its changes are kept."""
    return f"{CONTROLLER}{watcher.controller.name}"


class Decided(Struct, frozen=True):
    """`before` is the memory that the decision was made with. `snapshot`: it is kept with it."""

    watcher: Watcher
    seen: Seen
    before: Raw
    decision: Decision
    is_news: bool
    snapshot: bool

    @property
    def author(self) -> str:
        return author_of(self.watcher)

    @property
    def compiles(self) -> bool:
        """Whether the plan has to take it before it is so."""
        return any(
            isinstance(one, Revise) and one.kind not in UNDOING for one in self.decision.proposals
        )

    @property
    def revises(self) -> bool:
        return any(isinstance(one, Revise) for one in self.decision.proposals)

    @property
    def restores(self) -> bool:
        """Whether it takes back what its route is already."""
        return any(
            isinstance(it, Revise) and it.kind == "restore" for it in self.decision.proposals
        )

    @property
    def held(self) -> dict[tuple[str, str], Set]:
        sets = (one for one in self.decision.proposals if isinstance(one, Set))
        return {(one.lever, one.scope): one for one in sets}


class Deciding:
    """Remembers of each subject what it last proposed and how long ago its memory was kept."""

    def __init__(self) -> None:
        self._proposed: dict[tuple[str, str], tuple[Proposal, ...]] = {}
        self._since: dict[tuple[str, str], int] = {}

    def decide(self, watcher: Watcher, seen: Seen, memories: Mapping[str, Raw]) -> Decided:
        """One subject. What nothing new led to is no news, and need not be kept."""
        controller = watcher.controller
        before = memories.get(seen.subject, Raw())
        decision = controller.decide(seen.view, before)
        place = (controller.name, seen.subject)
        same = self._proposed.get(place) == decision.proposals
        is_news = not same or decision.memory != before
        since = self._since.get(place)
        snapshot = since is None or since >= SNAPSHOT_EVERY
        return Decided(watcher, seen, before, decision, is_news, snapshot)

    def kept(self, decided: Decided) -> None:
        """It was carried out, and kept if it was news."""
        place = (decided.watcher.controller.name, decided.seen.subject)
        self._proposed[place] = decided.decision.proposals
        if decided.is_news:
            self._since[place] = 1 if decided.snapshot else self._since.get(place, 0) + 1

    def forget(self) -> None:
        """Another has led meanwhile."""
        self._proposed.clear()
        self._since.clear()


def with_base(decision: Decision, base: Mapping[str, Raw]) -> Decision:
    """A start and a promotion say what the file said of their members when they were decided."""
    proposals = tuple(
        replace(one, base=dict(base)) if isinstance(one, Revise) and one.members else one
        for one in decision.proposals
    )
    return replace(decision, proposals=proposals)
