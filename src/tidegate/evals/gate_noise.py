"""How far a version differs from itself: what of a difference between two is chance."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Final

from tidegate.evals.finding import Finding
from tidegate.evals.outcome import Outcome, Paired, scores
from tidegate.stats.paired import disagreement, noise_of, of_scores

_NORMAL_95: Final = 1.959964


def noise(known: Sequence[Paired]) -> float:
    """The variance of a case's difference in which only chance has a part."""
    before = noise_of(scores(pair.baseline) for pair in known)
    return before + noise_of(scores(pair.candidate) for pair in known)


def findings(known: Sequence[Paired], chance: float, alpha: float) -> Iterable[Finding]:
    """`chance` is the noise of them. None where no case was asked again."""
    both = [
        (disagreement(_passes(pair.baseline)), disagreement(_passes(pair.candidate)))
        for pair in known
        if len(pair.baseline) > 1 and len(pair.candidate) > 1
    ]
    if not both:
        return
    before, after = (sum(shares) / len(both) for shares in zip(*both, strict=True))
    floor = _NORMAL_95 * sqrt(chance / len(known))
    why = f"asked again, the baseline has another verdict in {before:.1%}, the candidate in"
    why += f" {after:.1%}; chance alone moves the mean by {floor * 100:.1f} points"
    figures = {"baseline": before, "candidate": after, "floor": floor}
    if of_scores([now - was for was, now in both], alpha).is_above(0.0):
        yield Finding("determinism", "warn", f"{why}: it is surely less steady", figures)
    else:
        yield Finding("determinism", "pass", why, figures)


def _passes(side: Sequence[Outcome]) -> list[bool]:
    return [it.verdict == "pass" for it in side]
