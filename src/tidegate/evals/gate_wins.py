"""How often a judge holds the candidate's answer better than the baseline's to the same case.

A case's score is the mean of its repeats and checks: 1 better, 0.5 a tie, 0 worse. An equal
candidate has a win rate of one half.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tidegate.core.model_name import family
from tidegate.evals.finding import Finding, listed
from tidegate.evals.outcome import Comparison, Outcome, Paired, compared_checks
from tidegate.stats.discordant import p_value
from tidegate.stats.judge_bias import FAIR, is_partial, proportion
from tidegate.stats.paired import Difference, cases_needed, of_scores

_EVEN: Final = 0.5


def findings(pairs: Sequence[Paired], margin: float, alpha: float) -> Iterable[Finding]:
    """None where nothing is compared."""
    asked = [pair for pair in pairs if compared_checks(pair.case)]
    if not asked:
        return
    yield _win_rate(asked, margin, alpha)
    shown = [it for pair in asked for made in pair.comparisons for it in made.first_shown]
    if shown:
        yield _position(shown)


def _win_rate(asked: Sequence[Paired], margin: float, alpha: float) -> Finding:
    scores = {pair.case.id: it for pair in asked if (it := _score(pair)) is not None}
    found = of_scores([2 * (it - _EVEN) for it in scores.values()], alpha)
    lost = [name for name, it in scores.items() if it < _EVEN]
    won = sum(it > _EVEN for it in scores.values())
    chance = p_value(len(lost), won)
    rate, low, high = (_EVEN + it / 2 for it in (found.mean, found.low, found.high))
    figures = {"share": rate, "low": low, "high": high, "lost": len(lost), "won": won}
    figures |= {"cases": len(scores), "p_value": chance}
    why = f"{rate:.1%} ({low:.1%} to {high:.1%}): {won} cases better, {len(lost)} worse, of"
    why += f" {len(scores)} (p {chance:.3g})"
    smallest = found.smallest / 2
    missing = [pair.case.id for pair in asked if pair.case.id not in scores]
    if missing:
        why += f"; {len(missing)} are not compared: {listed(missing)}"
        return Finding("win_rate", "inconclusive", why, figures, smallest, len(asked))
    if not all(it.decides for pair in asked for it in pair.comparisons):
        why += "; by a judge that is not calibrated, so that it only informs"
        return Finding("win_rate", "inconclusive", why, figures, smallest)
    if chance <= alpha and rate < _EVEN - margin:
        why += f": surely worse, and by more than {margin * 100:g} points: {listed(lost)}"
        return Finding("win_rate", "block", why, figures, smallest)
    if low > _EVEN - margin:
        return Finding("win_rate", "pass", why, figures, smallest)
    why += f": {_EVEN - margin:.0%} is not ruled out"
    return Finding("win_rate", "inconclusive", why, figures, smallest, _needs(found, margin))


def _needs(found: Difference, margin: float) -> int | None:
    needs = cases_needed(2 * margin, found.spread**2, found.alpha)
    return None if needs is None else max(needs, found.count + 1)


def _score(pair: Paired) -> float | None:
    """None while a comparison of it is missing."""
    checks = pair.case.checks
    compared = compared_checks(pair.case)
    known = [it for it in pair.comparisons if it.grade.verdict != "error"]
    if not known or len(known) < len(compared) * max(len(pair.baseline), len(pair.candidate)):
        return None
    total = sum(checks[it.check].weight for it in known)
    if total <= 0:
        return _EVEN
    return sum(checks[it.check].weight * _of(it) for it in known) / total


def _of(comparison: Comparison) -> float:
    score = comparison.grade.score
    return score if isinstance(score, float | int) else _EVEN


def _position(shown: Sequence[bool]) -> Finding:
    """Of single verdicts; of a fair judge half are for what is shown first."""
    found = proportion(sum(shown), len(shown))
    share = found.hits / found.trials
    why = f"{share:.1%} ({found.low:.1%} to {found.high:.1%}) of {found.trials} verdicts are for"
    why += " what is shown first"
    figures = {"share": share, "low": found.low, "high": found.high}
    if is_partial(found):
        why += f", and {FAIR[0]:.0%} to {FAIR[1]:.0%} is fair"
        return Finding("position_bias", "warn", why, figures)
    return Finding("position_bias", "pass", why, figures)


def self_preference(pairs: Sequence[Paired]) -> Iterable[Finding]:
    """A judge of the candidate's own family, which may prefer its like. None where there is none,
    or nobody knows the models."""
    judges: set[str] = set()
    for pair in pairs:
        for outcome in (*pair.baseline, *pair.candidate):
            judges.update(outcome.judge_models)
        for made in pair.comparisons:
            judges.update(made.judge_models)
    ours = _families(it for pair in pairs for it in pair.candidate)
    theirs = _families(it for pair in pairs for it in pair.baseline)
    for judge in sorted(judges):
        own = family(judge)
        if own is None or own not in ours:
            continue
        why = f"the judge {judge} is of the candidate's own family, {own}: it may prefer its like"
        why += "" if own in theirs or not theirs else ", and the baseline is of another"
        yield Finding("self_preference", "warn", why)


def _families(outcomes: Iterable[Outcome]) -> set[str]:
    names = {it.answered.model or it.answered.model_snapshot for it in outcomes}
    return {found for it in names if it and (found := family(it)) is not None}
