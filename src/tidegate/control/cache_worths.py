"""The loop's eyes for caches: what each tier of each route has come to since its evidence began.

Blocks of five minutes are judged once they are over and stored; between two of them only what is
held is proposed again. A few routes are looked at in a tick, so that none takes long.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Raw
from sqlalchemy import Connection

from tidegate.control import cache_quality
from tidegate.control.moment import Moment
from tidegate.control.observe import Seen
from tidegate.controllers import cache_worth
from tidegate.controllers.cache_worth import (
    Memory,
    TierSeen,
    View,
    holds,
    judged_since_of,
    read_memory,
)
from tidegate.core.cache_worth import BLOCK_S, CacheSums
from tidegate.core.controller import Controller
from tidegate.core.declared import Declared
from tidegate.core.declared_cache import DeclaredCache
from tidegate.stores import cache_sums
from tidegate.stores.cache_sums import HOUR_S, SPANS_S

# Receipts of a block that is over are stored by then, unless something is wrong.
_LATE_S: Final = 60.0
MOST_A_TICK: Final = 20
_MOST_WARM_S: Final = 3600.0
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(View).decode
# Evidence of a longer time is read by the hour.
_FINE_S: Final = 12 * 3600.0
_Blocks = Mapping[tuple[str, str], list[CacheSums]]


class CacheWorths:
    """Every route that keeps answers and wants to know whether that pays, or of which something is
    still held."""

    controller: Controller = cache_worth.plug

    def __init__(self, declared: Callable[[], Declared]) -> None:
        self._declared = declared
        self._looked: dict[str, int] = {}

    def observe(
        self, connection: Connection, moment: Moment, memories: Mapping[str, Raw]
    ) -> Iterator[Seen]:
        known = {route: read_memory(memory) for route, memory in memories.items()}
        routes = {
            name: one.cache
            for name, one in self._declared().routes.items()
            if one.cache is not None and one.cache.worth.mode != "off"
        }
        block = int((moment.now_s - _LATE_S) // BLOCK_S)
        due = [name for name in routes if self._looked.get(name) != block]
        due = sorted(due, key=lambda name: self._looked.get(name, 0))[:MOST_A_TICK]
        yield from self._due(connection, moment.now_s, {it: routes[it] for it in due}, known)
        self._looked = {name: at for name, at in self._looked.items() if name in routes}
        self._looked |= dict.fromkeys(due, block)
        for name, memory in known.items():
            if name in due or not (holds(memory) or (name not in routes and memory.tiers)):
                continue
            yield Seen(name, _view(name, moment.now_s, routes.get(name), memory))

    def kept(self, view: View) -> bytes:
        return _encode(view)

    def refilled(self, connection: Connection, kept: bytes, memory: Raw) -> View:
        return _decode(kept)

    def note(
        self, connection: Connection, subject: str, decision: int, memories: tuple[Raw, Raw]
    ) -> None:
        """Everything that people may want to know of it was told."""

    def refused(self, connection: Connection, subject: str, why: str, at_s: float) -> None:
        """Nothing that it proposes asks anything of the plan."""

    def _due(
        self,
        connection: Connection,
        now_s: float,
        due: Mapping[str, DeclaredCache],
        known: Mapping[str, Memory],
    ) -> Iterator[Seen]:
        memories = {name: known.get(name, Memory()) for name in due}
        places = {
            (name, tier): place.since_s
            for name, one in memories.items()
            for tier, place in one.tiers.items()
            if place.state != "off"
        }
        blocks: dict[tuple[str, str], list[CacheSums]] = {}
        for span_s in SPANS_S:
            of = {it: since for it, since in places.items() if _span_s(now_s - since) == span_s}
            if of:
                upto_s, names = now_s - _LATE_S, {name for name, _ in of}
                found = cache_sums.blocks_since(connection, span_s, min(of.values()), upto_s, names)
                for it, since_s in of.items():
                    blocks[it] = [one for start_s, one in found.get(it, ()) if start_s >= since_s]
        for name, cache in due.items():
            view = _view(name, now_s, cache, memories[name], blocks)
            judged_s = [at for one in view.tiers if (at := _judged_s(memories[name], one))]
            if judged_s:
                view = cache_quality.added_to(connection, view, min(judged_s))
            yield Seen(name, view)


def _judged_s(memory: Memory, seen: TierSeen) -> float | None:
    return judged_since_of(memory, seen.tier) if seen.blocks else None


def _view(
    name: str,
    now_s: float,
    cache: DeclaredCache | None,
    memory: Memory,
    blocks: _Blocks = {},  # noqa: B006 - never written to
) -> View:
    """One that is not judged any more has no tiers."""
    if cache is None:
        return View(name, now_s, DeclaredCache().worth.worth())
    tiers = []
    for tier, bounds in cache.cache().tiers():
        if tier == "semantic" and cache.semantic is not None and cache.semantic.mode == "shadow":
            continue  # it gives nothing yet
        seen = tuple(blocks.get((name, tier), ()))
        tiers.append(TierSeen(tier, min(bounds.ttl_s, _MOST_WARM_S), seen))
    return View(name, now_s, cache.worth.worth(), tuple(tiers))


def _span_s(lasted_s: float) -> int:
    return BLOCK_S if lasted_s <= _FINE_S else HOUR_S
