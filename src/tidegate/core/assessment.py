"""Assessments: what is found of an answer after it was given, by graders, by what its user does
next, or by what its user says of it."""

from typing import Literal

from msgspec import Struct

from tidegate.core.arm import Arm, UnitKind
from tidegate.core.receipt import Receipt

# Each is a harm metric of releases (`core.harm`), by its name.
AssessedAs = Literal["quality", "follow_up", "thumbs_down"]


class Assessment(Struct, frozen=True, omit_defaults=True):
    """One request, found good or bad by one of the three.

    `is_bad` None: it was looked at and nobody knows, such as when a judge gave no verdict; never
    read as either. `score` is from 0 to 1. `judge` is the digest of who judged
    (`core.grading.judge_digest`), empty where no model did. `rollout`, `arm` and `unit` are those
    of its receipt where a release counts it, and absent where none does. Times are wall-clock
    seconds: `started_at_s` the request's, `at_s` when that was found. `why` is one sentence without
    anything that was said. `cost_nanousd` is what finding it cost. `conversation` is the captured
    request's (`core.capture.Captured`)."""

    receipt_id: str
    assessed_as: AssessedAs
    is_bad: bool | None
    at_s: float
    started_at_s: float
    score: float | None = None
    judge: str = ""
    why: str = ""
    cost_nanousd: int | None = None
    route: str | None = None
    release: str | None = None
    rollout: str | None = None
    arm: Arm | None = None
    unit: int | None = None
    unit_kind: UnitKind | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    model: str | None = None
    customer: str | None = None
    end_user: str | None = None
    conversation: str | None = None


def assessment_of(
    receipt: Receipt, assessed_as: AssessedAs, is_bad: bool | None, at_s: float
) -> Assessment:
    """Of the request that the receipt is of. Whose arm somebody chose, and who is no user of a
    product, is assessed and counts for no release."""
    counts = receipt.is_production and not receipt.arm_forced and receipt.rollout is not None
    return Assessment(
        receipt_id=receipt.id,
        assessed_as=assessed_as,
        is_bad=is_bad,
        at_s=at_s,
        started_at_s=receipt.started_at_s,
        route=receipt.route,
        release=receipt.release,
        rollout=receipt.rollout if counts else None,
        arm=receipt.arm,
        unit=receipt.unit if counts else None,
        unit_kind=receipt.unit_kind if counts else None,
        prompt=receipt.prompt,
        prompt_version=receipt.prompt_version,
        model=receipt.model_served or receipt.model_wanted,
        customer=receipt.customer,
        end_user=receipt.end_user,
    )
