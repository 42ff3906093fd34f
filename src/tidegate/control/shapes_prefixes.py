"""Providers' prefix caches over the control API; queries forbid unknown fields."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.prefix_sums import PrefixSums
from tidegate.prompts.unstable import Unstable

_Word = Annotated[str, Meta(min_length=1, max_length=1024)]
_Seconds = Annotated[float, Meta(gt=0, le=400 * 86_400.0)]


class PrefixQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A window that ends now."""

    since_s: _Seconds = 86_400.0
    route: _Word | None = None


class PrefixPage(Struct, frozen=True):
    """`complete` False: only the newest receipts of the window were read, or the largest groups
    are told."""

    prefixes: list[PrefixSums]
    complete: bool


class UnstableQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Over requests captured since then."""

    since_s: _Seconds = 7 * 86_400.0
    route: _Word | None = None


class UnstablePrefix(Struct, frozen=True, omit_defaults=True):
    """Of one route, version of its prompt and model; empty names stand for absent ones.
    `requests_a_day` are those of the last day, `saved_a_day_nanousd` what they would cost less were
    what varies moved to the end, at the target's price and where the provider still has the
    beginning; None where no rate of cached input is known. `exact`: by the model's tokenizer."""

    route: str
    prompt_version: str
    model: str
    found: Unstable
    exact: bool
    requests_a_day: int
    saved_a_day_nanousd: int | None = None


class UnstablePage(Struct, frozen=True):
    """The most that could be saved first. `too_few`: groups with less captured than can be
    compared. `uncaptured` are routes of the plan of which nothing is kept."""

    unstable: list[UnstablePrefix]
    too_few: int
    uncaptured: list[str]
