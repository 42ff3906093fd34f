"""Whether every answer of the candidate keeps its version's output contract.

A run renders its prompts itself, so that no gateway holds answers against it; here the same code
does, answer by answer.
"""

from collections.abc import Iterable, Sequence

from msgspec import Raw

from tidegate.core.ask import Answer, Ask, Said
from tidegate.core.grading import Answered
from tidegate.evals.finding import Finding, listed
from tidegate.evals.outcome import Outcome, Paired
from tidegate.evals.side import Side
from tidegate.gateway.contract import Following, PreparedContract, Verdict, judge_answer
from tidegate.gateway.prompt_versions import contract_of
from tidegate.text.json_schema import SchemaProblem


def contract_kept(side: Side, pairs: Sequence[Paired]) -> Iterable[Finding]:
    """Every answer has to. None where the version asks nothing of its answers."""
    if side.prompt is None:
        return
    try:
        prepared = contract_of(side.prompt.output)
    except SchemaProblem as problem:
        yield Finding("contract", "block", f"the output contract cannot be read: {problem}")
        return
    if prepared is None:
        return
    ask = Ask("chat", b"", _members(side), side.route)
    found = [_first_broken(prepared, ask, pair.candidate) for pair in pairs]
    broken = [
        f"{pair.case.id} ({_told(it)})"
        for pair, it in zip(pairs, found, strict=True)
        if it is not None
    ]
    if broken:
        why = f"answers to {len(broken)} of {len(pairs)} cases break the output contract"
        yield Finding("contract", "block", f"{why}: {listed(broken)}")
        return
    count = sum(_is_answer(it.answered) for pair in pairs for it in pair.candidate)
    yield Finding("contract", "pass", f"all {count} answers keep the output contract")


def _members(side: Side) -> dict[str, Raw]:
    """The tools that are asked with, against which calls are held."""
    tools = dict(side.parameters).get("tools") or (side.prompt and side.prompt.tools)
    return {"tools": Raw(tools.encode())} if tools else {}


def _first_broken(
    prepared: PreparedContract, ask: Ask, outcomes: Sequence[Outcome]
) -> Verdict | None:
    for it in outcomes:
        if _is_answer(it.answered):
            verdict = _broken(prepared.follow(ask), it.answered)
            if verdict is not None:
                return verdict
    return None


def _is_answer(answered: Answered) -> bool:
    """What never came is told by `complete`."""
    return answered.failure is None


def _broken(following: Following, answered: Answered) -> Verdict | None:
    """None when it is kept, as it also is by what holds nothing because the model declined."""
    content = "" if answered.declined else answered.output or ""
    said = Said(content, answered.declined, answered.tool_calls)
    answer = Answer(None, answered.finish_reason, None, None, b"", said=(said,))
    judge_answer(following, answer)  # marks, and raises nothing
    verdict = following.verdict
    return None if verdict is None or verdict.validity == "valid" else verdict


def _told(verdict: Verdict) -> str:
    where = f" at {verdict.path}" if verdict.path else ""
    rule = f", {verdict.rule}" if verdict.rule else ""
    return f"{verdict.validity.replace('_', ' ')}{where}{rule}"
