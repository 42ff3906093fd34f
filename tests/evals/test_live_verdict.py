"""What is found of one live answer, and what is kept of that."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.evals.live_rig import SECRET, START_S
from tests.stores import rig

from tidegate.core.capture import Captured
from tidegate.core.checks import Graders, checks_of
from tidegate.core.grading import Check
from tidegate.evals.captured_cases import NoCase
from tidegate.evals.live_verdict import Verdict, assessment, verdict_on


def made(answer: str, messages: str = '[{"role":"user","content":"hi"}]', **more: Any) -> Captured:
    return Captured("r", START_S, START_S + 9, "chat", messages, answer, "production", **more)


def checks(text: str) -> tuple[Check, ...]:
    return checks_of(text, Graders(), lambda _path, _what: None)


def found(answer: str, text: str, **receipt: Any) -> Verdict:
    of = rig.receipt(START_S, **receipt)
    return asyncio.run(verdict_on(made(answer), of, checks(text), None))


@pytest.mark.parametrize(
    ("text", "is_bad", "why"),
    [
        ('[{"contains":{"any":["day"]}}]', False, ""),
        ('[{"contains":{"any":["night"]},"metric":"says night"},"refusal"]', True, None),
        ('["exact"]', None, "no verdict from exact"),
    ],
)
def test_bad_good_or_nobody_knows(text: str, is_bad: bool | None, why: str | None) -> None:
    verdict = found(f"Good day, {SECRET}.", text)
    assert verdict.is_bad is is_bad
    assert SECRET not in verdict.why
    if why is None:
        assert verdict.why.startswith("failed says night")
    else:
        assert verdict.why == why


def test_receipts_say_what_only_they_know() -> None:
    text = '[{"latency":{"most_s":2}}]'
    assert found("x", text, total_s=1.0).is_bad is False
    assert found("x", text, total_s=3.0).is_bad is True


def test_calls_of_tools_are_part_of_the_answer() -> None:
    of = rig.receipt(START_S)
    call = made("", calls=(("find", '{"id": 7}'),))
    wanted = checks('[{"tool_call":{"expected":[{"name":"find"}]}}]')
    verdict = asyncio.run(verdict_on(call, of, wanted, None)) if wanted else None
    assert verdict is None or verdict.is_bad is not None


def test_what_is_no_case_says_so() -> None:
    tool = made("x", '[{"role":"tool","content":"7"}]')
    with pytest.raises(NoCase):
        asyncio.run(verdict_on(tool, rig.receipt(START_S), checks('["refusal"]'), None))


def test_what_does_not_decide_is_kept_and_counts_for_no_release() -> None:
    fields = {"rollout": "r1", "arm": "canary", "unit": 5, "unit_kind": "user", "key_id": "k"}
    of = rig.receipt(START_S, **fields)
    verdict = Verdict(True, "failed x", 0.25, ("b", "", "a"))
    decides = assessment(of, verdict, START_S + 5, 70, decides=True)
    informs = assessment(of, verdict, START_S + 5, 70, decides=False)
    assert (decides.rollout, decides.unit, decides.judge) == ("r1", 5, "b a")
    assert (decides.score, decides.cost_nanousd, decides.is_bad) == (0.25, 70, True)
    same = msgspec.structs.replace(decides, rollout=None, unit=None, unit_kind=None)
    assert informs == same
