"""Which targets of a plan serve a model that is going, and which routes reach them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from tidegate.core.plan import Plan, Target

# People are told so many days before, and are told again.
TOLD_DAYS: Final = (90, 30)


def day_of(now_s: float) -> date:
    """The day in UTC at wall-clock seconds."""
    return datetime.fromtimestamp(now_s, UTC).date()


def retiring(plan: Plan, today: date, days: int) -> Iterator[tuple[Target, tuple[str, ...]]]:
    """Targets whose model is retired within so many days, or was, and the routes that reach them;
    the first to go first."""
    reached: dict[str, list[str]] = {}
    found: dict[str, Target] = {}
    for route in plan.routes.values():
        for target in route.reachable:
            left = None if target.facts is None else target.facts.days_left(today)
            if left is not None and left <= days:
                found[target.name] = target
                reached.setdefault(target.name, []).append(route.name)
    for target in sorted(found.values(), key=lambda it: (_day(it), it.name)):
        yield target, tuple(reached[target.name])


def retirement_text(target: Target, today: date) -> str:
    """`gpt-4o at openai retires on 2027-03-31, in 30 days`."""
    day = _day(target)
    left = (day - today).days
    when = f"in {left} day{'' if left == 1 else 's'}" if left > 0 else "so it may fail now"
    said = "retires" if left > 0 else "retired"
    return f"the model {target.model} at {target.provider} {said} on {day.isoformat()}, {when}"


def _day(target: Target) -> date:
    return date.max if target.facts is None else target.facts.retires_on or date.max
