"""Changes over the control API. Times are wall-clock seconds; bodies forbid unknown fields."""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from tidegate.control.shapes_budgets import Reason
from tidegate.core.declared_control import MOST_APPROVALS
from tidegate.core.signal import Signal
from tidegate.stores.changes import Kept, State
from tidegate.stores.leadership import Leadership
from tidegate.stores.schedule import Scheduled

Scope = Annotated[str, Meta(max_length=400, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
LeverName = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z_]*$")]


class ChangeQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Those that are open, or with `ended` those that are over too; the newest first."""

    ended: bool = False
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class NewChange(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A lever to hold for `for_s` seconds, of `scope` as the lever has one, from now on or from
    `at_s` (wall-clock seconds). With `approvals`, or
    where the plan file wants some, it holds nothing until so many others have said yes. `anyway`:
    also where it leaves a route with nothing that serves it."""

    lever: LeverName
    value: float
    for_s: Annotated[float, Meta(gt=0)]
    reason: Reason
    scope: Scope = ""
    at_s: float | None = None
    approvals: Annotated[int, Meta(ge=0, le=MOST_APPROVALS)] = 0
    anyway: bool = False


class ChangeView(Struct, frozen=True):
    """One change, and what became of it; one that is `scheduled` begins at `from_s`. `remaining_s`
    is how long it holds unless it is renewed; `evidence` are the readings that it was decided by.
    """

    id: str
    lever: str
    scope: str
    value: float
    state: Literal["scheduled", State]
    reason: str
    author: str
    from_s: float
    until_s: float | None
    lease_s: float | None
    remaining_s: float
    epoch: int
    approvals: int
    approved_by: tuple[str, ...]
    ended_at_s: float | None
    ended_by: str | None
    ended_why: str | None
    evidence: tuple[Signal, ...]

    @classmethod
    def of(cls, kept: Kept, now_s: float, led: Leadership) -> "ChangeView":
        change = kept.change
        return cls(
            id=change.id,
            lever=change.lever,
            scope=change.scope,
            value=change.value,
            state=kept.state(now_s, led),
            reason=change.reason,
            author=change.author,
            from_s=change.from_s,
            until_s=change.until_s,
            lease_s=change.lease_s,
            remaining_s=kept.remaining_s(now_s, led),
            epoch=change.epoch,
            approvals=kept.needs,
            approved_by=change.approved_by,
            ended_at_s=kept.ended_at_s,
            ended_by=kept.ended_by,
            ended_why=kept.ended_why,
            evidence=change.evidence,
        )

    @classmethod
    def of_scheduled(cls, one: Scheduled) -> "ChangeView":
        """One that has not begun, and perhaps never will."""
        kept = Kept(one.change, one.needs, one.closed_at_s, one.closed_by)
        view = cls.of(kept, one.change.from_s, Leadership())
        is_over = one.closed_at_s is not None
        state: Literal["scheduled", State] = (
            "ended" if is_over else "waiting" if one.waits else "scheduled"
        )
        return replace(view, state=state, remaining_s=0.0, ended_why=one.closed_why)


class ChangeList(Struct, frozen=True):
    """Changes, and the loop's leadership: `epoch` 0 when no loop has led yet."""

    changes: list[ChangeView]
    epoch: int
    renewed_at_s: float


class ChangeMade(Struct, frozen=True):
    """A change as it is now. `waiting_for` names the gateways that do not obey it yet."""

    change: ChangeView
    waiting_for: list[str] = []
