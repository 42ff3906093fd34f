"""What is found of live answers, over the control API. Times are wall-clock seconds; queries forbid
unknown fields."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.control.shapes_hits import HitsView
from tidegate.core.assessment import AssessedAs, Assessment
from tidegate.stores.assessments import Assessed, Ungraded
from tidegate.stores.live_answers import Found

_Word = Annotated[str, Meta(min_length=1, max_length=1024)]
_Limit = Annotated[int, Meta(ge=1, le=1000)]
_Seconds = Annotated[float, Meta(gt=0, le=400 * 86_400.0)]
WEEK_S = 7 * 86_400.0


class QualityQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    route: _Word | None = None
    since_s: _Seconds = WEEK_S


class ShareView(Struct, frozen=True):
    """A share of bad answers with its interval of 95 %. `covered`: of how large a share of the
    answers it is known."""

    share: float
    low: float
    high: float
    covered: float = 1.0


class JudgedView(Struct, frozen=True):
    """What was found of one arm, prompt version and model; `bad` None while nothing is known."""

    found: Found
    bad: ShareView | None


class QualityView(Struct, frozen=True):
    """One route. `overall` is of all its answers, each part weighing as much as it has of them;
    None while nobody knows. `others` are of thumbs down and of having to ask again. `ungraded`
    None: its answers are graded as declared, where they are at all (`is_graded`). None of that is
    of kept answers: `hits` is, None where there is nothing to say."""

    route: str
    is_graded: bool
    ungraded: Ungraded | None
    overall: ShareView | None
    judged: list[JudgedView]
    others: list[Assessed]
    hits: HitsView | None = None


class QualityList(Struct, frozen=True):
    quality: list[QualityView]


class AssessmentsQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The newest first, of requests before `before_id`."""

    route: _Word | None = None
    kind: AssessedAs | None = None
    arm: _Word | None = None
    bad: bool | None = None
    before_id: _Word | None = None
    limit: _Limit = 50


class AssessmentList(Struct, frozen=True):
    assessments: list[Assessment]
