"""Certificates over the control API. Times are wall-clock seconds; bodies forbid unknown fields."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.control.shapes_budgets import Reason
from tidegate.core.certificate import Certificate, Found

Word = Annotated[str, Meta(min_length=1, max_length=200)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class NewCertificate(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a gate found of one version at one model. `cases` counts different questions, and
    `baseline` is None where there was none. It is refused where the version says something else by
    now, or where this house's ledger does not bear it out."""

    prompt: Word
    version: Word
    digest: Digest
    model: Word
    suite: Word
    suite_digest: Digest
    cases: Annotated[int, Meta(ge=1)]
    findings: Annotated[tuple[Found, ...], Meta(min_length=1)]
    run: Word
    for_s: Annotated[float, Meta(gt=0, le=400 * 86_400.0)]
    reason: Reason
    snapshot: Word | None = None
    baseline: Word | None = None
    judge_digest: Digest | None = None


class CertificateList(Struct, frozen=True):
    """The newest first."""

    certificates: list[Certificate]
