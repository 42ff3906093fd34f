"""Callers without a key over the control API."""

from typing import Annotated

from msgspec import Meta, Struct

_Word = Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f\x7f-\x9f]+\Z")]


class CallerMeant(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """All callers of an issuer (its name in the plan file, or what it calls itself), one subject of
    it, or one token by its `jti`."""

    issuer: _Word
    subject: _Word | None = None
    token_id: _Word | None = None


class CallerRevocation(CallerMeant, forbid_unknown_fields=True, omit_defaults=True):
    """With `before_s` those tokens alone that were made until then (wall-clock seconds)."""

    before_s: Annotated[float, Meta(ge=0, le=1e11)] | None = None


class RevokedView(Struct, frozen=True):
    """Who is let in no more. `id` is on the receipts of a subject."""

    id: str
    issuer: str
    subject: str | None
    token_id: str | None
    before_s: float | None
    at_s: float
    author: str


class RevokedList(Struct, frozen=True):
    """The newest first, at most a thousand."""

    revocations: list[RevokedView]


class CallerChanged(Struct, frozen=True):
    """Whom it was about, and the gateways that do not obey yet."""

    id: str
    issuer: str
    waiting_for: list[str] = []
