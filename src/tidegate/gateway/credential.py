"""One credential of a target: what its provider still allows it, and how long it rests.

One that is refused (revoked, expired, without money) rests for a minute, and twice as long after
each refusal that follows, so that the others of its pool serve; what a provider throttles rests as
it asked to (`provider_rate`). Times are monotonic seconds and arguments.
"""

from math import inf
from typing import Final

from tidegate.core.secret import Secret
from tidegate.gateway.breaker import Tripped
from tidegate.gateway.provider_rate import ProviderRate

FIRST_REST_S: Final = 60.0
MAX_REST_S: Final = 3600.0


class Credential:
    """`name` is the reference by which the plan names it, "" where a target needs none."""

    __slots__ = ("_refused_s", "_rest_s", "name", "rate", "rests_until_s", "secret", "tripped")

    def __init__(self, name: str, secret: Secret | None, tripped: Tripped) -> None:
        self.tripped = tripped
        self.name = name
        self.secret = secret
        self.rate = ProviderRate()
        self.rests_until_s = 0.0
        self._refused_s = self._rest_s = 0.0

    def refused(self, now_s: float) -> None:
        """The provider does not accept it. Who was sent before it rested says no more."""
        self._refused_s = now_s
        if now_s >= self.rests_until_s:
            self.tripped.refused += not self.rests_until_s
            self._rest_s = min(max(2 * self._rest_s, FIRST_REST_S), MAX_REST_S)
            self.rests_until_s = now_s + self._rest_s

    def accepted(self, sent_s: float = inf) -> None:
        """An answer came to what was sent then. Whoever was refused is told by `rests_until_s`,
        which this ends, but for what was sent before that."""
        if sent_s < self._refused_s:
            return
        self.tripped.refused -= self.rests_until_s > 0
        self.rests_until_s = self._rest_s = 0.0

    def wait_s(self, tokens: int, now_s: float) -> float:
        """Until a request of so many tokens may go with it; 0 is now."""
        return max(self.rests_until_s - now_s, self.rate.wait_s(tokens, now_s))
