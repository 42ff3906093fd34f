"""Notices: what people are told, by which way it reaches them, and what became of that."""

from typing import Final, Literal

from msgspec import Struct

# What it is about. `burn`, `absence` and `slo` are of objectives; `loop` is of the loop itself.
Topic = Literal[
    "budget",
    "burn",
    "absence",
    "slo",
    "release",
    "change",
    "prompt",
    "judge",
    "quality",
    "cache",
    "model",
    "loop",
    "test",
]

# page: somebody has to look now. ticket: somebody has to look soon. info: good to know.
Severity = Literal["page", "ticket", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("page", "ticket", "info")  # the gravest first

# sending: under way, or its process died. editing: the same, of what may be said again, as it only
# changes what was told before. unknown: it may have arrived, and cannot be repeated
# without being told twice. dead: given up, nobody was told.
DeliveryState = Literal["waiting", "sending", "editing", "delivered", "unknown", "dead"]

# A key's last parts, of these topics, say what has become of the thing that the others name.
_PARTS_OF_STATE: Final[dict[str, int]] = {"release": 1, "burn": 1, "change": 1, "budget": 3}


class Notice(Struct, frozen=True, omit_defaults=True):
    """One thing that people are told, open until it is resolved. Times are wall-clock seconds."""

    id: str
    key: str
    topic: str
    severity: Severity
    title: str
    text: str
    at_s: float
    route: str | None = None
    resolved_at_s: float | None = None
    resolution: str | None = None


class Message(Struct, frozen=True):
    """What goes one way at once: one notice, or several that came together, the oldest first.

    `id` is the same at each try. `ends` is the id of the message whose notices have all been
    resolved, None where this tells of them for the first time. `source` names the installation.
    `earlier` is what was told before of the same thing, the oldest first, as it stands now.
    """

    id: str
    source: str
    at_s: float
    notices: tuple[Notice, ...]
    ends: str | None = None
    earlier: tuple[Notice, ...] = ()


class NotDelivered(Exception):
    """A message did not arrive. `reason` holds neither its text nor a secret.

    `final`: it never will, as it is. `unknown`: it may have arrived, and its receiver would not
    know it again. `retry_after_s`: how long the receiver asks us to wait.
    """

    def __init__(
        self,
        reason: str,
        *,
        final: bool = False,
        unknown: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.unknown = unknown
        self.retry_after_s = retry_after_s


def thing_of(notice: Notice) -> str:
    """What a notice is of: the same for each state of one release, one objective, one budget."""
    parts = notice.key.split("/")
    of_state = _PARTS_OF_STATE.get(notice.topic, 0)
    return "/".join(parts[:-of_state] if 0 < of_state < len(parts) - 1 else parts)


def graver(one: str, other: str) -> bool:
    """Whether the first severity is graver than the second."""
    return _rank(one) < _rank(other)


def severity_of(text: str) -> Severity:
    """A severity by its word; what is none of ours is a page, so that nobody overlooks it."""
    return next((one for one in SEVERITIES if one == text), "page")


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity_of(severity))
