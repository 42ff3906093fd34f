"""What a provider still allows us, learnt from its answers: asking for more is no use to anybody.

Providers tell in headers how many requests and tokens are left, of how many, and when all of it is
back, and refuse with 429 and a time to wait. What is left flows back evenly until then. Nothing is
sent that would be refused; one that takes its windows otherwise says so with its next 429. After a
429 without a time it is left alone for a second, and twice as long after each that follows it.
"""

import re
from collections.abc import Mapping
from math import inf
from typing import Final

from tidegate.core.outcome import Failure

# A header that is wrong, or forged by whoever stands between, must not close a target for long.
MAX_WAIT_S: Final = 60.0
FIRST_BACKOFF_S: Final = 1.0
MAX_BACKOFF_S: Final = 30.0
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_HEADERS: Final = tuple(
    tuple(f"x-ratelimit-{what}-{noun}".encode() for what in ("remaining", "reset", "limit"))
    for noun in ("requests", "tokens")
)
TELLING: Final = frozenset(names[0] for names in _HEADERS)
_MAX_DIGITS = 15
_SLACK = 1e-6  # of one request or token, which binary fractions may miss


class _Allowance:
    """What is left of one kind, as of a moment, and how fast it comes back until `_reset_s`."""

    __slots__ = ("_as_of_s", "_left", "_most", "_per_s", "_reset_s")

    def __init__(self) -> None:
        self._reset_s = 0.0

    def learn(self, left: int, wait_s: float, most: int | None, now_s: float) -> None:
        self._left = float(left)
        self._as_of_s = now_s
        self._reset_s = now_s + min(wait_s, MAX_WAIT_S)
        self._most = inf if most is None else most
        self._per_s = max(most - left, 0) / wait_s if most is not None and wait_s > 0 else 0.0

    def wait_s(self, amount: int, now_s: float) -> float:
        """Until so much is there; 0 when it is now, or never would be: then the provider says."""
        if now_s >= self._reset_s or amount > self._most:
            return 0.0
        self._left += (now_s - self._as_of_s) * self._per_s
        self._as_of_s = now_s
        short = amount - self._left
        if short <= _SLACK:
            return 0.0
        back_s = short / self._per_s if self._per_s > 0 else inf
        return min(back_s, self._reset_s - now_s)

    def take(self, amount: int, now_s: float) -> None:
        if now_s < self._reset_s:
            self._left -= amount


class ProviderRate:
    """What is known of one target's allowance. Times are monotonic seconds.

    `backoff_s` is how long it was left alone after the last 429 that told no time; whoever gets an
    answer sets it to 0.
    """

    __slots__ = ("_closed_until_s", "_requests", "_tokens", "backoff_s", "known")

    def __init__(self) -> None:
        self.known = False
        self.backoff_s = 0.0
        self._closed_until_s = 0.0
        self._requests, self._tokens = _Allowance(), _Allowance()

    def check(self, tokens: int, now_s: float) -> None:
        """Takes a request of so many tokens. Failure (`rate_limited`) when it would be refused."""
        wait_s = self.wait_s(tokens, now_s)
        if wait_s > 0:
            raise no_allowance(wait_s)
        self._requests.take(1, now_s)
        self._tokens.take(tokens, now_s)

    def wait_s(self, tokens: int, now_s: float) -> float:
        """Until a request of so many tokens would not be refused; 0 is now."""
        if not self.known:
            return 0.0
        return max(
            self._closed_until_s - now_s,
            self._requests.wait_s(1, now_s),
            self._tokens.wait_s(tokens, now_s),
            0.0,
        )

    def learn(self, headers: Mapping[bytes, bytes], now_s: float) -> None:
        """Reads what an answer's head says is left. What cannot be read changes nothing."""
        for it, names in zip((self._requests, self._tokens), _HEADERS, strict=True):
            remaining, reset, limit = (headers.get(name, b"") for name in names)
            left, wait_s = _count(remaining), seconds(reset.decode("latin-1"))
            if left is not None and wait_s is not None:
                self.known = True
                it.learn(left, wait_s, _count(limit), now_s)

    def refused(self, retry_after_s: float | None, now_s: float) -> None:
        """The provider has said 429. One that was sent before the last 429 came says no more."""
        self.known = True
        if retry_after_s is not None:
            wait_s = min(retry_after_s, MAX_WAIT_S)
        elif now_s < self._closed_until_s:
            return
        else:
            wait_s = min(max(2 * self.backoff_s, FIRST_BACKOFF_S), MAX_BACKOFF_S)
            self.backoff_s = wait_s
        self._closed_until_s = max(self._closed_until_s, now_s + wait_s)


def _count(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) <= _MAX_DIGITS else None


def seconds(text: str) -> float | None:
    """A duration as OpenAI writes it (`6m0s`, `120ms`), or plain seconds; None for other text."""
    if text.replace(".", "", 1).isdigit() and len(text) <= _MAX_DIGITS:
        return float(text)
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))


def no_allowance(wait_s: float) -> Failure:
    """The no of a target that takes no more for so long."""
    return Failure(
        "rate_limited",
        "upstream_rate_limited",
        "the provider allows no more for now",
        retry_after_s=wait_s,
    )
