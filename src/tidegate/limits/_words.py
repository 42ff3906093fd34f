"""Limits in plain words: amounts, times, and the refusals made of them."""

from math import ceil

from tidegate.core.limit import Reading
from tidegate.core.outcome import Excess, Refusal
from tidegate.core.plan import Limit
from tidegate.core.words import quoted

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def duration(seconds: float) -> str:
    """`3 seconds`, `2 hours`: rounded up, in the largest unit of which there are two or more."""
    for length_s, name in _UNITS:
        if seconds >= 2 * length_s:
            return f"{ceil(seconds / length_s)} {name}s"
    return f"{max(1, ceil(seconds))} second{'s' if seconds > 1 else ''}"


def period(per_s: float | None) -> str:
    """` a minute`, ` in 5 minutes`; nothing where there is none."""
    if per_s is None:
        return ""
    for length_s, name in _UNITS:
        if per_s == length_s:
            return f" {'an' if name == 'hour' else 'a'} {name}"
    return f" in {duration(per_s)}"


def excess(limit: Limit, scope: str, reading: Reading) -> Excess:
    return Excess(limit.name, scope, reading.used, reading.allowed)


def full(code: str, limit: Limit, scope: str, reading: Reading, noun: str) -> Refusal:
    """The no of a limit that has no room now; `larger_than_limit` where it never would have."""
    name = f"limit {quoted(limit.name)} ({scope})"
    said = excess(limit, scope, reading)
    per = period(limit.per_s)
    # A burst is not what is allowed in the time.
    flow = "" if limit.burst is None else f" ({limit.amount:,}{per})"
    what = f"{noun}{per}" if limit.burst is None else f"{noun} at once"
    if reading.retry_s is None:
        return Refusal(
            "larger_than_limit",
            f"{name}: this request may need more than the {reading.allowed:,} {noun}"
            f"{'' if flow else per} that are allowed at once{flow}; waiting does not help, a "
            "smaller request does",
            excess=said,
        )
    return Refusal(
        code,
        f"{name}: {reading.used:,} of {reading.allowed:,} {what}{flow} are used, and this request "
        f"does not fit; try again in {duration(reading.retry_s)}",
        retry_after_s=reading.retry_s,
        excess=said,
    )


def judged(code: str, limit: Limit, wanted: int, words: str, param: str) -> Refusal:
    """The no of a limit that judges each request by itself."""
    said = Excess(limit.name, "this request", wanted, limit.amount)
    return Refusal(code, f"limit {quoted(limit.name)}: {words}", param=param, excess=said)
