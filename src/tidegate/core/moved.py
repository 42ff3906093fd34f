"""What is moved in from another gateway: keys known by their SHA-256, teams, budgets, and what was
spent of them. The contract between who reads it there and control, which takes in all or nothing.

Times are wall-clock seconds, money is integer nano-dollars.
"""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import PeriodUnit

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$"

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Label = Annotated[str, Meta(min_length=1, max_length=100, pattern=_PRINTABLE)]
Words = Annotated[str, Meta(max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
RouteName = Annotated[str, Meta(min_length=1, max_length=200, pattern=_PRINTABLE)]
TeamId = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
BudgetName = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
Count = Annotated[int, Meta(ge=1, le=10**15)]
Source = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class MovedKey(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key that goes on. `blocked` there is revoked here."""

    sha256: Sha256
    name: Label
    team: TeamId
    routes: Annotated[tuple[RouteName, ...], Meta(max_length=1000)]
    created_at_s: float
    customer: Label | None = None
    attributes: Annotated[dict[Label, Words], Meta(max_length=32)] = {}
    expires_at_s: float | None = None
    blocked: bool = False
    limits: KeyLimits | None = None


class MovedTeam(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A team. Its budget is the budget `team.ID`."""

    id: TeamId
    alias: Label
    routes: Annotated[tuple[RouteName, ...], Meta(max_length=1000)]
    created_at_s: float
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    max_parallel_requests: Count | None = None


class MovedBudget(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A budget of those who have the values of `only`. `unit` or `rolling_s` is its period."""

    name: BudgetName
    amount_nanousd: Annotated[int, Meta(ge=1, le=10**18)]
    only: dict[str, Words]
    unit: PeriodUnit | None = None
    rolling_s: Annotated[float, Meta(gt=0)] | None = None
    hard: bool = True
    alerts: tuple[Annotated[int, Meta(ge=1, le=1000)], ...] = (50, 80, 100)


class MovedSpend(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What exactly this scope, values by dimension, had spent in the period that holds `at_s`."""

    scope: dict[str, Words]
    at_s: float
    nanousd: Annotated[int, Meta(ge=0, le=10**18)]


class Moved(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All of it. `source` names where it comes from, so that it can come again."""

    source: Source
    keys: list[MovedKey] = []
    teams: list[MovedTeam] = []
    budgets: list[MovedBudget] = []
    spends: list[MovedSpend] = []
    apply: bool = False
    keep_ours: bool = False


class KindMoved(Struct, frozen=True):
    """Of one kind: how many are new, changed, as they were, and left as they are here."""

    kind: str
    new: int = 0
    changed: int = 0
    same: int = 0
    kept: int = 0


class MovedIn(Struct, frozen=True):
    """What it comes to, or came to where it is `applied`. `conflicts` stand in its way, `gone` are
    keys that came before and are not there any more."""

    applied: bool
    kinds: list[KindMoved]
    conflicts: list[str]
    gone: list[str]
    waiting_for: list[str]
