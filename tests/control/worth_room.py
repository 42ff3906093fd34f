"""A control whose route keeps answers, with what they came to, and a clock set by hand."""

import pytest
from sqlalchemy import Engine
from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.core import clock
from tidegate.core.cache_worth import BLOCK_S, SUMS, CacheBin, CacheKey, CacheSums
from tidegate.core.change import Change
from tidegate.stats.histogram import bucket_of
from tidegate.stores import cache_sums, changes, database

PLAN = """\
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
targets:
  small: {provider: mine, model: small, price: free}
routes:
  faq: {target: small, cache: {exact: {ttl: 10m}, worth: {mode: act, usd_per_s: 0.0001}}}
  chat: small
"""
WARM_S = 600.0


class Hands:
    """The wall clock, and what comes into it. It begins with a whole hour."""

    def __init__(self, room: Room, engine: Engine, patch: pytest.MonkeyPatch) -> None:
        self.room = room
        self.engine = engine
        self.now_s = (clock.wall_s() // 3600 + 1) * 3600
        patch.setattr(clock, "wall_s", lambda: self.now_s)
        self.plan(PLAN)

    def plan(self, text: str) -> None:
        self.room.plan_file.write_text(text)
        answer = self.room.ask("POST", "/api/plan/reload")
        assert answer.status_code == 200, answer.text

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds

    def tick(self) -> dict[str, float]:
        """What is held after it."""
        rooms.tick(self.room)
        return {it.lever: it.value for it in self.in_force()}

    def in_force(self) -> list[Change]:
        with database.reading(self.engine) as connection:
            return changes.in_force(connection, self.now_s)

    def serve(self, one: CacheSums, blocks: int = 72, team: str = "") -> None:
        """So many blocks of it, until now."""
        first_s = int(self.now_s // BLOCK_S * BLOCK_S)
        bins = {}
        for number in range(blocks):
            sums = [getattr(one, name) for name in SUMS]
            sums[SUMS.index("saved_us")] += number % 7 * one.saved_us // 50
            key = CacheKey(first_s + number * BLOCK_S, "faq", "exact", team)
            bins[key] = CacheBin(sums, {bucket_of(0.001): 1}, {bucket_of(0.013): 1})
        with database.writing(self.engine) as connection:
            cache_sums.add(connection, "", bins)
        self.pass_s(blocks * BLOCK_S + 120.0)
