"""What is asked of the shared counters, what they answer, and how both are written for Redis."""

from collections.abc import Sequence
from typing import Any, Final, cast
from urllib.parse import quote

from msgspec import Struct

from tidegate.core.limit import Bucket, Calendar, Gauge, Reading, Rolling, Shape
from tidegate.stores.redis_wire import Reply

# Edges of periods, in seconds since 1970 on the gateway's clock: where the last one began, where
# this one does, the next, and where the next ends.
Periods = tuple[int, int, int, int]

NO_PERIODS: Final[Periods] = (0, 0, 0, 0)
LEASE_S: Final = 900.0
# Of a gauge, whose holds are renewed: a gateway that was killed must not keep others out for long.
GAUGE_LEASE_S: Final = 9.0
RENEWED_AFTER: Final = 1 / 3  # of a lease
_TAKEN_WORDS: Final = 5


class Quota:
    """One limit as the shared store keeps it; made once a plan.

    `hard`: nobody passes when its counters cannot be asked. A hold that nobody gives back is free
    again after `lease_s`, which must be longer than a request lasts unless holds are `renewed`, as
    of a gauge.
    `learns`: a counter that is new is asked of only when what was spent before is in it.
    """

    __slots__ = (
        *("allowed", "hard", "key", "learns", "lease_s", "name", "numbers", "renewed", "shape"),
        "slice",
    )

    def __init__(
        self,
        name: str,
        shape: Shape,
        hard: bool = False,
        lease_s: float = LEASE_S,
        learns: bool = False,
    ) -> None:
        self.learns = learns
        self.name = name
        self.shape = shape
        self.renewed = isinstance(shape, Gauge)
        self.hard = hard
        self.lease_s = lease_s
        self.allowed = shape.burst if isinstance(shape, Bucket) else shape.allowed
        self.slice = max(1, self.allowed // 100)
        self.numbers = _numbers(shape)
        self.key = f"{quote(name)}:{self.numbers[0]}"  # a limit made anew in another shape


def _numbers(shape: Shape) -> tuple[str, Sequence[float] | None]:
    """The letter of a shape and its four numbers; a calendar's come with each want."""
    match shape:
        case Bucket(rate_per_s=rate_per_s):
            return "b", (rate_per_s, 0, 0, 0)
        case Rolling(window_s=window_s, bins=bins):
            return "r", (int(window_s * 1e6), bins, 0, 0)
        case Calendar():
            return "c", None
        case Gauge():
            return "g", (0, 0, 0, 0)


class Want(Struct, frozen=True, eq=False):
    """So much of the counter of `scope`. Counters of one `group` (a team) are taken in one step.

    `periods` is for quotas of a calendar. `at_s` is for `seed` alone: when it was spent, in seconds
    since 1970, which a rolling window goes by.
    """

    quota: Quota
    scope: str
    amount: int
    group: str | None = None
    periods: Periods = NO_PERIODS
    at_s: float = 0.0


class Taken(Struct, eq=False):
    """All that was wanted. A ticket is None where nothing counts: what costs nothing, and what a
    soft limit let pass while Redis was away. `at_s` is monotonic."""

    id: str
    wants: Sequence[Want]
    tickets: list[Any]
    at_s: float

    @property
    def readings(self) -> list[Reading | None]:
        """How the counters stand, for each want, with it taken."""
        return [ticket and ticket.reading for ticket in self.tickets]


class Refused(Struct, frozen=True):
    """Nothing was taken: `wants[index]` does not fit."""

    index: int
    reading: Reading


class Unlearnt(Struct, frozen=True):
    """Nothing was taken: the past of the counter of `wants[index]` has to come into it first."""

    index: int


class Away(Struct, frozen=True):
    """Nothing was taken: the counters of `wants[index]`, which is hard, cannot be asked."""

    index: int


def word(value: bytes | str | float) -> bytes:
    """One argument of a command."""
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


def words_of(want: Want, lease_s: float, extra: int = 0, reserve: int = 0) -> bytes:
    """The arguments that say what the counter of a want is: ARGUMENTS in redis_shapes.lua."""
    letter, numbers = want.quota.numbers
    if want.at_s and letter == "r":
        numbers = (*cast(Periods, numbers)[:2], int(want.at_s * 1e6), 0)
    quota, where = want.quota, numbers or want.periods
    values = (quota.allowed, int(lease_s * 1000), extra, reserve, *where, int(quota.learns))
    return word(letter) + b"".join(map(word, values))


def tag_of(group: str | None) -> str:
    """The part of a key that decides where in a cluster it lies."""
    return "{" + ((group or "").replace("{", "").replace("}", "") or "-") + "}"


def keys_of(want: Want, epoch: str) -> bytes:
    """The two keys of its counter, as words of a command."""
    key = f"tidegate:{tag_of(want.group)}:{epoch}:{want.quota.key}:{want.scope}"
    return word(key) + word(key + ":leases")


class Granted(Struct, frozen=True):
    """What one counter answered: `tight` when too little is left for slices."""

    amount: int
    tight: bool
    reading: Reading


def answer(wants: Sequence[Want], reply: Reply) -> list[Granted] | Refused | Unlearnt | None:
    """What redis_take.lua said; None when it does not know the epoch."""
    numbers = cast(list[int], reply)
    if numbers[0] == -1:
        return None
    if numbers[0] == -2:
        return Unlearnt(numbers[1])
    if numbers[0] == 0:
        index = numbers[1]
        return Refused(index, _reading(wants[index], *numbers[2:5]))
    granted = []
    for i, want in enumerate(wants):
        at = 1 + i * _TAKEN_WORDS
        amount, used, reset_us, retry_us, tight = numbers[at : at + _TAKEN_WORDS]
        granted.append(Granted(amount, bool(tight), _reading(want, used, reset_us, retry_us)))
    return granted


def _reading(want: Want, used: int, reset_us: int, retry_us: int) -> Reading:
    reset_s = None if reset_us < 0 else reset_us / 1e6
    retry_s = None if retry_us < 0 else retry_us / 1e6
    return Reading(used, want.quota.allowed, reset_s, retry_s)
