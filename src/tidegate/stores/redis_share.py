"""What one gateway has of one counter, in lots: what is in hand, what requests hold, what was used.

A lot is one hold in Redis. It is granted once and only becomes smaller, so what Redis is told of
it can be told again. Requests spend the current lot of a share; others only wait for their
requests to end. Pure: nothing here waits or reads a clock.
"""

from typing import Final

from tidegate.core.limit import Bucket, Gauge, Reading
from tidegate.stores.redis_settling import Return
from tidegate.stores.redis_wants import RENEWED_AFTER, Granted, Want

IDLE_S: Final = 10.0
_OF_LEASE: Final = 0.8  # how much of a lease is relied on, so that Redis never ends it before us


class Share:
    """All lots of one counter. `asking` is how many requests wait for Redis, `known` what it said
    last, `tight` that too little is left for slices."""

    __slots__ = ("asking", "current", "known", "last_s", "reset_s", "tight")

    def __init__(self) -> None:
        self.current: Lot | None = None
        self.asking = self.known = 0
        self.last_s = 0.0
        self.reset_s: float | None = 0.0
        self.tight = False


class Lot:
    """`told` is its size as Redis has it, `used` what Redis has not heard of. What is in hand
    beyond `much` is not to wait for a tick."""

    __slots__ = (
        *("good_until_s", "held", "id", "in_hand", "much", "seq", "share", "syncing", "told"),
        *("told_s", "used", "want"),
    )

    def __init__(self, id: str, share: Share, want: Want, granted: Granted, sent_s: float) -> None:
        """What is more than `want` needs is in hand."""
        self.id = id
        self.share = share
        self.want = want
        self.held = want.amount
        self.in_hand = granted.amount - want.amount
        self.much = 2 * want.quota.slice
        self.told = granted.amount
        self.used = self.seq = 0
        self.syncing = False
        share.tight = granted.tight
        share.known, share.reset_s = granted.reading.used, granted.reading.reset_s
        self.told_s = self.good_until_s = 0.0
        self._lease(sent_s)

    @property
    def size(self) -> int:
        return self.held + self.in_hand + self.used

    @property
    def reading(self) -> Reading:
        """The counter as Redis told it last, less what is still in hand here."""
        share = self.share
        current = share.current
        in_hand = 0 if current is None else current.in_hand
        return Reading(max(0, share.known - in_hand), self.want.quota.allowed, share.reset_s)

    def spend(self, want: Want, now_s: float) -> bool:
        """Takes it from what is in hand; False when that is too little or of another period."""
        amount = want.amount
        if self.in_hand < amount or now_s >= self.good_until_s:
            return False
        mine = self.want
        if want.periods != mine.periods or want.quota is not mine.quota:
            return False
        self.in_hand -= amount
        self.held += amount
        self.share.last_s = now_s
        return True

    def release(self, amount: int) -> None:
        """What was held and never used."""
        self.held -= amount
        self.in_hand += amount

    def give_back(self, amount: int, used: int, age_s: float) -> None:
        """What was held becomes what was used, and the rest is in hand again."""
        self.held -= amount
        shape = self.want.quota.shape
        over = amount - used
        if isinstance(shape, Gauge):
            used, over = 0, amount
        elif over > 0 and isinstance(shape, Bucket):  # it has been filling up all the while
            over = max(0, over - int(shape.rate_per_s * age_s))
            used = amount - over
        self.used += used
        self.in_hand = max(0, self.in_hand + over)

    def trim(self, now_s: float) -> None:
        """Lets go of what is not to stay in hand."""
        share = self.share
        idle = now_s - share.last_s > min(IDLE_S, self.want.quota.lease_s * RENEWED_AFTER)
        if share.current is self and (idle or share.tight or now_s >= self.good_until_s):
            share.current = None
        keep = self.want.quota.slice if share.current is self else 0
        self.in_hand = min(self.in_hand, keep)

    def due(self, now_s: float, reserve: int) -> Return | None:
        """What Redis is to be told now: something has changed, or the lease needs renewing.

        `reserve` is what must be left of the limit for slices to be taken."""
        if self.syncing:
            return None
        renew = self.size > 0 and now_s > self.told_s + self.want.quota.lease_s * RENEWED_AFTER
        if self.size == self.told and not self.used and not renew:
            return None
        self.syncing = True
        self.told = self.held + self.in_hand
        self.told_s = now_s
        used, self.used = self.used, 0
        if not self.told:  # the end: nobody will hear of this lot again
            return Return(self.want, self.id, used, lot=self, reserve=reserve)
        self.seq += 1
        return Return(self.want, self.id, used, self.told, True, self.seq, self, reserve)

    @property
    def over(self) -> bool:
        return not (self.size or self.told or self.syncing)

    def arrived(self, tight: bool) -> None:
        self.syncing = False
        self.share.tight = tight
        self._lease(self.told_s)

    def forget(self) -> None:
        """Redis has lost it: what is in hand is worth nothing, and the rest is told anew, or is
        being told."""
        self.in_hand = 0
        if not self.syncing:
            self.told = 0
        self.share.current = None

    def _lease(self, sent_s: float) -> None:
        self.told_s = sent_s
        self.good_until_s = sent_s + _OF_LEASE * self.want.quota.lease_s
