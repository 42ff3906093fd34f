"""Looks at how often something goes wrong, summed up so that a lasting change is found soon and
chance seldom is (Page 1954, "Continuous inspection schemes").

Each look has so many trials, each bad with the same chance. What is above the reference adds up,
what is below takes away down to nothing, and at the limit there is an alarm. Run lengths are
computed, not simulated: the sum moves on a lattice of `_STEP`, which is a Markov chain (Brook and
Evans 1972, "An approach to the probability distribution of CUSUM run length").
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from math import ceil, exp, inf, lgamma, log
from typing import Final

from msgspec import Struct

_STEP: Final = 0.25
_SMALLEST: Final = 1e-15
# Below so little that is left, or once each look takes the same share, nothing new comes.
_OVER: Final = 1e-12
_MOST_LOOKS: Final = 10_000


class Cusum(Struct, frozen=True):
    """`reference`: bad trials of each that are neither good nor bad news. `limit`: the sum of bad
    trials beyond it at which there is an alarm."""

    reference: float
    limit: float

    def after(self, sum_before: float, bad: int, trials: int) -> float:
        """The sum after a look. One without a trial changes nothing."""
        return max(0.0, sum_before + bad - self.reference * trials)

    def is_over(self, sum_now: float) -> bool:
        return sum_now >= self.limit


def designed(
    before: float, after: float, trials: int, looks: int, most_chance: float = 0.05
) -> Cusum:
    """The one that soonest finds a change of the chance from `before` to `after` (Moustakides 1986)
    of those that give a false alarm in `looks` looks with a chance of at most `most_chance`.

    0 < before < after < 1. ValueError.
    """
    if not 0 < before < after < 1:
        raise ValueError(f"{before} and {after} are no chances of which the second is the greater")
    odds = log(after * (1 - before) / (before * (1 - after)))
    exact = trials * log((1 - before) / (1 - after)) / odds
    reference = max(_STEP, round(exact / _STEP) * _STEP)
    low, high = 0, ceil(trials / _STEP)
    while high - low > 1:
        middle = (low + high) // 2
        one = Cusum(reference / trials, middle * _STEP)
        found = alarm_chance(one, before, trials, looks)
        low, high = (low, middle) if found <= most_chance else (middle, high)
    return Cusum(reference / trials, high * _STEP)


def alarm_chance(cusum: Cusum, chance: float, trials: int, looks: int) -> float:
    """That there is an alarm within so many looks."""
    *_, left = islice(_survival(cusum, chance, trials), looks)
    return 1.0 - left


def median_looks(cusum: Cusum, chance: float, trials: int) -> int | None:
    """Until there is an alarm, in half of all cases; None where that is beyond _MOST_LOOKS."""
    for number, left in enumerate(_survival(cusum, chance, trials), 1):
        if left <= 0.5:
            return number
    return None


def mean_looks(cusum: Cusum, chance: float, trials: int) -> float:
    """Until there is an alarm: the average run length. Infinite where none can be told to come."""
    total, before, ratio = 1.0, 1.0, 0.0
    settled = _states(cusum)  # no sooner is every sum as likely as it stays
    for number, left in enumerate(_survival(cusum, chance, trials), 1):
        now = left / before
        total += left
        if left < _OVER or (number > settled and abs(now - ratio) < _OVER):
            return total + left * now / (1 - now) if now < 1 else inf
        before, ratio = left, now
    return inf


def _survival(cusum: Cusum, chance: float, trials: int) -> Iterator[float]:
    """The chance that there was no alarm yet, after the first look, the second and so on."""
    moves = _moves(cusum, chance, trials)
    at = [1.0, *(0.0 for _ in range(_states(cusum) - 1))]
    for _ in range(_MOST_LOOKS):
        at = _moved(at, moves)
        yield sum(at)


def _states(cusum: Cusum) -> int:
    """How many sums there are without an alarm."""
    return max(1, round(cusum.limit / _STEP))


def _moves(cusum: Cusum, chance: float, trials: int) -> list[tuple[int, float]]:
    """By how many steps a look moves the sum, and how likely that is."""
    down = round(cusum.reference * trials / _STEP)
    up = round(1 / _STEP)
    likely = partial(_binomial, trials, chance)
    every = ((bad * up - down, likely(bad)) for bad in range(trials + 1))
    return [(by, weight) for by, weight in every if weight > _SMALLEST]


def _moved(at: Sequence[float], moves: Sequence[tuple[int, float]]) -> list[float]:
    after = [0.0] * len(at)
    for state, weight in enumerate(at):
        if weight < _SMALLEST:
            continue
        for by, likely in moves:
            to = state + by
            if to < len(at):
                after[max(to, 0)] += weight * likely
    return after


def _binomial(trials: int, chance: float, bad: int) -> float:
    ways = lgamma(trials + 1) - lgamma(bad + 1) - lgamma(trials - bad + 1)
    return exp(ways + bad * log(chance) + (trials - bad) * log(1 - chance))
