"""Limits: what the plan holds requests to, what is counted for them, and who says no.

A limit counts one thing for each value of its scope. What is worst-case possible is held before
a request is served and settled once it has ended, so limits are never passed and never leak.
Amounts are integers: requests, tokens, calls or nano-dollars, as the limit's kind says.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from tidegate.core.ask import Ask
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit, PeriodUnit
from tidegate.core.receipt import Receipt

# What a scope can be made of, and the receipt's field that says it. Besides: `attribute.NAME`.
CALLER_DIMENSIONS: Final[Mapping[str, str]] = {
    "key": "key_id",
    "team": "team",
    "customer": "customer",
    "end_user": "end_user",
    "session": "session_id",
    "trace": "trace_id",
    "route": "route",
    "environment": "environment",
}
TARGET_DIMENSIONS: Final[Mapping[str, str]] = {
    "model": "model_wanted",
    "target": "target",
    "provider": "provider",
}
ATTRIBUTE: Final = "attribute."


class Bucket(Struct, frozen=True, omit_defaults=True):
    """So much a second, at most `burst` at once: admitted(t, t + d) <= rate x d + burst."""

    rate_per_s: float
    burst: int


class Rolling(Struct, frozen=True, omit_defaults=True):
    """At most `allowed` in any `window_s`, counted in `bins` parts: what has left a part of the
    window is forgotten when the whole part has left it."""

    allowed: int
    window_s: float
    bins: int = 60


class Calendar(Struct, frozen=True, omit_defaults=True):
    """At most `allowed` in each period of the calendar of `time_zone` (an IANA name)."""

    allowed: int
    unit: PeriodUnit
    time_zone: str = "UTC"


class Gauge(Struct, frozen=True, omit_defaults=True):
    """At most `allowed` at once. A hold nobody gives back is forgotten after `lease_s`."""

    allowed: int
    lease_s: float = 3600.0


Shape = Bucket | Rolling | Calendar | Gauge


def of_target(limit: Limit) -> bool:
    """Whether it counts by what serves the request, and is taken in `pick`."""
    dimensions = (*limit.scope, *(name for name, _ in limit.only))
    return any(dimension in TARGET_DIMENSIONS for dimension in dimensions)


class Demand(Struct):
    """The most that a request can come to, as `size` and the plan bound it.

    `input_tokens` is a bound, exact where `input_exact`; `output_tokens` is the bound of one
    choice, which `check` may lower. `cost_nanousd` None is a price that nobody knows.
    """

    ask: Ask
    receipt: Receipt
    input_tokens: int
    input_exact: bool
    output_tokens: int
    choices: int
    cost_nanousd: int | None = None

    @property
    def total_output_tokens(self) -> int:
        return self.output_tokens * self.choices


class Reading(Struct, frozen=True):
    """What one counter says of itself. `reset_s`: when all of it is free again, from now.

    `retry_s`: when what was asked for would fit, from now; None when it never would.
    """

    used: int
    allowed: int
    reset_s: float
    retry_s: float | None = None


class LimitKind(Protocol):
    """One kind of limit. Pure: no counter, no clock.

    `noun` says what it counts, in an error ("requests", "tokens"). `fields` are the optional
    fields of Limit that it reads; others are refused when the plan is compiled.
    """

    noun: str
    fields: frozenset[str]

    def complaint(self, limit: Limit) -> str | None:
        """What is wrong with the limit as it was written; None when it can be enforced."""

    def shape(self, limit: Limit) -> Shape | None:
        """What a store keeps for it; None when it only judges the request itself."""

    def check(self, limit: Limit, demand: Demand) -> None:
        """Judges the request by itself: a Refusal, or a lower `output_tokens`."""

    def amount(self, limit: Limit) -> Callable[[Demand], int]:
        """How much to hold before the call."""

    def used(self, limit: Limit) -> Callable[[Receipt], int | None]:
        """How much it was in the end; None when nobody knows, and all that was held counts."""

    def refusal(self, limit: Limit, scope: str, reading: Reading) -> Refusal:
        """The no of this limit."""


class Moment(Struct, frozen=True):
    """Now, on the monotonic clock (rates, leases) and on the wall's (periods of a calendar)."""

    monotonic_s: float
    wall_s: float


class Counters(Protocol):
    """All counters of one limit, by the text of their scope. Stores implement it.

    A ticket names what was taken, for `give_back`.
    """

    def take(self, scope: str, amount: int, now: Moment) -> int | None:
        """The ticket, or None when `amount` does not fit: then nothing was taken."""

    def give_back(self, scope: str, ticket: int, held: int, used: int, now: Moment) -> None:
        """What was held becomes what was used, which may be more. Once for each ticket."""

    def read(self, scope: str, amount: int, now: Moment) -> Reading:
        """As it stands, for one who wants `amount`."""

    def reshape(self, shape: Shape) -> None:
        """The plan has changed how much is allowed; what was counted stands."""

    def sweep(self, now: Moment) -> None:
        """Forgets counters that say nothing any more."""

    def __len__(self) -> int: ...
