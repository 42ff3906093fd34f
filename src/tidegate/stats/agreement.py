"""How far two or more people, or a judge and people, say the same beyond what chance would."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from random import Random
from typing import Final, Literal, NamedTuple, TypeVar

Label = TypeVar("Label", bound=Hashable)
Item = TypeVar("Item")
Scale = Literal["nominal", "ordinal", "interval"]
_RESAMPLES: Final = 2000


class Estimate(NamedTuple):
    """A figure and its 95 % interval; all None where the sample says nothing."""

    value: float | None
    low: float | None
    high: float | None


def kappa(pairs: Iterable[tuple[Label, Label]]) -> float | None:
    """Cohen's kappa (1960) of two raters, each pair one item: 1 is full agreement, 0 what chance
    gives. None without an item, or where both gave every item the same one label."""
    items = list(pairs)
    if not items:
        return None
    count = len(items)
    first, second = Counter(one for one, _ in items), Counter(other for _, other in items)
    agreed = sum(one == other for one, other in items) / count
    chance = sum(first[label] * second[label] for label in first) / count**2
    return None if chance >= 1.0 else (agreed - chance) / (1.0 - chance)


def alpha(items: Iterable[Sequence[float]], scale: Scale = "ordinal") -> float | None:
    """Krippendorff's alpha (2011, "Computing Krippendorff's alpha-reliability") of any number of
    raters. An item is what those said who rated it; those of fewer than two say nothing."""
    rated = Counter(tuple(values) for values in items if len(values) > 1)
    counts: Counter[float] = Counter()
    for values, times in rated.items():
        for value in values:
            counts[value] += times
    total = sum(counts.values())
    if not rated or len(counts) < 2:
        return None
    distance = _distance(scale, counts)
    observed = sum(
        times * sum(distance(one, other) for one in values for other in values) / (len(values) - 1)
        for values, times in rated.items()
    )
    expected = sum(
        counts[one] * counts[other] * distance(one, other) for one in counts for other in counts
    ) / (total - 1)
    return 1.0 - observed / expected


def _distance(scale: Scale, counts: Counter[float]) -> Callable[[float, float], float]:
    """Between two values, squared."""
    if scale == "nominal":
        return lambda one, other: float(one != other)
    if scale == "interval":
        return lambda one, other: (one - other) ** 2
    ranks, below = {}, 0.0
    for value in sorted(counts):
        ranks[value] = below + counts[value] / 2
        below += counts[value]
    return lambda one, other: (ranks[one] - ranks[other]) ** 2


def bootstrapped(
    figure: Callable[[Sequence[Item]], float | None],
    items: Sequence[Item],
    seed: int,
    resamples: int = _RESAMPLES,
) -> Estimate:
    """`figure` of the items, and the middle 95 % of what it is over samples of them drawn with
    replacement (Efron's percentiles). The same seed gives the same interval."""
    value = figure(items)
    if value is None:
        return Estimate(None, None, None)
    draw = Random(seed)
    drawn = (figure(draw.choices(items, k=len(items))) for _ in range(resamples))
    known = sorted(it for it in drawn if it is not None)
    if not known:
        return Estimate(value, None, None)
    last = len(known) - 1
    return Estimate(value, known[round(0.025 * last)], known[round(0.975 * last)])
