"""What is said to who has no place at a target, and when to come again. Pure."""

import math
from typing import Final

from tidegate.core.outcome import Refusal

MIN_RETRY_AFTER_S: Final = 1.0
MAX_RETRY_AFTER_S: Final = 60.0


def overloaded(message: str, wait_s: float | None) -> Refusal:
    """Too many ask; `wait_s` is how long it will take, where that is known."""
    retry_after_s = min(max(wait_s or 0.0, MIN_RETRY_AFTER_S), MAX_RETRY_AFTER_S)
    return Refusal("overloaded", message, retry_after_s=retry_after_s)


def too_short(deadline_s: float, wait_s: float | None) -> Refusal:
    """A place will be free in `wait_s`, and the caller waits for `deadline_s` at most."""
    if wait_s is None:
        return Refusal("deadline_too_short", "the caller's deadline has passed")
    return Refusal(
        "deadline_too_short",
        f"a place at this model is free in about {math.ceil(wait_s)} s, and the caller waits "
        f"{max(deadline_s, 0.0):.3g} s",
        retry_after_s=min(wait_s, MAX_RETRY_AFTER_S),
    )
