"""Judges over the control API. Times are wall-clock seconds; bodies forbid unknown fields."""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from tidegate.control.shapes_budgets import Reason
from tidegate.control.shapes_certificates import Digest, Word
from tidegate.stores.judges import Calibrated, Look, Seat

# A body has at most 256 KiB.
MAX_FIGURES_BYTES: Final = 200_000

_Kappa = Annotated[float, Meta(ge=-1, le=1)]
_Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class NewCalibration(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What `tidegate judge calibrate` found of one judge. `figures` is the whole of it, as it is
    written to a file. Of `known` verdicts `agreed` were people's."""

    judge: Digest
    route: Word
    name: Word
    model: Word
    may_decide: bool
    anchors: Annotated[int, Meta(ge=1, le=1_000_000)]
    anchors_digest: Digest
    errors: _Count
    known: _Count
    agreed: _Count
    figures: dict[str, Raw]
    reason: Reason
    kappa: _Kappa | None = None
    kappa_low: _Kappa | None = None
    kappa_high: _Kappa | None = None


class LookView(Struct, frozen=True):
    """One week's look. `sum_now` is what is above the reference, added up."""

    at_s: float
    asked: int
    known: int
    agreed: int
    sum_now: float
    is_over: bool

    @classmethod
    def of(cls, look: Look) -> "LookView":
        return cls(look.at_s, look.asked, look.known, look.agreed, look.sum_now, look.is_over)


class JudgeView(Struct, frozen=True):
    """A judge as it was held against people the last time, and since. `may_decide` is now;
    `is_calibrated` by its figures alone. `bridge` is JSON: how it compares with the judge before,
    None where nothing is known of that. `looks` are the newest first. `figures` are without what
    was said of each anchor."""

    judge: str
    route: str
    name: str
    model: str
    may_decide: bool
    is_calibrated: bool
    calibrated_at_s: float
    expires_at_s: float
    author: str
    generation: int
    anchors: int
    errors: int
    known: int
    agreed: int
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    sum_now: float
    sum_limit: float | None
    alarm_since_s: float | None
    alarm: str
    figures: Raw
    bridge: Raw | None
    looks: list[LookView]

    @classmethod
    def of(cls, row: Calibrated, looks: list[Look], now_s: float) -> "JudgeView":
        return cls(
            judge=row.judge,
            route=row.route,
            name=row.name,
            model=row.model,
            may_decide=row.decides(now_s),
            is_calibrated=row.is_calibrated,
            calibrated_at_s=row.calibrated_at_s,
            expires_at_s=row.expires_at_s,
            author=row.author,
            generation=row.generation,
            anchors=row.anchors,
            errors=row.errors,
            known=row.known,
            agreed=row.agreed,
            kappa=row.kappa,
            kappa_low=row.kappa_low,
            kappa_high=row.kappa_high,
            sum_now=row.sum_now,
            sum_limit=row.sum_limit,
            alarm_since_s=row.alarm_since_s,
            alarm=row.alarm,
            figures=_without_said(row.figures),
            bridge=Raw(row.bridge.encode()) if row.bridge else None,
            looks=[LookView.of(it) for it in looks],
        )


class SeatView(Struct, frozen=True):
    """Where the plan has a judge look at the answers of routes (`used_by`), and who answers there.
    `to_ask`: so often an anchor has to be asked yet; `problem` says what keeps it from that."""

    route: str
    name: str
    used_by: tuple[str, ...]
    judge: str
    model: str
    earlier: str
    changed_at_s: float | None
    to_ask: int | None
    problem: str

    @classmethod
    def of(cls, seat: Seat) -> "SeatView":
        return cls(
            *(seat.route, seat.name, seat.used_by, seat.judge, seat.model, seat.earlier),
            *(seat.changed_at_s, seat.to_ask, seat.problem),
        )


class JudgeList(Struct, frozen=True):
    """The judge that was calibrated last first."""

    judges: list[JudgeView]
    seats: list[SeatView]


_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


def bridge_of(figures: Mapping[str, Raw]) -> str:
    """What figures say of the judge before, as JSON; empty where they say nothing."""
    found = bytes(figures.get("bridge", b"null")).decode()
    return found if found.startswith("{") else ""


def _without_said(figures: str) -> Raw:
    members = _members(figures)
    members.pop("said", None)
    return Raw(msgspec.json.encode(members))
