"""The lowest score from which on what is taken for the same is so, as far as pairs can tell.

Each candidate is a score that some pair has. That its precision falls short of the target is tested
by the exact binomial tail, of which Clopper and Pearson's lower bound (1934) is the other side; for
pairs that are not equally likely to be the same that test is conservative (Hoeffding 1956). The
candidates are tested from the strictest down and the first that is not borne out ends it, which
keeps the chance that any of those taken falls short to what one test has: fixed-sequence testing,
as Learn then Test has it (Angelopoulos, Bates, Candes, Jordan, Lei 2021). Where to begin depends on
how many pairs there are and never on what they are.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from math import floor
from typing import Final, NamedTuple

from msgspec import Struct

from tidegate.stats.student import beta_share

CONFIDENCE: Final = 0.95
# Scores of two machines differ by less.
DECIMALS: Final = 4


class Scored(NamedTuple):
    """A pair of questions. `veto` is why it is not taken whatever its score; `score` None: it has
    none."""

    score: float | None
    is_same: bool
    veto: str | None = None


class Point(Struct, frozen=True):
    """What a threshold comes to on some pairs: so many are `taken`, of which so many are the
    `same`, of `all_same` that are. `lower` is the bound of its precision."""

    threshold: float
    taken: int
    same: int
    all_same: int
    lower: float

    @property
    def precision(self) -> float | None:
        return self.same / self.taken if self.taken else None

    @property
    def recall(self) -> float | None:
        return self.same / self.all_same if self.all_same else None


class Learnt(Struct, frozen=True):
    """`found` None: no threshold is borne out, for what `why` says. `nearest` is then where it was
    looked at first, if there were pairs enough for that."""

    found: Point | None
    nearest: Point | None
    why: str | None


def lower_bound(same: int, taken: int, confidence: float = CONFIDENCE) -> float:
    """Of a share of which `same` in `taken` were seen, one-sided, by Clopper and Pearson."""
    if same <= 0:
        return 0.0
    low, high = 0.0, same / taken
    while high - low > 1e-9:
        middle = (low + high) / 2
        if _is_above(same, taken, middle, confidence):
            low = middle
        else:
            high = middle
    return low


def least_pairs(target: float, wrong: int = 0, confidence: float = CONFIDENCE) -> int:
    """So many pairs bear a target out when all but so many of them are the same."""
    taken = wrong + 1
    while not _is_above(taken - wrong, taken, target, confidence):
        taken += 1
    return taken


def at(pairs: Iterable[Scored], threshold: float, *, vetoed: bool = True) -> Point:
    """What a threshold comes to, with the veto or as if there were none."""
    taken = same = all_same = 0
    for pair in pairs:
        all_same += pair.is_same
        score = _rounded(pair.score)
        if score is not None and score >= threshold and not (vetoed and pair.veto):
            taken += 1
            same += pair.is_same
    return Point(threshold, taken, same, all_same, lower_bound(same, taken))


def learn(pairs: Sequence[Scored], target: float, confidence: float = CONFIDENCE) -> Learnt:
    """The lowest threshold whose precision is above the target, in all but `1 - confidence` of such
    samples. ValueError unless the target is between 0 and 1."""
    if not 0 < target < 1:
        raise ValueError("a target between 0 and 1")
    levels = _levels(pairs)
    total = levels[-1][1] if levels else 0
    least, one_wrong = (least_pairs(target, wrong, confidence) for wrong in (0, 1))
    if total < least:
        why = f"{total} pairs pass the veto; {least} have to, were they all the same"
        return Learnt(None, None, why)
    # Where there are pairs enough, one wrong label among the nearest does not end it.
    begin = one_wrong if total >= 2 * one_wrong else least
    all_same = sum(pair.is_same for pair in pairs)
    found = nearest = None
    for threshold, taken, same in levels:
        if taken < begin:
            continue
        bound = Point(threshold, taken, same, all_same, 0.0)
        nearest = nearest or bound
        if not _is_above(same, taken, target, confidence):
            break
        found = bound
    if found is not None:
        return Learnt(_with_bound(found, confidence), None, None)
    assert nearest is not None  # noqa: S101 - the last level has all pairs
    nearest = _with_bound(nearest, confidence)
    why = (
        f"of the {nearest.taken} nearest pairs that pass the veto {nearest.same} are the same: "
        f"{nearest.lower:.3f} at the least, not {target:g}"
    )
    return Learnt(None, nearest, why)


def _levels(pairs: Iterable[Scored]) -> list[tuple[float, int, int]]:
    """By each score, the highest first: how many pairs have it or a higher one and pass the veto,
    and how many of them are the same."""
    scored = [(_rounded(pair.score), pair.is_same) for pair in pairs if not pair.veto]
    known = sorted(((score, same) for score, same in scored if score is not None), reverse=True)
    each = [(score, [same for _, same in some]) for score, some in groupby(known, lambda it: it[0])]
    taken = accumulate(len(some) for _, some in each)
    same = accumulate(sum(some) for _, some in each)
    return [(score, n, k) for (score, _), n, k in zip(each, taken, same, strict=True)]


def _rounded(score: float | None) -> float | None:
    """Down, so that a threshold that is a score takes what has it."""
    return None if score is None else floor(score * 10**DECIMALS + 1e-6) / 10**DECIMALS


def _with_bound(point: Point, confidence: float) -> Point:
    lower = lower_bound(point.same, point.taken, confidence)
    return Point(point.threshold, point.taken, point.same, point.all_same, lower)


def _is_above(same: int, taken: int, share: float, confidence: float) -> bool:
    """Whether so many would be seen too rarely, were the share no greater."""
    return same > 0 and beta_share(same, taken - same + 1, share) <= 1 - confidence
