"""What is found of an answer that was kept and given again, or would have been: apart from what is
found of live answers, as no release has given it."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from tidegate.core.assessment import AssessedAs
from tidegate.core.cache import Tier
from tidegate.core.receipt import Receipt

# Scores are told apart by bins of this width, in hundredths of a cosine.
BIN: Final = 2
_HUNDREDTHS: Final = 100
_LAST: Final = _HUNDREDTHS - BIN
_SEATED: Final = " (kept answers)"


class JudgedHit(Struct, frozen=True, omit_defaults=True):
    """One kept answer for one question, found good or bad as `assessed_as` says.

    `is_bad` None: it was looked at and nobody knows. `given`: its caller had it; else it is what
    the `semantic` tier would have given, and its caller had another. `score` is the cosine of the
    two questions, `veto` why it was not to be taken for all that, and `compared_by` whose words
    these are; all absent where the questions are the same. `is_same`: whether both questions ask
    the same, None where that was not asked or nobody knows. `decides`: its judge was calibrated, or
    there was none. `judge`, `why`, times and `cost_nanousd` are as in `core.assessment.Assessment`;
    `kept_from` is the receipt of the request whose answer it is."""

    receipt_id: str
    assessed_as: AssessedAs
    route: str
    tier: Tier
    is_bad: bool | None
    at_s: float
    started_at_s: float
    given: bool = True
    score: float | None = None
    veto: str | None = None
    compared_by: str | None = None
    is_same: bool | None = None
    decides: bool = True
    judge: str = ""
    why: str = ""
    cost_nanousd: int | None = None
    kept_from: str | None = None
    release: str | None = None
    prompt_version: str | None = None
    model: str | None = None
    customer: str | None = None
    end_user: str | None = None


def seated(route: str) -> str:
    """What the judge of a route's kept answers is called to be for: no route, so that what is said
    against it holds no release."""
    return route + _SEATED


def routes_of_hits(seats: Iterable[str]) -> list[str]:
    """The routes that are named so."""
    return [it.removesuffix(_SEATED) for it in seats if it.endswith(_SEATED)]


def compared_by(encoder_version: str, veto_version: str) -> str:
    """What has compared two questions: cosines and vetoes of another say nothing of this one."""
    return f"{encoder_version} veto {veto_version}"


def score_bin(score: float | None) -> int | None:
    """The lower edge of the bin that a cosine is in, in hundredths: 0.8312 is in 82. All below 0
    are in 0."""
    if score is None:
        return None
    # What is at an edge but for rounding is at the edge.
    hundredths = int(round(max(score, 0.0), 6) * _HUNDREDTHS + 1e-6)
    return min(hundredths // BIN * BIN, _LAST)


def judged_hit(
    receipt: Receipt, assessed_as: AssessedAs, is_bad: bool | None, at_s: float
) -> JudgedHit:
    """Of the kept answer that the request was given."""
    return JudgedHit(
        receipt_id=receipt.id,
        assessed_as=assessed_as,
        route=receipt.route or "",
        tier=receipt.cache_tier or "exact",
        is_bad=is_bad,
        at_s=at_s,
        started_at_s=receipt.started_at_s,
        kept_from=receipt.cache_from,
        release=receipt.release,
        prompt_version=receipt.prompt_version,
        model=receipt.model_served or receipt.model_wanted,
        customer=receipt.customer,
        end_user=receipt.end_user,
    )
