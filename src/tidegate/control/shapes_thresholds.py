"""Learnt thresholds of semantic tiers over the control API; bodies and queries forbid unknown
fields."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.cache import Mode
from tidegate.core.learnt import LearntThreshold

_Word = Annotated[str, Meta(min_length=1, max_length=1024)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Count = Annotated[int, Meta(ge=0, le=10**9)]


class ThresholdView(Struct, frozen=True):
    """One route with a semantic tier. `threshold` is what its gateways were told, None where
    nothing is given; `written`: it stands in the plan file. `why_not` says why what was `learnt`
    last does not count."""

    route: str
    mode: Mode
    encoder: str
    target: float
    threshold: float | None
    written: bool
    learnt: LearntThreshold | None = None
    why_not: str | None = None


class ThresholdPage(Struct, frozen=True):
    """Every route that has a semantic tier, by name."""

    thresholds: list[ThresholdView]


class NewThreshold(Struct, frozen=True, forbid_unknown_fields=True):
    """What labelled pairs have borne out, as in `core.learnt.LearntThreshold`."""

    threshold: _Share
    target: Annotated[float, Meta(ge=0.5, lt=1)]
    encoder: _Word
    encoder_version: _Word
    veto_version: _Word
    pairs: _Count
    taken: _Count
    same: _Count
    all_same: _Count
    source: _Word
    reason: _Word


class ForgetThreshold(Struct, frozen=True, forbid_unknown_fields=True):
    """A route's threshold is to be forgotten."""

    reason: _Word


class ThresholdSet(Struct, frozen=True):
    """What the route's gateways are told now; those in `waiting_for` have not said so yet."""

    view: ThresholdView
    waiting_for: list[str]
