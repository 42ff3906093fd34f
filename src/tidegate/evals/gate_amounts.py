"""How much longer, slower and dearer the candidate's answers are."""

from collections.abc import Callable, Iterable, Sequence
from math import exp, log
from operator import attrgetter
from typing import Final

from tidegate.core.grading import Answered
from tidegate.evals.finding import Finding, GateVerdict
from tidegate.evals.outcome import Outcome, Paired
from tidegate.stats.paired import of_amounts, reach

_Amount = Callable[[Answered], float | None]
_AMOUNTS: Final[dict[str, _Amount]] = {
    name: attrgetter(name) for name in ("output_tokens", "ttft_s", "total_s", "cost_nanousd")
}
# No answer says when its first token came unless something measured it, nor what it costs where
# nobody knows a price. All others are counted of every answer.
_OPTIONAL: Final = frozenset(("ttft_s", "cost_nanousd"))
# One of these alone is a difference of the clock: nobody waits for it.
_LEAST: Final = {"ttft_s": 0.001, "total_s": 0.001}
_HALF: Final = 0.5


def findings(
    known: Sequence[Paired],
    of_input: tuple[float, float],
    of_output: tuple[float, float],
    alpha: float,
) -> Iterable[Finding]:
    """Bounds are (warn, block), as ratios. Cases that were not answered on one side, such as those
    that its provider declined, have no amounts."""
    known = [pair for pair in known if _answered(pair.baseline) and _answered(pair.candidate)]
    yield from _input_tokens(known, of_input)
    for name, amount in _AMOUNTS.items():
        yield from _grown(name, amount, known, of_output, alpha)


def _answered(side: Sequence[Outcome]) -> bool:
    return any(it.answered.failure is None for it in side)


def _input_tokens(known: Sequence[Paired], bounds: tuple[float, float]) -> Iterable[Finding]:
    """Exact: what is sent does not vary, so that any growth is real."""
    sums = [(_mean(pair.baseline, _of_input), _mean(pair.candidate, _of_input)) for pair in known]
    both = [(one, other) for one, other in sums if one is not None and other is not None]
    before, after = sum(one for one, _ in both), sum(other for _, other in both)
    if not known:
        return
    if len(both) < len(known) or not before:
        missing = len(known) - len(both)
        why = f"nobody knows the input tokens of {missing} of {len(known)} cases"
        yield Finding("input_tokens", "inconclusive", why)
        return
    ratio = after / before
    why = f"x{ratio:.3f}: {before / len(known):.0f} to {after / len(known):.0f} a case"
    warn, block = bounds
    verdict: GateVerdict = "block" if ratio > block else "warn" if ratio > warn else "pass"
    yield Finding("input_tokens", verdict, why, {"ratio": ratio})


def _of_input(answered: Answered) -> float | None:
    return answered.input_tokens


def _mean(side: Sequence[Outcome], amount: _Amount) -> float | None:
    """Of the repeats that were answered; None where it is not known of one."""
    total: float = 0
    count = 0
    for it in side:
        answered = it.answered
        if answered.failure is None:
            value = amount(answered)
            if value is None:
                return None
            total += value
            count += 1
    return total / count


def _grown(
    name: str,
    amount: _Amount,
    known: Sequence[Paired],
    bounds: tuple[float, float],
    alpha: float,
) -> Iterable[Finding]:
    """The paired log ratio, by Student's t, of amounts that are known of every case."""
    means = [(_mean(pair.baseline, amount), _mean(pair.candidate, amount)) for pair in known]
    both = [(one, other) for one, other in means if one is not None and other is not None]
    if len(both) < len(known):
        sides = (side for pair in known for side in (pair.baseline, pair.candidate))
        nowhere = all(amount(it.answered) is None for side in sides for it in side)
        yield from _unknown(name, len(known) - len(both), len(known), nowhere)
        return
    if not both:
        return
    least = _LEAST.get(name, 1.0)
    logs = [log(max(after, least) / max(before, least)) for before, after in both]
    found = of_amounts(logs, alpha)
    warn, block = bounds
    figures = {"ratio": found.ratio, "low": found.low, "high": found.high, "cases": found.count}
    why = f"x{found.ratio:.2f} ({found.low:.2f} to {found.high:.2f})"
    widths = reach(alpha) / reach(alpha, power=_HALF)
    smallest = exp(log(found.ratio / found.low) * widths) if found.low else None
    if found.ratio >= block and found.low > 1:
        yield Finding(name, "block", f"{why}: x{block:g} is too much", figures, smallest)
    elif found.high >= block:
        needs = _needed(logs, block, alpha)
        why = f"{why}: x{block:g} is not ruled out"
        yield Finding(name, "inconclusive", why, figures, smallest, needs)
    elif found.ratio >= warn and found.low > 1:
        yield Finding(name, "warn", why, figures, smallest)
    else:
        yield Finding(name, "pass", why, figures, smallest)


def _unknown(name: str, missing: int, cases: int, nowhere: bool) -> Iterable[Finding]:
    """What is known of a part says nothing of the rest; what nobody ever measures is not asked."""
    if not nowhere or name not in _OPTIONAL:
        why = f"nobody knows the {name} of {missing} of {cases} cases"
        yield Finding(name, "inconclusive", why)
    elif name == "cost_nanousd":
        why = "nobody knows a price, so that nothing says whether it is dearer"
        yield Finding(name, "warn", why)


def _needed(logs: Sequence[float], block: float, alpha: float) -> int:
    """Cases with which an equal candidate's upper bound lies below `block` in four of five runs."""
    count = len(logs)
    mean = sum(logs) / count
    variance = sum((it - mean) ** 2 for it in logs) / max(count - 1, 1)
    return max(count + 1, round(variance * (reach(alpha) / log(block)) ** 2) + 2)
