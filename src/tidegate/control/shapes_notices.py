"""What goes over the control API of notices and silences. Times are wall-clock seconds."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.control.shapes import Name, PageSize
from tidegate.core.notice import Notice
from tidegate.stores.silences import Matchers, Silence
from tidegate.stores.told import Delivery

MAX_SILENCE_S = 31 * 86_400.0

Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


class NoticeQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Notices, newest first, beyond `before`; with `open` only those that hold."""

    open: bool = False
    before: Name | None = None
    limit: PageSize = 50


class WayView(Struct, frozen=True):
    """What became of a notice on one way. `message` is the id that its receiver sees; None: it is
    in none yet."""

    way: str
    state: str
    message: str | None
    tries: int
    error: str | None
    ended_at_s: float | None

    @classmethod
    def of(cls, way: str, found: Delivery | None) -> "WayView":
        if found is None:
            return cls(way, "waiting", None, 0, None, None)
        return cls(way, found.state, found.id, found.tries, found.error, found.ended_at_s)


class NoticeView(Struct, frozen=True):
    """A notice, the ways it went, and the silence that holds it back."""

    notice: Notice
    silenced_by: str | None
    ways: list[WayView]


class NoticeList(Struct, frozen=True):
    """A page of notices. `before` of the next page; None at the end."""

    notices: list[NoticeView]
    before: str | None


class SilenceList(Struct, frozen=True):
    """The silences in force, the oldest first."""

    silences: list[Silence]


class NewSilence(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What to hold back, for how long and why. At least one matcher is said."""

    matchers: Matchers
    lasts_s: Annotated[float, Meta(gt=0, le=MAX_SILENCE_S)]
    reason: Reason


class TryWays(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which way to try; None for every one."""

    way: Name | None = None


class TriedWay(Struct, frozen=True):
    """Whether a way took a notice and its end; otherwise why not."""

    way: str
    error: str | None
    remark: str | None


class TriedWays(Struct, frozen=True):
    ways: list[TriedWay]
