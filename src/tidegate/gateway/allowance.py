"""What a caller has left: OpenAI's headers on an answer, and the page `/v1/usage`."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from tidegate.core.limit import Bucket, Moment, Reading, scope_text
from tidegate.core.receipt import Receipt
from tidegate.core.units import NANOUSD_PER_USD
from tidegate.gateway.admit import Past
from tidegate.gateway.holding import Held, moment
from tidegate.gateway.in_force import InForce

_HEADERS = b"".join(
    b"x-ratelimit-%b-%%b: %%b\r\n" % name for name in (b"limit", b"remaining", b"reset")
)
_TOLD = ("requests", "tokens")


class Allowance(Struct):
    """One limit as its caller sees it. Amounts are in `unit`; dollars are exact decimals."""

    limit: str
    kind: str
    scope: str
    unit: str
    used: int | str
    allowed: int | str
    remaining: int | str
    resets_in_s: float


def rate_headers(held: list[Held]) -> bytes:
    """`x-ratelimit-*` of the tightest limit on requests and of the tightest on tokens."""
    found: dict[str, tuple[float, Reading]] = {}
    now: Moment | None = None
    for one in held:
        noun = one.by.kind.noun
        if noun in _TOLD and isinstance(one.by.shape, Bucket):
            now = now or moment()
            reading = one.counters.read(one.hold.scope, 0, now)
            share = (reading.allowed - reading.used) / reading.allowed
            if noun not in found or share < found[noun][0]:
                found[noun] = share, reading
    out = b""
    for noun, (_, reading) in found.items():
        name = noun.encode()
        left = max(reading.allowed - reading.used, 0)
        out += _HEADERS % (
            *(name, b"%d" % reading.allowed),
            *(name, b"%d" % left),
            *(name, duration(reading.reset_s).encode()),
        )
    return out


def duration(seconds: float) -> str:
    """A duration as OpenAI writes it in headers: `120ms`, `8.64s`, `6m0s`, `2h0m30s`."""
    if seconds < 1:
        return f"{max(round(seconds * 1000), 0)}ms"
    if seconds < 60:
        return f"{round(seconds, 3):g}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s"


async def allowances(limits: tuple[InForce, ...], receipt: Receipt, past: Past | None) -> bytes:
    """`{"object": "list", "data": [...]}`: every limit that is this caller's, as it stands."""
    own = []
    for it in limits:
        scope = it.scope_of(receipt) if it.counters is not None and it.applies(receipt) else None
        if scope is not None:
            own.append((it, scope, 0))
    if past is not None:
        await past.learn(own)
    now = moment()
    rows = []
    for it, scope, _ in own:
        assert it.counters is not None  # noqa: S101 - see above
        rows.append(_row(it, scope, it.counters.read(scope, 0, now)))
    return msgspec.json.encode({"object": "list", "data": rows})


def _row(it: InForce, scope: str, reading: Reading) -> Allowance:
    left = max(reading.allowed - reading.used, 0)
    shown: Callable[[int], int | str] = _dollars if it.money else int
    return Allowance(
        it.limit.name,
        it.limit.kind,
        scope_text(it.limit, scope),
        "usd" if it.money else it.kind.noun,
        used=shown(reading.used),
        allowed=shown(reading.allowed),
        remaining=shown(left),
        resets_in_s=round(reading.reset_s, 3),
    )


def _dollars(nanousd: int) -> str:
    whole, rest = divmod(nanousd, NANOUSD_PER_USD)
    return f"{whole}.{rest:09d}"
