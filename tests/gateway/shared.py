"""Limits bound to shared counters, in front of a store that a test writes."""

from collections.abc import Sequence
from typing import Any

from tidegate.core import plugs
from tidegate.core.database_ref import CounterStore
from tidegate.core.limit import Reading
from tidegate.core.plan import Limit
from tidegate.gateway.in_force import InForce
from tidegate.gateway.shared_limit import SharedLimit
from tidegate.gateway.shared_store import SharedStore
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_address import RedisAddress
from tidegate.stores.redis_wants import Taken, Want

NOBODY = RedisAddress(path="/nowhere/redis.sock")
LEASE_S = 900.0


class FakeCounters:
    """Answers in turn with `answers`, then takes everything. `away` fails readings."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, list[Want]]] = []
        self.given: list[tuple[Taken, list[int]]] = []
        self.away = False

    async def take(self, id: str, wants: Sequence[Want]) -> Any:
        self.asked.append((id, list(wants)))
        if self.answers:
            return self.answers.pop(0)
        return Taken(id, wants, [None] * len(wants), 0.0)

    def hold(self, id: str, wants: Sequence[Want]) -> Taken:
        self.asked.append((id, list(wants)))
        return Taken(id, wants, [None] * len(wants), 0.0)

    def spent(self, id: str, want: Want, amount: int) -> None:
        self.given.append((Taken(id, [want], [None], 0.0), [amount]))

    async def tell(self) -> None:
        """What is given is told at once."""

    def give_back(self, taken: Taken, used: Sequence[int]) -> None:
        self.given.append((taken, list(used)))

    def wall_s(self) -> float:
        return 1.5e9

    async def read(self, wants: Sequence[Want]) -> list[Reading]:
        if self.away:
            raise StoreUnavailable("away")
        return [Reading(3, want.quota.allowed, 1.0) for want in wants]


class NothingSpent:
    """A ledger that is empty; it remembers who was asked about."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def rows(self, limits: Any, wall_s: float) -> list[Want]:
        self.asked.append(limits)
        return []

    async def amounts(self, of: Sequence[tuple[Any, str]]) -> list[list[tuple[float, int]]]:
        self.asked += of
        return [[] for _ in of]


def store_of(counters: Any = None) -> SharedStore:
    made = SharedStore(NOBODY, "g", (CounterStore(), ""), NothingSpent())
    if counters is not None:
        made.counters = counters
    return made


def in_force(limit: Limit, store: SharedStore | None = None, lease_s: float = LEASE_S) -> InForce:
    shared = SharedLimit(limit, limit.name, store or store_of(), lease_s)
    return InForce(limit, plugs.load("limits", limit.kind), None, shared)
