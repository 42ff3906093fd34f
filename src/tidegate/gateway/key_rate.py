"""key_rate: how often a key may ask for what no limit of the plan counts."""

from collections import OrderedDict
from typing import Final

from tidegate.core.outcome import Refusal

_MOST_KEYS: Final = 10_000


class KeyRate:
    """In one gateway process: `burst` times at once, and `per_s` more a second. `what` says it to
    whoever is refused."""

    def __init__(self, per_s: float, burst: int, what: str) -> None:
        self.refused = 0
        self.per_s = per_s
        self.burst = burst
        self._what = what
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, key_id: str, now_s: float) -> None:
        """Refusal where the key asks more often (monotonic seconds)."""
        left, at_s = self._left.pop(key_id, (float(self.burst), now_s))
        left = min(left + (now_s - at_s) * self.per_s, float(self.burst))
        self._left[key_id] = (max(left - 1, 0.0) if left >= 1 else left, now_s)
        if len(self._left) > _MOST_KEYS:
            self._left.popitem(last=False)
        if left < 1:
            self.refused += 1
            message = (
                f"an API key may {self._what} {self.per_s:g} times a second, {self.burst} at once"
            )
            retry_after_s = (1 - left) / self.per_s
            raise Refusal("rate_limit_exceeded", message, retry_after_s=retry_after_s)
