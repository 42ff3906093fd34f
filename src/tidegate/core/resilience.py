"""What a route does when a target fails: how long it is waited for, how often it is asked again,
what else may answer, and when a part of a target is left alone. Defaults are those of the plan
file."""

from typing import Final, Literal

from msgspec import Struct

Balance = Literal["weighted", "least_in_flight", "cheapest", "fastest", "sticky"]
# The failures for which a route may name other targets.
FailureClass = Literal["unavailable", "rate_limited", "overflow", "malformed", "refused_by_safety"]
FAILURE_CLASSES: Final[tuple[FailureClass, ...]] = (
    "unavailable",
    "rate_limited",
    "overflow",
    "malformed",
    "refused_by_safety",
)
# What is done with an answer that breaks its route's contract. `retry` asks once more, with what is
# wrong shown to the model, `fallback` those that are named for `malformed`.
OnViolation = Literal["mark", "retry", "fallback", "fail"]
MAX_FALLBACKS: Final = 5


class Deadlines(Struct, frozen=True):
    """Bounds of one attempt, in seconds."""

    connect_s: float = 2.0
    first_token_s: float = 60.0
    gap_s: float = 30.0
    total_s: float = 600.0


class Breaker(Struct, frozen=True, omit_defaults=True):
    """When one replica with one credential of a target is left alone.

    It is after `failures` in a row within `window_s`, for `open_s`; then one request tries it. Of a
    target's replicas and credentials at most `max_ejected_percent` are left alone at once, of
    several at least one. `when_all_open`: what happens to a request for which nothing is left.
    """

    failures: int = 5
    window_s: float = 30.0
    open_s: float = 10.0
    max_ejected_percent: int = 50
    when_all_open: Literal["try", "refuse"] = "try"


class Retry(Struct, frozen=True, omit_defaults=True):
    """How often a request is sent again. `attempts` are those at one target, the first included.

    Of a route's requests in the last minute, `budget_percent` in a hundred may be sent once more,
    and `budget_least` in any case; `wasted_nanousd_per_hour` is what attempts that came to nothing
    may cost before none is made again. Both are of one gateway process.
    """

    attempts: int = 2
    base_s: float = 0.25
    cap_s: float = 8.0
    retry_after_cap_s: float = 10.0
    budget_percent: int = 10
    budget_least: int = 20
    wasted_nanousd_per_hour: int = 10_000_000_000
