"""OpenAI's rate headers of limits that several gateways count together: from the store's own
answer to what the request has taken, so that nobody is asked again."""

from typing import Final

from tidegate.core.limit import Bucket, Reading, Rolling
from tidegate.gateway.allowance import duration
from tidegate.gateway.gate import Gate
from tidegate.gateway.in_force import InForce
from tidegate.gateway.shared_hold import SharedHold

_NOUNS: Final = ("requests", "tokens")
_HEADERS: Final = (
    "x-ratelimit-limit-{0}: {1}\r\nx-ratelimit-remaining-{0}: {2}\r\nx-ratelimit-reset-{0}: {3}\r\n"
)

# Whether it flows back evenly, the part of it that is left, and how it stands.
Told = tuple[bool, float, Reading]


def shared_rate_headers(holds: list[SharedHold], gate: Gate) -> bytes:
    """`x-ratelimit-*` of the tightest of the gate's limits on requests, and on tokens; of those
    that flow back evenly where there are any, as in memory."""
    by_noun: dict[str, list[Told]] = {}
    for hold in holds:
        for (it, _), reading in zip(hold.of, hold.taken.readings, strict=True):
            if reading is not None and it in gate.shared and _is_told(it):
                left = (reading.allowed - reading.used) / reading.allowed
                told = isinstance(it.shape, Bucket), left, reading
                by_noun.setdefault(it.kind.noun, []).append(told)
    return "".join(_of(noun, by_noun[noun]) for noun in _NOUNS if noun in by_noun).encode()


def _is_told(it: InForce) -> bool:
    shape = it.shape
    rolls = isinstance(shape, Rolling) and not shape.wall
    return it.kind.noun in _NOUNS and not it.alerts and (rolls or isinstance(shape, Bucket))


def _of(noun: str, told: list[Told]) -> str:
    of_noun = [one for one in told if one[0]] or told
    _, _, reading = min(of_noun, key=lambda one: one[1])
    left = max(reading.allowed - reading.used, 0)
    return _HEADERS.format(noun, reading.allowed, left, duration(reading.reset_s or 0.0).decode())
