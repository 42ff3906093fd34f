"""What goes over the control API about signals. Times are wall-clock seconds."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.control.shapes import Name, RouteName, Seconds
from tidegate.core.series import Series
from tidegate.stores.signal_tops import By, Share

Names = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[a-z0-9_,]+$")]
Apart = Annotated[str, Meta(max_length=60, pattern=r"^[a-z,]*$")]


class SeriesQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """`names` and `apart` are lists with commas. The window ends at `until_s`, now by default, and
    is `since_s` seconds long."""

    names: Names
    since_s: Seconds = 3600.0
    until_s: float | None = None
    route: RouteName | None = None
    arm: Literal["stable", "canary", "shadow"] | None = None
    release: Name | None = None
    target: Name | None = None
    replica: Name | None = None
    apart: Apart = ""


class TopsQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """As `SeriesQuery`; `limit` is how many are named."""

    by: By
    since_s: Seconds = 3600.0
    until_s: float | None = None
    route: RouteName | None = None
    arm: Literal["stable", "canary", "shadow"] | None = None
    release: Name | None = None
    target: Name | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class SignalView(Struct):
    """One signal that there is; `of` says who tells it."""

    name: str
    unit: str
    meaning: str
    of: Literal["receipts", "engines"]


class SignalList(Struct):
    """`newest_minute_s`: when the newest minute began of which something is known of receipts."""

    signals: list[SignalView]
    newest_minute_s: int | None


class SeriesList(Struct):
    """Only series of which something is known in the window."""

    series: list[Series]


class TopList(Struct):
    """The most frequent first; the sums begin at `since_s`, which is no later than was asked."""

    since_s: int
    shares: list[Share]
