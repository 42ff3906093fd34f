"""Values of another gateway's file, read leniently as it reads them; None for what is no such
value."""

from typing import Final

from tidegate.config.scalars import READERS
from tidegate.core.declared_scalars import MAX_SECONDS

SECONDS: Final = "write a number of seconds above 0"
SHARE: Final = "write a number above 0"
COUNT: Final = "write a whole number"
SOME: Final = "write a whole number above 0"
ROUTE_NAME: Final = "a route's name is printable, of 200 letters at most, with no spaces around it"
AMOUNT: Final = "write an amount in dollars"
# For what another gateway falls back that does not say for what.
ANY_FAILURE: Final = ("unavailable", "rate_limited", "malformed")
_MOST_ROUTE: Final = 200
_MOST_TEXT: Final = 1000
_MOST_COUNT: Final = 10**15
_MOST_TRIES: Final = 10


def seconds(value: object) -> float | None:
    """Above 0, a day at most."""
    found = share(value)
    return None if found is None else min(found, MAX_SECONDS)


def share(value: object) -> float | None:
    """Above 0."""
    if isinstance(value, bool):
        return None
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 < found < _MOST_COUNT else None


def weight(value: object) -> float | None:
    """A share, as far from the others as shares may be here."""
    found = share(value)
    return None if found is None else min(max(found, 0.001), 1_000_000.0)


def count(value: object) -> int | None:
    """From 1 on."""
    found = whole(value)
    return found if found is not None and found > 0 else None


def attempts(retries: object) -> int | None:
    """How often in all, of how often again; ours are ten at most."""
    found = whole(retries)
    return None if found is None or found < 0 else min(found + 1, _MOST_TRIES)


def fails_beyond(allowed: object) -> int | None:
    """The failure that is one too many."""
    found = whole(allowed)
    return None if found is None or found < 0 else min(found + 1, 1000)


def whole(value: object) -> int | None:
    """From 0 on."""
    if isinstance(value, bool):
        return None
    text = str(value).strip().removesuffix(".0")
    return int(text) if text.isdecimal() and int(text) <= _MOST_COUNT else None


def route_name(value: object) -> str | None:
    return _fit("route", value, _MOST_ROUTE)


def header_name(value: object) -> str | None:
    return _fit("header", value, _MOST_TEXT)


def text(value: object) -> str | None:
    """What may stand in a header or be a model's name."""
    told = str(value)
    return told if told.isprintable() and 0 < len(told) <= _MOST_TEXT else None


def _fit(kind: str, value: object, most: int) -> str | None:
    """As the plan file reads it."""
    if not isinstance(value, str) or len(value) > most:
        return None
    try:
        return str(READERS[kind](value))
    except ValueError:
        return None


def flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
