"""What a route may send once more in this process: a share of its requests, and a sum of money.

What is answered then counts no more, so that only attempts in vain use it up: while a part of a
provider's answers fails, whoever can be served elsewhere is. Both are counted in the last of two
bins and in the one before, so that what was saved up in a quiet day is not spent in a bad minute.
Times are monotonic seconds and arguments.
"""

from typing import Final

from tidegate.core.resilience import Retry

REQUESTS_BIN_S: Final = 30.0
MONEY_BIN_S: Final = 1800.0


class RetryBudget:
    """One route's. `refused` counts the attempts that it did not allow. One that is `untouched`, as
    it mostly is, has room."""

    __slots__ = (
        *("_again", "_again_before", "_requests", "_requests_before", "_turns_s"),
        *("_money_turns_s", "_wasted", "_wasted_before", "refused", "retry", "untouched"),
    )

    def __init__(self, retry: Retry) -> None:
        self.refused = 0
        self._requests = self._requests_before = self._again = self._again_before = 0
        self._wasted = self._wasted_before = 0
        self._turns_s = self._money_turns_s = 0.0
        self.obey(retry)

    def obey(self, retry: Retry) -> None:
        """So much may be sent once more from now on."""
        self.retry = retry
        self._look()

    def request(self, now_s: float) -> None:
        """One more request has come."""
        if now_s >= self._turns_s:
            self._turn(now_s)
        self._requests += 1

    def take(self, now_s: float) -> bool:
        """Takes one more attempt, where one is left."""
        self._turn(now_s)
        if not self.has_room(now_s):
            self.refused += 1
            return False
        self._again += 1
        self.untouched = False
        return True

    def has_room(self, now_s: float) -> bool:
        """Whether one is left."""
        if self.untouched:
            return True
        self._turn(now_s)
        again = self._again + self._again_before
        share = (self._requests + self._requests_before) * self.retry.budget_percent // 100
        wasted = self._wasted + self._wasted_before
        ceiling = self.retry.wasted_nanousd_per_hour
        return again < max(share, self.retry.budget_least) and not (wasted and wasted >= ceiling)

    def give_back(self, count: int) -> None:
        """So many that were taken have begun to be answered: they were no waste."""
        here = min(count, self._again)
        self._again -= here
        self._again_before = max(self._again_before - (count - here), 0)

    def wasted(self, nanousd: int, now_s: float) -> None:
        """An attempt came to nothing and cost so much, or that at most."""
        self._turn(now_s)
        self._wasted += nanousd
        self.untouched = False

    def _turn(self, now_s: float) -> None:
        if now_s >= self._turns_s:
            fresh = now_s < self._turns_s + REQUESTS_BIN_S
            self._requests_before = self._requests if fresh else 0
            self._again_before = self._again if fresh else 0
            self._requests = self._again = 0
            self._turns_s = now_s + REQUESTS_BIN_S
        if now_s >= self._money_turns_s:
            self._wasted_before = self._wasted if now_s < self._money_turns_s + MONEY_BIN_S else 0
            self._wasted = 0
            self._money_turns_s = now_s + MONEY_BIN_S
        self._look()

    def _look(self) -> None:
        spent = self._again or self._again_before or self._wasted or self._wasted_before
        self.untouched = not spent and self.retry.budget_least > 0
