"""Runs: resumed, stopped, broken off, and never passed by what failed."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw
from tests.evals.asked import asked, case, opened, sides, suite
from tests.gateway.rig import run

from tidegate.core.grading import Answered, Check
from tidegate.evals.gate import judge
from tidegate.evals.gate_alone import judge_alone
from tidegate.evals.outcome import Outcome
from tidegate.evals.run import Course, in_turn

CASES = [case(f"case {n}") for n in range(12)]


def question(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def is_candidate(body: dict[str, Any]) -> bool:
    return "Really" in body["messages"][0]["content"]


def test_both_sides_of_a_case_are_asked_close_together_so_often(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path / "g", lambda _: "good") as (_, up, way):
            of = suite(*CASES, repeats=3)
            file, one = opened(tmp_path / "run", of, sides(), Course(at_once=1))
            with file:
                ended = await one.go(way)
            assert ended.stopped is None
            pairs = one.pairs()
            assert all(len(it.baseline) == len(it.candidate) == 3 for it in pairs)
            assert [it.case.id for it in pairs] == [it.id for it in CASES]
            said = [(question(it.json), is_candidate(it.json)) for it in up.exchanges]
            for first, second in zip(said[::2], said[1::2], strict=True):
                assert first[0] == second[0]
                assert first[1] is not second[1]
            assert {first[1] for first in said[::2]} == {True, False}

    run(main())


def test_a_run_that_broke_off_goes_on_and_asks_only_what_it_has_not(tmp_path: Path) -> None:
    async def main() -> None:
        down = True

        def say(body: dict[str, Any]) -> Any:
            return (500, "x") if down and question(body) in ("case 3", "case 7") else "good"

        async with asked(tmp_path / "g", say) as (_, up, way):
            file, one = opened(tmp_path / "run", suite(*CASES), sides())
            with file:
                assert (await one.go(way)).stopped is None
            gated = judge(one.pairs())
            assert (gated.verdict, gated.findings[0].needs) == ("inconclusive", 2)
            down = False
            before = len(up.exchanges)
            file, one = opened(tmp_path / "run", suite(*CASES), sides())
            with file:
                assert len(one.left()) == 4
                await one.go(way)
            assert len(up.exchanges) - before == 4
            assert judge(one.pairs()).findings[0].verdict == "pass"

    run(main())


def test_a_case_that_was_not_asked_as_often_as_it_should_be_has_no_verdict(tmp_path: Path) -> None:
    of = suite(CASES[0], repeats=2)
    file, one = opened(tmp_path / "run", of, sides())
    with file:
        for name in ("baseline", "candidate"):
            file.add(name, Outcome("case 0", 0, "pass", Answered("good")))
        [pair] = one.pairs()
        assert judge([pair]).findings[0].verdict == "inconclusive"
        [_, complete, *_] = judge_alone([pair]).findings
        assert (complete.check, complete.verdict) == ("complete", "inconclusive")


def test_a_candidate_that_is_surely_worse_ends_the_run_early_unless_told_not_to(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        def say(body: dict[str, Any]) -> str:
            return "bad" if is_candidate(body) else "good"

        async with asked(tmp_path / "g", say) as (_, up, way):
            many = suite(*(case(f"case {n}") for n in range(60)))
            file, one = opened(tmp_path / "run", many, sides())
            with file:
                ended = await one.go(way)
            assert ended.stopped == "worse"
            assert len(up.exchanges) < 40
            assert judge(one.pairs()).verdict == "block"
            file, one = opened(tmp_path / "whole", many, sides(), Course(4, alpha=None))
            with file:
                assert (await one.go(way)).stopped is None
            assert not one.left()

    run(main())


def test_what_receipts_say_is_kept_with_the_outcome(tmp_path: Path) -> None:
    async def main() -> None:
        async def enrich(answered: Answered) -> Answered:
            return msgspec.structs.replace(answered, cost_nanousd=5)

        async with asked(tmp_path / "g", lambda _: "good") as (_, _, way):
            course = Course(4, enrich=enrich)
            file, one = opened(tmp_path / "run", suite(*CASES), sides(), course)
            with file:
                await one.go(way)
            [answered] = {it.baseline[0].answered.cost_nanousd for it in one.pairs()}
            assert answered == 5

    run(main())


def test_what_receipts_had_not_said_when_a_run_ended_is_read_when_it_goes_on(
    tmp_path: Path,
) -> None:
    """Nothing is asked again for it."""

    async def main() -> None:
        async def enrich(answered: Answered) -> Answered:
            return msgspec.structs.replace(answered, cost_nanousd=5, model="m")

        async def nothing(answered: Answered) -> Answered:
            return answered

        async with asked(tmp_path / "g", lambda _: "good") as (_, up, way):
            for told, cost in ((nothing, None), (enrich, 5)):
                course = Course(4, enrich=told)
                file, one = opened(tmp_path / "run", suite(*CASES), sides(), course)
                with file:
                    await one.go(way)
                assert {it.candidate[0].answered.cost_nanousd for it in one.pairs()} == {cost}
                assert len(up.exchanges) == 24
            file, one = opened(tmp_path / "run", suite(*CASES), sides(), course)
            with file:
                assert {it.baseline[0].answered.cost_nanousd for it in one.pairs()} == {5}

    run(main())


def test_checks_of_what_receipts_know_wait_for_them(tmp_path: Path) -> None:
    async def main() -> None:
        async def enrich(answered: Answered) -> Answered:
            return msgspec.structs.replace(answered, cost_nanousd=5)

        cheap = Check("cost", Raw(b'{"most_usd": 1}'))
        async with asked(tmp_path / "g", lambda _: "good") as (_, _, way):
            for course, verdict in ((Course(4, enrich=enrich), "pass"), (Course(4), "error")):
                of = suite(case("dear?", checks=(cheap,)))
                file, one = opened(tmp_path / verdict, of, sides(), course)
                with file:
                    await one.go(way)
                assert {it.candidate[0].verdict for it in one.pairs()} == {verdict}

    run(main())


def test_a_case_that_the_prompt_cannot_be_rendered_with_is_an_error(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path / "g", lambda _: "good") as (_, up, way):
            file, one = opened(tmp_path / "run", suite(case("a", variables={})), sides())
            with file:
                await one.go(way)
            [pair] = one.pairs()
            assert pair.candidate[0].verdict == "error"
            assert "question" in (pair.candidate[0].answered.failure or "")
            assert not up.exchanges

    run(main())


def test_cases_come_in_an_order_of_the_runs_own() -> None:
    one, other = in_turn(CASES, "run-1"), in_turn(CASES, "run-2")
    assert one == in_turn(reversed(CASES), "run-1")
    assert one != other
    assert sorted(it.id for it in one) == sorted(it.id for it in CASES)
