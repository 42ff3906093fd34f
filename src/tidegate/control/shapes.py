"""What goes over the control API: bodies, queries and answers. Times are wall-clock seconds.

Bodies and queries forbid unknown fields; answers name every field, so that a new column of the
store is never shown by accident.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.priority import Priority
from tidegate.core.receipt import ModelRefusalExtent, Receipt, Validity
from tidegate.core.units import format_duration, format_usd
from tidegate.stores.figures import Ranking

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
RouteName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Word = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_-]*$")]
Text = Annotated[str, Meta(max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
PageSize = Annotated[int, Meta(ge=1, le=1000)]
PageNumber = Annotated[int, Meta(ge=1, le=100)]
Amount = Annotated[int, Meta(ge=1, le=10**15)]
Percent = Annotated[int, Meta(ge=1, le=1000)]
Seconds = Annotated[float, Meta(ge=0, le=10 * 366 * 86400)]
WaitSeconds = Annotated[float, Meta(ge=0, le=30)]


class NewKeyLimits(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What the key alone is held to. `budget` is exact decimal dollars, spendable in each
    `budget_per`: a period such as `month`, or a duration such as `30d`. `budget_alerts` are
    percents of it in rising order (None: 50, 80 and 100); without `budget_hard` it only alerts, and
    with `budget_degrade` ladders of routes look at it."""

    budget: str | None = None
    budget_per: Annotated[str, Meta(max_length=40)] | None = None
    requests_per_minute: Amount | None = None
    tokens_per_minute: Amount | None = None
    max_parallel_requests: Amount | None = None
    budget_alerts: tuple[Percent, ...] | None = None
    budget_hard: bool = True
    budget_degrade: bool = False


class NewKey(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A key to make. `routes` holds names of the plan's routes, or `*` for every route.

    What is left out is taken from the plan's `keys`; `expires_at_s` of null never expires.
    """

    name: Name
    team: Name | None = None
    routes: Annotated[tuple[RouteName, ...], Meta(min_length=1, max_length=1000)] | None = None
    customer: Name | None = None
    environment: Name | None = None
    purpose: Word = "production"
    priority: Priority = "standard"
    attributes: Annotated[dict[Name, Text], Meta(max_length=32)] = {}
    expires_at_s: float | UnsetType | None = UNSET
    limits: NewKeyLimits | None = None


class Rotation(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How long the old key works beside its successor. 0 ends it at once."""

    overlap_s: Seconds = 0.0


class KeyQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which keys to list, in the order of their ids, beyond `after`."""

    name_prefix: Text | None = None
    team: Name | None = None
    revoked: bool = True
    after: Name | None = None
    limit: PageSize = 100


class KeyView(Struct, frozen=True):
    """A key as operators see it: everything but its digest."""

    id: str
    name: str
    team: str
    customer: str | None
    environment: str | None
    purpose: str
    priority: Priority
    routes: tuple[str, ...]
    attributes: dict[str, str]
    created_at_s: float
    expires_at_s: float | None
    revoked_at_s: float | None
    state: Literal["live", "expired", "revoked"]
    pepper_version: int
    limits: NewKeyLimits | None = None

    @classmethod
    def of(cls, record: KeyRecord, now_s: float) -> "KeyView":
        state: Literal["live", "expired", "revoked"] = "live"
        if record.revoked_at_s is not None:
            state = "revoked"
        elif record.expires_at_s is not None and record.expires_at_s <= now_s:
            state = "expired"
        return cls(
            id=record.id,
            name=record.name,
            team=record.team,
            customer=record.customer,
            environment=record.environment,
            purpose=record.purpose,
            priority=record.priority,
            routes=record.routes,
            attributes=record.attributes,
            created_at_s=record.created_at_s,
            expires_at_s=record.expires_at_s,
            revoked_at_s=record.revoked_at_s,
            state=state,
            pepper_version=record.pepper_version,
            limits=None if record.limits is None else limits_shown(record.limits),
        )


def limits_shown(limits: KeyLimits) -> NewKeyLimits:
    """A key's own limits in the words in which they are asked for."""
    per = limits.budget_unit or (
        None if limits.budget_s is None else format_duration(limits.budget_s)
    )
    money = None if limits.budget_nanousd is None else format_usd(limits.budget_nanousd)
    return NewKeyLimits(
        money,
        per,
        limits.requests_per_minute,
        limits.tokens_per_minute,
        limits.max_parallel_requests,
        None if limits.budget_alerts == KeyLimits().budget_alerts else limits.budget_alerts,
        limits.budget_hard,
        limits.budget_degrade,
    )


class KeyList(Struct, frozen=True):
    """A page of keys. `after` of the next page; None at the end."""

    keys: list[KeyView]
    after: str | None


class KeyMade(Struct, frozen=True):
    """A new key. `key` is shown this once. `replaces` is the id of the key that it succeeds."""

    key: str
    record: KeyView
    replaces: str | None
    waiting_for: list[str]


class KeyRevoked(Struct, frozen=True):
    """`waiting_for` names running gateways that have not yet said that they obey."""

    record: KeyView
    waiting_for: list[str]


class PepperMade(Struct, frozen=True):
    """A new pepper: keys made from now on are digested under it. `file` is its path, never it."""

    version: int
    file: str


class PlanView(Struct, frozen=True):
    """The plan in force, and what is wrong with the file if it was refused. `leader` names the
    control that publishes it, where that is another one."""

    version: int
    digest: str
    compiled_at_s: float
    file: str
    routes: list[str]
    problems: list[str]
    warnings: list[str]
    read_at_s: float | None
    failures_total: int
    served: dict[str, int | None]
    leader: str | None = None


class PlanReloaded(Struct, frozen=True):
    """What reading the plan file again came to. `waiting_for` as with keys."""

    outcome: Literal["published", "unchanged"]
    version: int
    waiting_for: list[str]


class GatewayView(Struct, frozen=True):
    """One connected gateway process: what it obeys and how it is."""

    gateway: str
    pid: int
    connected_at_s: float
    plan_version: int | None
    feed_seq: int
    error: str | None
    status_at_s: float | None
    gauges: dict[str, float]


class GatewayList(Struct, frozen=True):
    """All connected gateways. `feed_seq` is the newest entry that there is."""

    gateways: list[GatewayView]
    feed_seq: int


class ReceiptQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Receipts that arrived after `after`, oldest first; without `after` the newest ones.

    With `wait_s` the answer waits that long for the first one.
    """

    after: Annotated[int, Meta(ge=0)] | None = None
    route: RouteName | None = None
    key_id: Name | None = None
    team: Name | None = None
    rung: Name | None = None
    target: RouteName | None = None
    purpose: Name | None = None
    session_id: Name | None = None
    validity: Validity | None = None
    model_refusal: ModelRefusalExtent | None = None
    failed: bool = False
    limit: PageSize = 100
    wait_s: WaitSeconds = 0.0


class ReceiptPage(Struct, frozen=True):
    """Receipts, oldest first. Ask again with `after=cursor` for what comes next."""

    receipts: list[Receipt]
    cursor: int


class WindowQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A window that ends now. Its sums are answered as `stores.figures.Summary`."""

    since_s: Seconds = 3600.0
    route: RouteName | None = None
    key_id: Name | None = None
    team: Name | None = None


class TopQuery(WindowQuery, forbid_unknown_fields=True, omit_defaults=True):
    """The worst requests of a window."""

    by: Ranking = "slowest"
    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class ReceiptTop(Struct, frozen=True):
    """The worst first. Unknown times and costs are left out, never counted as 0."""

    receipts: list[Receipt]
