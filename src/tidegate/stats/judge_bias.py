"""What else than the better answer moves a judge: which came first, which is longer."""

from collections.abc import Sequence
from math import exp, sqrt
from typing import Final, NamedTuple

from tidegate.stats.student import beta_share

# Of verdicts for the answer that was shown first; a judge whose share is surely outside is biased.
FAIR: Final = (0.45, 0.55)
# A spread of lengths may move the share of wins by so much.
MOST_LENGTH_SHIFT: Final = 0.05
_ROUNDS: Final = 50
_RIDGE: Final = 1e-6


class Proportion(NamedTuple):
    """`hits` of `trials`, and the exact 95 % interval of the share (Clopper and Pearson 1934)."""

    hits: int
    trials: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        return self.hits / self.trials if self.trials else None


def proportion(hits: int, trials: int) -> Proportion:
    if not trials:
        return Proportion(0, 0, 0.0, 1.0)
    low = 0.0 if hits == 0 else _solved(hits, trials - hits + 1, 0.025)
    high = 1.0 if hits == trials else _solved(hits + 1, trials - hits, 0.975)
    return Proportion(hits, trials, low, high)


def sure_share(hits: int, trials: int, alpha: float = 0.05) -> float:
    """The lower bound of the share, exact and one-sided: below it in at most `alpha` of samples."""
    return 0.0 if hits == 0 else _solved(hits, trials - hits + 1, alpha)


def _solved(a: float, b: float, share: float) -> float:
    """Where the beta distribution has so much below it."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_share(a, b, middle) < share else (low, middle)
    return (low + high) / 2


def is_partial(first_shown: Proportion) -> bool:
    """Whether its share of wins for what was shown first is surely beyond what is fair."""
    return first_shown.low > FAIR[1] or first_shown.high < FAIR[0]


class Judged(NamedTuple):
    """One pair: which answer people and the judge hold better, and ln of how many times as long the
    first is as the second."""

    people_first: bool
    judge_first: bool
    log_length: float


class LengthBias(NamedTuple):
    """The coefficient of one standard deviation of log length in the judge's verdict, given what
    people say, and by how much that moves its share of wins around an even one."""

    coefficient: float
    shift: float

    @property
    def is_biased(self) -> bool:
        return abs(self.shift) > MOST_LENGTH_SHIFT


def length_bias(pairs: Sequence[Judged]) -> LengthBias | None:
    """A logistic regression of the judge's verdict on people's and on length, by Newton's method
    with a slight ridge, which keeps judges finite that always agree. None with fewer than ten pairs
    or where all lengths are alike."""
    count = len(pairs)
    if count < 10:
        return None
    mean = sum(it.log_length for it in pairs) / count
    spread = sqrt(sum((it.log_length - mean) ** 2 for it in pairs) / count)
    if spread < 1e-9:
        return None
    rows = [
        (1.0, 1.0 if it.people_first else -1.0, (it.log_length - mean) / spread) for it in pairs
    ]
    weights = _fitted(rows, [it.judge_first for it in pairs])
    return LengthBias(weights[2], 1 / (1 + exp(-weights[2])) - 0.5)


_Row = tuple[float, float, float]


def _fitted(rows: Sequence[_Row], wins: Sequence[bool]) -> list[float]:
    weights = [0.0, 0.0, 0.0]
    ridge = max(_RIDGE, 0.5 / len(rows)) * len(rows)
    for _ in range(_ROUNDS):
        slope = [-ridge * weight for weight in weights]
        curve = [[ridge * (i == j) for j in range(3)] for i in range(3)]
        for row, won in zip(rows, wins, strict=True):
            sum_ = sum(weight * value for weight, value in zip(weights, row, strict=True))
            chance = 1 / (1 + exp(-max(-30.0, min(30.0, sum_))))
            for i in range(3):
                slope[i] += row[i] * (won - chance)
                for j in range(3):
                    curve[i][j] += row[i] * row[j] * chance * (1 - chance)
        step = _solve(curve, slope)
        weights = [weight + moved for weight, moved in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-9:
            break
    return weights


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss's elimination; the ridge keeps the matrix positive definite."""
    size = len(right)
    rows = [[*matrix[i], right[i]] for i in range(size)]
    for i in range(size):
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i]
            rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    out = [0.0] * size
    for i in reversed(range(size)):
        known = sum(rows[i][j] * out[j] for j in range(i + 1, size))
        out[i] = (rows[i][size] - known) / rows[i][i]
    return out


class Corrected(NamedTuple):
    """A mean that is free of the judge's bias, and its 95 % interval."""

    mean: float
    low: float
    high: float


class Bias(NamedTuple):
    """What people give more than the judge, of so many `pairs` of their verdicts: the mean and
    the variance of one difference."""

    mean: float
    variance: float
    pairs: int


def bias(both: Sequence[tuple[float, float]]) -> Bias | None:
    """Of (person, judge). None with fewer than two."""
    if len(both) < 2:
        return None
    return Bias(*_moments([person - judge for person, judge in both]), len(both))


def corrected(judged: Sequence[float], beside: Bias) -> Corrected | None:
    """The mean that people would give: the judge's over many, and what people differ from it where
    both are known. Source: prediction-powered inference (Angelopoulos et al. 2023). None with fewer
    than two."""
    if len(judged) < 2:
        return None
    mean, variance = _moments(judged)
    width = 1.959964 * sqrt(variance / len(judged) + beside.variance / beside.pairs)
    return Corrected(mean + beside.mean, mean + beside.mean - width, mean + beside.mean + width)


def _moments(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, sum((it - mean) ** 2 for it in values) / (len(values) - 1)
