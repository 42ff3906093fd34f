"""Limits: what the plan holds requests to, what is counted for them, and who says no.

A limit counts one thing for each value of its scope. What is worst-case possible is held before
a request is served and settled once it has ended, so limits are never passed and never leak.
Amounts are integers: requests, tokens, calls or nano-dollars, as the limit's kind says.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from tidegate.core.ask import Ask
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit, PeriodUnit, Raise, Route, Target
from tidegate.core.receipt import Receipt

# What a scope can be made of, and the receipt's field that says it. Besides: `attribute.NAME`.
CALLER_DIMENSIONS: Final[Mapping[str, str]] = {
    "key": "key_id",
    "team": "team",
    "customer": "customer",
    "end_user": "end_user",
    "session": "session_id",
    "trace": "trace_id",
    "prompt": "prompt_fingerprint",
    "route": "route",
    "environment": "environment",
}
TARGET_DIMENSIONS: Final[Mapping[str, str]] = {
    "model": "model_wanted",
    "target": "target",
    "provider": "provider",
}
ATTRIBUTE: Final = "attribute."
# What is summed up for good; of all else only the receipts tell, as long as they are kept.
SUMMED_UP: Final = frozenset(
    {"key", "team", "customer", "route", "environment", *TARGET_DIMENSIONS}
)
SPEND: Final = "spend"  # the kind of limit that a budget is
GLOBAL: Final = "global"  # the scope of one counter for everything, as the plan file says it
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Bucket(Struct, frozen=True, omit_defaults=True):
    """So much a second, at most `burst` at once: admitted(t, t + d) <= rate x d + burst."""

    rate_per_s: float
    burst: int


class Rolling(Struct, frozen=True, omit_defaults=True):
    """At most `allowed` in any `window_s`, counted in `bins` parts: what has left a part of the
    window is forgotten when the whole part has left it. `wall` counts by the wall clock, for what
    must agree with the dates in the ledger. `raised` are scopes of which more is allowed."""

    allowed: int
    window_s: float
    bins: int = 60
    wall: bool = False
    raised: dict[str, int] = {}


class Calendar(Struct, frozen=True, omit_defaults=True):
    """At most `allowed` in each period of the calendar of `time_zone` (an IANA name). `raised` are
    scopes of which more is allowed."""

    allowed: int
    unit: PeriodUnit
    time_zone: str = "UTC"
    raised: dict[str, int] = {}


class Gauge(Struct, frozen=True, omit_defaults=True):
    """At most `allowed` at once. A hold nobody gives back is forgotten after `lease_s`: not before
    the longest request, which a plan may let wait and last a day each."""

    allowed: int
    lease_s: float = 2 * 86_400.0


Shape = Bucket | Rolling | Calendar | Gauge


def is_dimension(text: str) -> bool:
    """Whether a scope can be made of it."""
    if text.startswith(ATTRIBUTE):
        return _ATTRIBUTE_NAME.fullmatch(text.removeprefix(ATTRIBUTE)) is not None
    return text in CALLER_DIMENSIONS or text in TARGET_DIMENSIONS


def of_target(limit: Limit) -> bool:
    """Whether it counts by what serves the request, and is taken in `pick`."""
    dimensions = (*limit.scope, *(name for name, _ in limit.only))
    return any(dimension in TARGET_DIMENSIONS for dimension in dimensions)


# Between the values of a scope of several dimensions; no value of ours holds it.
SEPARATOR: Final = "\x1f"


def scope_text(limit: Limit, scope: str) -> str:
    """A counter's scope for people: `team growth, route chat`. No two scopes have one text."""
    if not limit.scope:
        return "everything"
    pairs = zip(limit.scope, scope.split(SEPARATOR), strict=False)
    return ", ".join(f"{name.removeprefix(ATTRIBUTE)} {_apart(value)}" for name, value in pairs)


def _apart(value: str) -> str:
    """A value with a comma, which callers may choose, is not taken for two."""
    if "," not in value and '"' not in value:
        return value
    return '"' + value.replace('"', '""') + '"'


def reaches(limit: Limit, route: Route) -> bool:
    """Whether it can hold a request of `route`, whoever asks."""
    return any(_reaches_target(limit, route.name, target) for target in route.reachable)


def _reaches_target(limit: Limit, route: str, target: Target) -> bool:
    there = {
        "route": route,
        "target": target.name,
        "provider": target.provider,
        "model": target.model,
    }
    return all(there.get(dimension, value) == value for dimension, value in limit.only)


def allowed_at(limit: Limit, wall_s: float, scope: str | None = None) -> int:
    """Its amount with the raises that have not ended at that time of the wall clock: those of
    every scope, and those of `scope`."""
    standing = [one for one in limit.raises if wall_s < one.until_s]
    of_every = sum(one.extra for one in standing if not one.scope)
    if scope is None:
        return limit.amount + of_every
    own = (one.extra for one in standing if one.scope and raised_scope(limit, one) == scope)
    return limit.amount + of_every + sum(own)


def raised_at(limit: Limit, wall_s: float) -> dict[str, int]:
    """What is allowed of the scopes that have raises of their own then."""
    own = {raised_scope(limit, one) for one in limit.raises if one.scope and wall_s < one.until_s}
    return {scope: allowed_at(limit, wall_s, scope) for scope in own if scope is not None}


def raised_scope(limit: Limit, one: Raise) -> str | None:
    """The one scope that a raise is of; None where it is of every scope, or of one that the limit
    does not have any more."""
    values = dict(one.scope)
    if not values or values.keys() != set(limit.scope):
        return None
    return SEPARATOR.join(values[name] for name in limit.scope)


class Demand(Struct):
    """The most that a request can come to, as `size` and the plan bound it.

    `input_tokens` is a bound, exact where `input_exact`; `output_tokens` is the bound of one
    choice, which `check` may lower. `cost_nanousd` None is a price that nobody knows.
    `input_counted`: a tokenizer has counted what it can of the input.
    `media_tokens` of the input are images and files, of which only the most is known.
    `bound_told`: the provider has to be told `output_tokens`, also where the caller set none.
    """

    ask: Ask
    receipt: Receipt
    input_tokens: int
    input_exact: bool
    output_tokens: int
    choices: int
    cost_nanousd: int | None = None
    bound_told: bool = False
    media_tokens: int = 0
    input_counted: bool = False

    @property
    def total_output_tokens(self) -> int:
        return self.output_tokens * self.choices


# When a place of a gauge becomes free nobody knows; who asks once a second waits little in vain.
GAUGE_RETRY_S: Final = 1.0


class Reading(Struct, frozen=True):
    """What one counter says of itself. `reset_s`: when all of it is free again, from now; None when
    nobody knows, as of a gauge that something is taken of.

    `retry_s`: when what was asked for would fit, from now (of a gauge: when to ask again); None
    when it never would.
    """

    used: int
    allowed: int
    reset_s: float | None
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
        """The ticket, or None when `amount` does not fit: then nothing was taken. 0 always fits."""

    def give_back(self, scope: str, ticket: int, held: int, used: int, now: Moment) -> None:
        """What was held becomes what was used, which may be more. Once for each ticket."""

    def read(self, scope: str, amount: int, now: Moment) -> Reading:
        """As it stands, for one who wants `amount`."""

    def reshape(self, shape: Shape) -> None:
        """The plan has changed how much is allowed; what was counted stands. Only a calendar
        of another unit or zone begins anew. TypeError for another kind of shape."""

    def sweep(self, now: Moment) -> None:
        """Forgets counters that say nothing any more, a bounded number at once: call it often."""

    def __len__(self) -> int:
        """How many scopes are remembered."""


class Seeded(Counters, Protocol):
    """Counters whose past is in the ledger (Calendar; Rolling by the wall clock)."""

    def knows(self, scope: str, now: Moment) -> bool:
        """Whether all that counts now has been counted here. Ask before each take."""

    def seed(self, scope: str, past: Iterable[tuple[float, int]], now: Moment) -> None:
        """What the ledger has: (wall clock, amount). Nothing happens when it is known already."""

    def doubt(self, scope: str, stale: bool) -> None:
        """Some of what counts was counted elsewhere: it is no longer known, until it is seeded. A
        `stale` count goes; one that is not stands, and is known."""
