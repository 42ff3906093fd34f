"""Controllers: pure functions from what is known to what should be done.

`decide(view, memory)` gives proposals and the memory for the next time. Nothing in it reads a
clock, a store or the network, so a decision is replayed from its stored view and memory.
"""

from typing import Any, Protocol

from msgspec import Raw, Struct

from tidegate.core.change import Kind
from tidegate.core.notice import Severity, Topic
from tidegate.core.signal import Signal


class Set(Struct, frozen=True, tag=True, omit_defaults=True):
    """Hold a lever at a value while this is proposed again at each tick."""

    lever: str
    scope: str
    value: float
    reason: str
    evidence: tuple[Signal, ...] = ()


class Revise(Struct, frozen=True, tag=True, omit_defaults=True):
    """Move a route's declared state for good, together with whatever changes it makes void. `base`
    is what the file says of these members."""

    kind: Kind
    route: str
    rollout: str | None
    reason: str
    members: dict[str, Raw] = {}
    evidence: tuple[Signal, ...] = ()
    base: dict[str, Raw] = {}


class Tell(Struct, frozen=True, tag=True, omit_defaults=True):
    """Tell people. The same `key` is told once until its `resolved` comes, or until `until_s`, a
    wall-clock time; a graver severity of it is told anew."""

    topic: Topic
    key: str
    severity: Severity
    title: str
    text: str
    resolved: bool = False
    route: str | None = None
    until_s: float | None = None


Proposal = Set | Revise | Tell


class Decision(Struct, frozen=True):
    """What a controller wants; a lever that it held and does not propose again is let go."""

    proposals: tuple[Proposal, ...]
    memory: Raw


class Controller(Protocol):
    """One file in `controllers/`. `view` is that controller's own struct."""

    name: str
    view_type: type[Struct]

    def decide(self, view: Any, memory: Raw) -> Decision: ...
