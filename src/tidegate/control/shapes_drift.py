"""Drift over the control API. Values are JSON, times are wall-clock seconds."""

from msgspec import Struct

from tidegate.control.shapes_changes import ChangeView


class MovedView(Struct, frozen=True):
    """One member of a route, as the file says it and as it is (JSON), and the revision that moved
    it."""

    route: str
    member: str
    file: str
    served: str
    kind: str
    rollout: str | None
    author: str
    reason: str
    at_s: float


class OvertakenView(Struct, frozen=True):
    """A revision that says nothing any more, and why."""

    route: str
    kind: str
    rollout: str | None
    why: str
    at_s: float


class DriftView(Struct, frozen=True):
    """Members that revisions have moved, revisions that the file has overtaken, and the changes
    that hold a lever now."""

    file: str
    moved: list[MovedView]
    overtaken: list[OvertakenView]
    changes: list[ChangeView]


class WriteBack(Struct, frozen=True):
    """`patch` is a unified diff of the plan file, empty where nothing is to be written. `by_hand`
    are the members that a machine does not know how to write there."""

    patch: str
    by_hand: list[str]
