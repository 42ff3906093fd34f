"""Which live answers of a route are graded, and when. Pure: times and money are arguments.

Every arm of a release that has candidates gets the same share of what may be graded, so that a
canary of few requests is judged as often as what it is compared with. Within an arm a hash of the
request's id decides, which knows neither what was said nor when: what is graded of an arm is made
up of prompt versions and models as the arm is, or the two could not be compared.
"""

from collections import Counter, deque
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
MOST_WAITING: Final = 1000  # of an arm, those that would be drawn first
_MINUTES_AN_HOUR: Final = 60


class ServedBy(NamedTuple):
    """Who answered: the arm of a release (None without one), by which it is drawn, prompt version
    and model. Of a kept answer `arm` is the tier, and whether a veto held it back."""

    arm: str | None
    prompt_version: str | None
    model: str | None


class Candidate(NamedTuple):
    """A captured answer; `at_s` is its request's, wall-clock seconds."""

    receipt_id: str
    at_s: float
    served_by: ServedBy


def turn_of(receipt_id: str) -> int:
    """Its place in the order in which an arm's answers are drawn. Another hash than the one by
    which it was captured, so that neither tells of the other."""
    digest = blake2b(receipt_id.encode(), digest_size=8, person=b"quality").digest()
    return int.from_bytes(digest)


class Pool:
    """Candidates of one route. `taken` are known already."""

    def __init__(self, taken: Iterable[Candidate] = ()) -> None:
        self._waiting: dict[str | None, dict[str, tuple[int, Candidate]]] = {}
        self._served: Counter[str | None] = Counter()
        self._taken = {it.receipt_id: it.at_s for it in taken}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, several: Iterable[Candidate]) -> None:
        """Those that are new."""
        for it in several:
            if it.receipt_id not in self._taken:
                arm = it.served_by.arm
                if not self._waiting.get(arm):
                    self._begin(arm)
                self._waiting[arm][it.receipt_id] = turn_of(it.receipt_id), it
        for rows in self._waiting.values():
            if len(rows) > 2 * MOST_WAITING:
                for receipt_id in sorted(rows, key=lambda it: rows[it][0])[MOST_WAITING:]:
                    del rows[receipt_id]

    def take(self, since_s: float) -> Candidate | None:
        """The next one, of a request since; None where there is none. It does not come again,
        unless it is put back."""
        self._forget(since_s)
        waiting = [it for it, rows in self._waiting.items() if rows]
        if not waiting:
            return None
        arm = min(waiting, key=lambda it: (self._served[it], turn_of(repr(it))))
        rows = self._waiting[arm]
        _, one = rows.pop(min(rows, key=lambda it: rows[it][0]))
        self._served[arm] += 1
        self._taken[one.receipt_id] = one.at_s
        return one

    def put_back(self, one: Candidate) -> None:
        """It was not graded after all."""
        self._taken.pop(one.receipt_id, None)
        self.add([one])

    def _begin(self, arm: str | None) -> None:
        """One that had nothing to be graded has no claim on what others got meanwhile."""
        self._waiting.setdefault(arm, {})
        others = [self._served[it] for it, rows in self._waiting.items() if rows]
        self._served[arm] = max(self._served[arm], min(others, default=0))

    def _forget(self, since_s: float) -> None:
        """What is too old."""
        for rows in self._waiting.values():
            for receipt_id in [it for it, (_, one) in rows.items() if one.at_s < since_s]:
                del rows[receipt_id]
        old = [it for it, at_s in self._taken.items() if at_s < since_s]
        for receipt_id in old:
            del self._taken[receipt_id]


class Pace:
    """At most `per_hour` in any hour, spread over it: a bucket of a minute's worth that fills
    evenly. `ages_s` are how long ago it was done in the last hour; `now_s` is a monotonic clock's.
    """

    def __init__(self, per_hour: int, ages_s: Iterable[float], now_s: float) -> None:
        self.per_hour = per_hour
        ages = sorted((min(max(it, 0.0), HOUR_S) for it in ages_s), reverse=True)
        self._at = deque(now_s - it for it in ages)
        self._level = self._burst if not ages else min(self._burst, ages[-1] * self._rate)
        self._filled_s = now_s

    @property
    def _burst(self) -> float:
        return max(1.0, self.per_hour / _MINUTES_AN_HOUR)

    @property
    def _rate(self) -> float:
        return self.per_hour / HOUR_S

    def free(self, now_s: float) -> int:
        """How many may be done now."""
        passed_s = max(0.0, now_s - self._filled_s)
        self._level = min(self._burst, self._level + passed_s * self._rate)
        self._filled_s = max(now_s, self._filled_s)
        while self._at and self._at[0] <= now_s - HOUR_S:
            self._at.popleft()
        # What rounding leaves of a whole one is one.
        return max(0, min(int(self._level + 1e-9), self.per_hour - len(self._at)))

    def took(self, now_s: float) -> None:
        """One is begun."""
        self._level -= 1
        self._at.append(now_s)

    def give_back(self) -> None:
        """One that was begun came to nothing that counts."""
        if self._at:
            self._at.pop()
            self._level += 1


class Purse:
    """What judges of a route may cost in a day (UTC), in nano-dollars. Nothing is begun whose like
    would not fit: as dear as the dearest of the day, and one alone while none is known. What turns
    out dearer than all before it is known only then. `now_s` is the wall clock's."""

    def __init__(self, most: int, spent: int, dearest: int | None, now_s: float) -> None:
        self.most = most
        self.spent = spent
        self.is_unknown = False  # of something nobody knows the cost, and so of the sum
        self._dearest = dearest
        self._held: list[int] = []
        self._day = now_s // DAY_S

    @property
    def used(self) -> float:
        """As a share of what may be spent."""
        return self.spent / self.most

    def may(self, now_s: float) -> bool:
        if now_s // DAY_S > self._day:  # a clock that was set back gives no money again
            self._day, self.spent, self.is_unknown = now_s // DAY_S, 0, False
            # One that was dearer than a whole day would fit into none.
            self._dearest = None
        if self.is_unknown or self.spent >= self.most:
            return False
        if self._dearest is None:
            return not self._held
        return self.spent + sum(self._held) + self._dearest <= self.most

    def hold(self) -> int:
        """What is begun may cost so much."""
        self._held.append(self._dearest or 0)
        return self._held[-1]

    def settle(self, held: int, cost: int | None) -> None:
        """It has ended; None: nobody knows what it cost, and then it is as dear as the dearest."""
        self._held.remove(held)
        cost = self._dearest if cost is None else cost
        if cost is None:
            self.is_unknown = True
            return
        self.spent += cost
        self._dearest = max(self._dearest or 0, cost)
