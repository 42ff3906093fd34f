"""What counters must do, said as plainly as it can be: every amount remembered for ever."""

from fractions import Fraction

from tidegate.core.limit import Bucket, Calendar, Gauge, Moment, Rolling, Shape

HOUR_S = 3600


class Taken:
    """One amount: of which scope, when it was taken, and what it counts now."""

    def __init__(self, scope: str, amount: int, at: Fraction) -> None:
        self.scope, self.amount, self.at = scope, amount, at
        self.ended = False


class Model:
    """One shape's counters. Times are whole eighths of a second, so fractions are exact."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.taken: list[Taken] = []
        self.level: dict[str, tuple[Fraction, Fraction]] = {}  # of buckets: used, as of when
        self.ahead: Fraction | None = None
        self.latest_hour = -(10**12)

    @property
    def allowed(self) -> int:
        return self.shape.burst if isinstance(self.shape, Bucket) else self.shape.allowed

    def at(self, now: Moment) -> Fraction:
        """The time that this shape goes by."""
        match self.shape:
            case Calendar():
                self.latest_hour = max(self.latest_hour, int(now.wall_s // HOUR_S))
                return Fraction(self.latest_hour)
            case Rolling(wall=True):
                if self.ahead is None:
                    self.ahead = Fraction(now.wall_s) - Fraction(now.monotonic_s)
                return Fraction(now.monotonic_s) + self.ahead
        return Fraction(now.monotonic_s)

    def used(self, scope: str, now: Moment) -> Fraction:
        at = self.at(now)
        if isinstance(self.shape, Bucket):
            used, since = self.level.get(scope, (Fraction(0), at))
            return max(Fraction(0), used - (at - since) * Fraction(self.shape.rate_per_s))
        mine = (it for it in self.taken if it.scope == scope and self.counts(it, at))
        return Fraction(sum(it.amount for it in mine))

    def counts(self, it: Taken, at: Fraction) -> bool:
        match self.shape:
            case Rolling(window_s=window_s, bins=bins):
                width = Fraction(window_s) / bins
                return at // width - it.at // width <= bins
            case Gauge(lease_s=lease_s):
                return not it.ended and at < it.at + Fraction(lease_s)
        return it.at == at

    def take(self, scope: str, amount: int, now: Moment) -> Taken | None:
        used = self.used(scope, now)
        if amount and used + amount > self.allowed:
            return None
        self.taken.append(Taken(scope, amount, self.at(now)))
        self.level[scope] = used + amount, self.at(now)
        return self.taken[-1]

    def give_back(self, it: Taken, used: int, now: Moment) -> None:
        level = self.used(it.scope, now) + used - it.amount
        self.level[it.scope] = max(Fraction(0), level), self.at(now)
        it.amount, it.ended = used, True

    def renew(self, it: Taken, now: Moment) -> None:
        """A gauge's lease begins again."""
        it.at = self.at(now)
