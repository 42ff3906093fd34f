"""The latest values of something, and quantiles of them."""

from collections import deque
from typing import Final

KEPT: Final = 2048
LEAST: Final = 100


class Recent:
    """The last `KEPT` values; a quantile once there are `LEAST`."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=KEPT)
        self.extend = self._values.extend

    def quantile(self, share: float) -> float | None:
        """The value that `share` of them do not exceed."""
        found = self.quantiles(share)
        return None if found is None else found[0]

    def quantiles(self, *shares: float) -> tuple[float, ...] | None:
        """The same of several shares."""
        if len(self._values) < LEAST:
            return None
        ordered = sorted(self._values)
        last = len(ordered) - 1
        return tuple([ordered[min(last, int(share * len(ordered)))] for share in shares])
