"""Values of another gateway's file, read leniently as it reads them; None for what is no such
value."""

from typing import Final

SECONDS: Final = "write a number of seconds"
SHARE: Final = "write a number above 0"
COUNT: Final = "write a whole number"
AMOUNT: Final = "write an amount in dollars"
_MOST_S: Final = 86_400.0
_MOST_COUNT: Final = 10**15
_MOST_TRIES: Final = 10


def seconds(value: object) -> float | None:
    """Above 0, a day at most."""
    found = share(value)
    return None if found is None else min(found, _MOST_S)


def share(value: object) -> float | None:
    """Above 0."""
    if isinstance(value, bool):
        return None
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 < found < _MOST_COUNT else None


def count(value: object) -> int | None:
    """From 1 on."""
    found = _whole(value)
    return found if found is not None and found > 0 else None


def attempts(retries: object) -> int | None:
    """How often in all, of how often again; ours are ten at most."""
    found = _whole(retries)
    return None if found is None or found < 0 else min(found + 1, _MOST_TRIES)


def fails_beyond(allowed: object) -> int | None:
    """The failure that is one too many."""
    found = _whole(allowed)
    return None if found is None or found < 0 else min(found + 1, 1000)


def flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    text = str(value).strip().removesuffix(".0")
    return int(text) if text.isdecimal() and int(text) <= _MOST_COUNT else None
