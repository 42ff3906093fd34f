"""Grades of one answer, and judges that may or may not decide."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from tests.evals.asked import asked, case
from tests.gateway.rig import run

from tidegate.core import plugs
from tidegate.core.grading import Answered, Check, judge_digest
from tidegate.evals.grading import Judge, Judges, Marker, judge_prompts, needs_receipts

KIND = {"rubric": "It is kind."}
RUBRIC = Check("judge_rubric", Raw(msgspec.json.encode(KIND)))
[PROMPT] = judge_prompts(plugs.load("graders", "judge_rubric"), KIND)
GROUP = Check("group", Raw(msgspec.json.encode({"checks": [{"grader": "exact"}]})))
JUDGED = Check(
    "group", Raw(msgspec.json.encode({"checks": [{"grader": "judge_rubric", "options": KIND}]}))
)
DEAR = Check("group", Raw(b'{"checks": [{"grader": "cost", "options": {"most_usd": 1}}]}'))


def test_every_check_is_said_and_the_verdict_is_theirs_together() -> None:
    marker = Marker(Judges())
    one = case("a", checks=(Check("contains"), Check("exact", metric="same")))
    outcome = asyncio.run(marker.outcome(one, 2, Answered("very good")))
    assert [(name, it.verdict) for name, it in outcome.grades] == [
        ("contains", "pass"),
        ("same", "fail"),
    ]
    assert (outcome.verdict, outcome.score, outcome.repeat) == ("fail", 0.5, 2)
    lost = asyncio.run(marker.outcome(one, 0, Answered(None, failure="unreachable")))
    assert (lost.verdict, lost.score) == ("error", None)


def test_a_refusal_is_looked_for_where_the_case_is_about_it() -> None:
    asked_ = case("a", strata={"refusal": "safe"})
    no = Answered("I'm sorry, but I can't help with that request.")
    found = asyncio.run(Marker(Judges()).outcome(asked_, 0, no))
    assert found.answered.refusal == "full"
    told = asyncio.run(Marker(Judges()).outcome(case("a"), 0, no))
    assert told.answered.refusal is None


@pytest.mark.parametrize(("calibrated", "verdict"), [(True, "fail"), (False, "pass")])
def test_a_judge_decides_only_when_it_is_calibrated(
    tmp_path: Path, calibrated: bool, verdict: str
) -> None:
    async def main() -> None:
        bodies: list[dict[str, Any]] = []

        def say(body: dict[str, Any]) -> str:
            bodies.append(body)
            return '{"reason": "rude", "score": 0.1}'

        async with asked(tmp_path, say) as (_, _, way):
            digest = judge_digest(PROMPT, "served", {})
            known = frozenset((digest,)) if calibrated else frozenset()
            marker = Marker(Judges(Judge(way, "small"), known))
            both = case("a", checks=(Check("contains"), RUBRIC))
            outcome = await marker.outcome(both, 0, Answered("good, you fool"))
            assert outcome.verdict == verdict
            assert outcome.grades[1][1].verdict == "fail"
            assert outcome.judges == ((digest, calibrated),)
            assert bodies[0]["response_format"]["type"] == "json_schema"
            only = await marker.outcome(case("b", checks=(RUBRIC,)), 0, Answered("x"))
            assert only.verdict == ("fail" if calibrated else "error")

    run(main())


def test_a_judge_that_is_away_is_an_error_and_never_left_aside(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path, lambda _: (500, "x")) as (_, _, way):
            marker = Marker(Judges(Judge(way, "small")))
            both = case("a", checks=(Check("contains"), RUBRIC))
            assert (await marker.outcome(both, 0, Answered("good"))).verdict == "error"
            nobody = await Marker(Judges()).outcome(both, 0, Answered("good"))
            assert (nobody.verdict, nobody.judges) == ("error", (("", False),))

    run(main())


def test_another_model_under_the_judges_route_is_another_judge(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path, lambda _: "{}") as (_, _, way):
            judge = Judge(way, "small")
            assert judge.digest(PROMPT) is None
            judge.models.add("a")
            first = judge.digest(PROMPT)
            assert first != judge.digest("another prompt")
            judge.models.add("b")
            assert judge.digest(PROMPT) is None

    run(main())


def test_the_judges_of_a_group_are_calibrated_each_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        kinder = {"rubric": "It is kinder."}
        [other] = judge_prompts(plugs.load("graders", "judge_rubric"), kinder)
        judges = [{"grader": "judge_rubric", "options": it} for it in (KIND, kinder)]
        group = Check("group", Raw(msgspec.json.encode({"checks": judges})))
        one = case("a", checks=(Check("contains"), group))
        first, second = (judge_digest(it, "served", {}) for it in (PROMPT, other))
        async with asked(tmp_path, lambda _: '{"reason": "rude", "score": 0}') as (_, _, way):
            for known, verdict in (({first, second}, "fail"), ({first}, "pass"), (set(), "pass")):
                marker = Marker(Judges(Judge(way, "small"), frozenset(known)))
                outcome = await marker.outcome(one, 0, Answered("good, you fool"))
                assert outcome.verdict == verdict
                assert dict(outcome.judges) == {it: it in known for it in (first, second)}
            assert outcome.judge_models == ("served",)

    run(main())


def test_only_groups_that_hold_judges_have_one() -> None:
    group = plugs.load("graders", "group")
    assert judge_prompts(group, msgspec.json.decode(GROUP.options)) == ()
    assert judge_prompts(group, msgspec.json.decode(JUDGED.options)) == (PROMPT,)
    assert judge_prompts(plugs.load("graders", "exact"), {}) == ()


def test_the_threshold_of_a_check_makes_a_judge_another_one() -> None:
    rubric = plugs.load("graders", "judge_rubric")
    strict = judge_prompts(rubric, KIND, 0.9)
    assert strict != (PROMPT,)
    assert strict == judge_prompts(rubric, {**KIND, "threshold": 0.9})
    members = {"checks": [{"grader": "judge_rubric", "options": KIND, "threshold": 0.9}]}
    assert judge_prompts(plugs.load("graders", "group"), members) == strict


def test_which_suites_wait_for_receipts() -> None:
    assert not needs_receipts((case("a"), case("b", checks=(GROUP,))))
    assert needs_receipts((case("a"), case("b", checks=(DEAR,))))
    assert needs_receipts((case("a", checks=(Check("latency", Raw(b'{"most_s": 1}')),)),))
    assert needs_receipts((case("a", strata={"refusal": "safe"}),))
