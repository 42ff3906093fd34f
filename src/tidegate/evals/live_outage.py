"""Whether verdicts on live answers still come. Pure.

One failure says little and three in a row do, or any that last for two minutes; and one verdict in
between does not end an outage.
"""

from typing import Final

FAILED_IN_A_ROW: Final = 3
FAILED_FOR_S: Final = 120.0
WELL_IN_A_ROW: Final = 2


class Outage:
    """Of one route. `now_s` is a monotonic clock's; `why` is None while all is well."""

    def __init__(self) -> None:
        self.why: str | None = None
        self._failed = 0
        self._since_s = 0.0
        self._well = 0

    def failed(self, why: str, now_s: float) -> None:
        """No verdict came, and why, in words without anything that was said."""
        if not self._failed:
            self._since_s = now_s
        self._failed += 1
        self._well = 0
        lasts = now_s - self._since_s >= FAILED_FOR_S
        if self.why is not None or self._failed >= FAILED_IN_A_ROW or lasts:
            self.why = why

    def well(self) -> None:
        """A verdict came."""
        self._well += 1
        if self.why is None or self._well >= WELL_IN_A_ROW:
            self.why, self._failed = None, 0

    @property
    def is_doubtful(self) -> bool:
        """Whether the last one failed: then one at a time is tried."""
        return self._failed > 0 and self._well == 0
