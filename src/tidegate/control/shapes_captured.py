"""Captured requests and feedback over the control API. Times are wall-clock seconds; queries and
bodies forbid unknown fields."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.control.shapes_quality import ShareView
from tidegate.core.capture import Captured
from tidegate.core.notice import Notice
from tidegate.stores.feedback import Heard, Rate
from tidegate.stores.friction import Abandoned, Friction
from tidegate.stores.incident_captures import Hurt

_Word = Annotated[str, Meta(min_length=1, max_length=1024)]
_Limit = Annotated[int, Meta(ge=1, le=1000)]
_Seconds = Annotated[float, Meta(gt=0, le=400 * 86_400.0)]
Rated = Literal["up", "down"]
# An answer of the API has so many with what was said: each may be long.
MOST_READ = 50


class CapturedQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The newest first, older than `before_id`."""

    route: _Word | None = None
    customer: _Word | None = None
    rated: Rated | None = None
    since_s: _Seconds | None = None
    before_id: _Word | None = None
    limit: _Limit = 50


class CapturedRow(Struct, frozen=True, omit_defaults=True):
    """A captured request without what was said. Sizes are characters."""

    receipt_id: str
    at_s: float
    until_s: float
    route: str
    asked_chars: int
    answer_chars: int
    purpose: str
    key_id: str | None = None
    team: str | None = None
    customer: str | None = None
    end_user: str | None = None
    release: str | None = None
    arm: str | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    target: str | None = None
    model: str | None = None
    calls: int = 0
    cut: bool = False
    shortened: bool = False
    redacted: dict[str, int] = {}
    conversation: str | None = None
    cache: str | None = None
    cache_tier: str | None = None
    cache_from: str | None = None
    cache_veto: str | None = None
    compared_by: str | None = None
    cache_score: float | None = None


class CapturedList(Struct, frozen=True):
    captured: list[CapturedRow]


class CapturedPage(Struct, frozen=True):
    """With what was said; `next_id` is what to go on with, None at the end."""

    captured: list[Captured]
    next_id: str | None


class IncidentQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Of the notice of this id, or the newest of this key, from `before_s` seconds before it was
    noted until it was resolved; beyond so many of them."""

    notice: _Word
    before_s: Annotated[float, Meta(ge=0, le=7 * 86_400.0)] = 3600.0
    beyond: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class IncidentPage(Struct, frozen=True):
    """The requests of an incident with what was said, the bad ones first; `beyond` is what to go on
    with, None at the end."""

    notice: Notice
    captured: list[Hurt]
    beyond: int | None


class CapturedDeletion(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be deleted: of that customer or end user, said before then, or up to now. One of
    the three has to be said."""

    customer: _Word | None = None
    end_user: _Word | None = None
    before_s: Annotated[float, Meta(gt=0)] | None = None


class CapturedDeleted(Struct, frozen=True):
    """How many captured requests and how many words of feedback are gone from the store. What is in
    a spool still goes when that is read."""

    captured: int
    feedback: int


class FeedbackQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    route: _Word | None = None
    rated: Rated | None = None
    since_s: _Seconds | None = None
    limit: _Limit = 50


class FeedbackList(Struct, frozen=True):
    """The newest first."""

    feedback: list[Heard]


class RatesQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    route: _Word | None = None
    since_s: _Seconds | None = None


class RateView(Struct, frozen=True):
    """`down` None: nobody has rated."""

    found: Rate
    down: ShareView | None


class FrictionView(Struct, frozen=True):
    """Of conversations; `friction` None: of none is anything known. Lower is better."""

    found: Friction
    friction: ShareView | None


class AbandonedView(Struct, frozen=True):
    found: Abandoned
    abandoned: ShareView | None


class FeedbackRates(Struct, frozen=True):
    """Each by route, arm and prompt version."""

    rates: list[RateView]
    friction: list[FrictionView]
    abandoned: list[AbandonedView]
