"""Pairs of questions that judges have compared, over the control API; queries forbid unknown
fields."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.stores.judged_hits import JudgedPair

_Word = Annotated[str, Meta(min_length=1, max_length=1024)]
_Seconds = Annotated[float, Meta(gt=0, le=400 * 86_400.0)]


class PairsQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Of one route, for questions asked since."""

    route: _Word
    since_s: _Seconds = 30 * 86_400.0


class PairsPage(Struct, frozen=True):
    """The oldest first. `target` is the precision that the route declares, None where it declares
    no semantic tier."""

    pairs: list[JudgedPair]
    target: float | None
