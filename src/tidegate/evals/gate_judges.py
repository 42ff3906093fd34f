"""What a gate says besides the outcomes: of its judges, and of the prompts' own length."""

from collections.abc import Iterable, Sequence

from tidegate.core.grading import Case
from tidegate.core.prompt import Prompt
from tidegate.evals import judge_scores
from tidegate.evals.calibration import Calibration, may_decide
from tidegate.evals.finding import Finding
from tidegate.evals.outcome import Paired
from tidegate.prompts.counting import counter_of
from tidegate.prompts.delta import Delta, token_delta
from tidegate.prompts.rendered import RenderRefused
from tidegate.stats.judge_bias import corrected


def judges_of(pairs: Sequence[Paired]) -> dict[str, bool]:
    """The digests of all who judged a case, and whether their word counted each time."""
    found: dict[str, bool] = {}
    for pair in pairs:
        for outcome in (*pair.baseline, *pair.candidate):
            for digest, counted in outcome.judges:
                found[digest] = counted and found.get(digest, True)
        for it in pair.comparisons:
            if it.judge or not it.decides:  # else nobody was asked, as both were the same
                found[it.judge] = it.decides and found.get(it.judge, True)
    return found


def judged_by(pairs: Sequence[Paired], known: Sequence[Calibration]) -> Iterable[Finding]:
    """Inconclusive where a judge has looked that may only inform, by `known` or when it looked;
    else what is known of each, and what people would say in its place. None where nobody judged."""
    judges = judges_of(pairs)
    sure = {it.judge for it in known if may_decide(it)}
    only = sorted(digest for digest, counted in judges.items() if not counted or digest not in sure)
    if only:
        told = ", ".join(it[:12] or "unknown" for it in only)
        why = f"checks by a judge that is not calibrated only inform: {told}"
        yield Finding("judge", "inconclusive", why)
        return
    by_digest = {it.judge: it for it in known}
    for digest in sorted(judges):
        told = _told(by_digest[digest], pairs)
        yield Finding("judge", "pass", f"calibrated: {digest[:12]}{told}")


def _told(found: Calibration, pairs: Sequence[Paired]) -> str:
    kappa = "unknown" if found.kappa.value is None else f"{found.kappa.value:.2f}"
    flips = "unknown" if found.flips is None else f"{found.flips:.1%}"
    told = f", kappa {kappa}, judges otherwise again in {flips}"
    for what, scores in (
        ("its share of passes", judge_scores.of_candidate(pairs, found.judge)),
        ("its win rate", judge_scores.of_comparisons(pairs, found.judge)),
    ):
        free = None if found.bias is None else corrected(scores, found.bias)
        if free is not None:
            raw = sum(scores) / len(scores)
            told += f"; {what} is {raw:.1%}, people's would be {free.mean:.1%}"
            told += f" ({free.low:.1%} to {free.high:.1%})"
    return told


def prompt_tokens(
    before: Prompt | None, after: Prompt | None, cases: Sequence[Case]
) -> Iterable[Finding]:
    """The prompts over all cases, counted exactly by the model's tokenizer. None where there are no
    two versions, or nobody knows the tokenizer: then what providers counted has to do."""
    if before is None or after is None or before.digest == after.digest:
        return
    counter = counter_of(after)
    if not counter.exact:
        return
    try:
        delta = token_delta(before, after, [(it.id, it.variables) for it in cases], counter)
    except RenderRefused as no:
        yield Finding("prompt_tokens", "inconclusive", f"the prompt cannot be rendered: {no}")
        return
    yield _found(delta)


def _found(delta: Delta) -> Finding:
    share = delta.share
    if share is None or delta.verdict == "unknown":
        missing = len(delta.cases) - delta.compared
        why = f"{missing} of {len(delta.cases)} cases are not rendered by both versions"
        return Finding("prompt_tokens", "inconclusive", why)
    why = f"{delta.before} to {delta.after} over {delta.compared} cases, by {delta.counted_by}"
    why += f" ({share:+.1%})"
    return Finding("prompt_tokens", delta.verdict, why, {"ratio": 1 + share})
