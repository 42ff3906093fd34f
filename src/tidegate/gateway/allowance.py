"""What a caller has left: OpenAI's headers on an answer, and the page `/v1/usage`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.core import clock
from tidegate.core.limit import TARGET_DIMENSIONS, Reading, scope_text
from tidegate.core.receipt import Receipt
from tidegate.core.units import NANOUSD_PER_USD
from tidegate.gateway.admit import Past
from tidegate.gateway.call import note_target
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.shared_hold import read_shared

MAX_SHOWN: Final = 1000
_SHARED_AT_ONCE: Final = 100
_BY_ROUTE: Final = frozenset({"route", *TARGET_DIMENSIONS})

# By their names.
Routes = Sequence[tuple[str, PreparedRoute]]


class Allowance(Struct):
    """One limit as its caller sees it. Amounts are in `unit`; dollars are exact decimals.
    `resets_in_s` None: never, or nobody knows."""

    limit: str
    kind: str
    scope: str
    unit: str
    used: int | str
    allowed: int | str
    remaining: int | str
    resets_in_s: float | None


def rate_headers(gate: Gate, receipt: Receipt) -> bytes:
    """`x-ratelimit-*` of the tightest limit on requests and of the tightest on tokens."""
    out = b""
    now_s = clock.monotonic_s()
    for rates in gate.told:
        least_share, least_left, tightest, of = 2.0, 0.0, None, ""
        for rate in rates:
            _, it, scope, left_of, most, _, _, _ = rate
            if scope is None:
                scope = gate.wanted(it, receipt)
                if scope is None:
                    continue
            left = left_of(scope, now_s)
            share = left / most
            if share < least_share:
                least_share, least_left, tightest, of = share, left, rate, scope
        if tightest is not None:
            _, it, _, _, most, per_s, told, resets = tightest
            reset_s = (most - least_left) / per_s if per_s else _reset_s(it, of)
            left = least_left if least_left > 0 else 0
            out += b"%b%d%b%b\r\n" % (told, left, resets, duration(reset_s))
    return out


def _reset_s(it: InForce, scope: str) -> float:
    if it.counters is None:
        return 0.0
    return it.counters.read(scope, 0, moment()).reset_s or 0.0


def duration(seconds: float) -> bytes:
    """A duration as OpenAI writes it in headers: `120ms`, `8.64s`, `6m0s`, `2h0m30s`."""
    if seconds < 1:
        return b"%dms" % (seconds * 1000 + 0.5) if seconds > 0 else b"0ms"
    if seconds < 60:
        return b"%bs" % f"{round(seconds, 3):g}".encode()
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return b"%dh%dm%ds" % (hours, minutes, rest) if hours else b"%dm%ds" % (minutes, rest)


async def allowances(
    limits: tuple[InForce, ...], receipt: Receipt, routes: Routes, past: Past | None
) -> bytes:
    """`{"object": "list", "data": [...], "has_more": false}`: every counter that would count a
    request like this one on any of these routes, once, as it stands; `MAX_SHOWN` at most."""
    places = await _places(limits, receipt, routes)
    shown = list(places)[:MAX_SHOWN]
    own = [(it, scope, 0) for it, scope in shown if it.shared is None]
    shared = [(it, scope) for it, scope in shown if it.shared is not None]
    if past is not None:
        await past.learn(own)
    now = moment()
    rows = []
    for it, scope, _ in own:
        assert it.counters is not None  # noqa: S101 - see `_places`
        rows.append(_row(it, scope, it.counters.read(scope, 0, now)))
    for first in range(0, len(shared), _SHARED_AT_ONCE):
        some = shared[first : first + _SHARED_AT_ONCE]
        standing = await read_shared(some, receipt)
        rows += [_row(it, scope, one) for (it, scope), one in zip(some, standing, strict=True)]
    more = len(places) > len(shown)
    return msgspec.json.encode({"object": "list", "data": rows, "has_more": more})


async def _places(
    limits: tuple[InForce, ...], receipt: Receipt, routes: Routes
) -> dict[tuple[InForce, str], None]:
    """Each limit that counts, with the scopes that it would count in; those that are the same on
    every route first. One more than are shown."""
    places: dict[tuple[InForce, str], None] = {}
    by_route = []
    for it in limits:
        if it.counters is None and it.shared is None:
            continue
        if _BY_ROUTE.isdisjoint((*it.limit.scope, *(name for name, _ in it.limit.only))):
            _add(places, it, receipt)
        else:
            by_route.append(it)
    for it in by_route:
        for name, route in routes:
            receipt.route = name
            note_target(receipt, route.target)
            _add(places, it, receipt)
            if len(places) > MAX_SHOWN:
                return places
        await asyncio.sleep(0)  # there may be a thousand routes: others have their turn
    return places


def _add(places: dict[tuple[InForce, str], None], it: InForce, receipt: Receipt) -> None:
    scope = it.scope_of(receipt) if it.applies(receipt) else None
    if scope is not None:
        places[it, scope] = None


def _row(it: InForce, scope: str, reading: Reading) -> Allowance:
    shown: Callable[[int], int | str] = _dollars if it.money else int
    never = it.limit.unit == "lifetime"
    return Allowance(
        it.limit.name,
        it.limit.kind,
        scope_text(it.limit, scope),
        "usd" if it.money else it.kind.noun,
        used=shown(reading.used),
        allowed=shown(reading.allowed),
        remaining=shown(max(reading.allowed - reading.used, 0)),
        resets_in_s=None if never or reading.reset_s is None else round(reading.reset_s, 3),
    )


def _dollars(nanousd: int) -> str:
    whole, rest = divmod(nanousd, NANOUSD_PER_USD)
    return f"{whole}.{rest:09d}"
