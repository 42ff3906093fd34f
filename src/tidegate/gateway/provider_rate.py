"""What a provider still allows us, learnt from its answers: asking for more is no use to anybody.

Providers tell in headers how many requests and tokens are left and when all of it is back, and
refuse with 429 and a time to wait. Until that time has come nothing is sent that would be refused.
"""

import re
from collections.abc import Mapping
from typing import Final

from tidegate.core.outcome import Failure

# A header that is wrong, or forged by whoever stands between, must not close a target for long.
MAX_WAIT_S: Final = 60.0
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_HEADERS: Final = (
    (b"x-ratelimit-remaining-requests", b"x-ratelimit-reset-requests"),
    (b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens"),
)
TELLING: Final = frozenset(name for name, _ in _HEADERS)
_MAX_DIGITS = 15


class ProviderRate:
    """What is known of one target's allowance. Times are monotonic seconds."""

    __slots__ = ("_closed_until_s", "_left", "_reset_s", "known")

    def __init__(self) -> None:
        self.known = False
        self._closed_until_s = 0.0
        self._left: list[int | None] = [None, None]
        self._reset_s = [0.0, 0.0]

    def check(self, tokens: int, now_s: float) -> None:
        """Takes a request of so many tokens. Failure (`rate_limited`) when it would be refused."""
        if now_s < self._closed_until_s:
            raise _no(self._closed_until_s - now_s)
        for index, amount in enumerate((1, tokens)):
            left = self._left[index]
            if left is None:
                continue
            if now_s >= self._reset_s[index]:
                self._left[index] = None
            elif left < amount:
                raise _no(self._reset_s[index] - now_s)
        for index, amount in enumerate((1, tokens)):
            left = self._left[index]
            if left is not None:
                self._left[index] = left - amount

    def learn(self, headers: Mapping[bytes, bytes], now_s: float) -> None:
        """Reads what an answer's head says is left. What cannot be read changes nothing."""
        for index, (remaining, reset) in enumerate(_HEADERS):
            left = headers.get(remaining)
            if left is None or not left.isdigit() or len(left) > _MAX_DIGITS:
                continue
            wait_s = seconds(headers.get(reset, b"").decode("latin-1"))
            if wait_s is not None:
                self.known = True
                self._left[index] = int(left)
                self._reset_s[index] = now_s + min(wait_s, MAX_WAIT_S)

    def refused(self, retry_after_s: float | None, now_s: float) -> None:
        """The provider has said 429; without a time of its own it is asked again at once."""
        if retry_after_s is not None:
            self.known = True
            until_s = now_s + min(retry_after_s, MAX_WAIT_S)
            self._closed_until_s = max(self._closed_until_s, until_s)


def seconds(text: str) -> float | None:
    """A duration as OpenAI writes it (`6m0s`, `120ms`), or plain seconds; None for other text."""
    if text.replace(".", "", 1).isdigit() and len(text) <= _MAX_DIGITS:
        return float(text)
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))


def _no(wait_s: float) -> Failure:
    return Failure(
        "rate_limited",
        "upstream_rate_limited",
        "the provider allows no more for now",
        retry_after_s=wait_s,
    )
