"""Comparisons within runs: asked once, kept, made anew when an answer is."""

from pathlib import Path
from typing import Any

from msgspec import Raw
from tests.evals.asked import SESSION, asked, case, sides, suite
from tests.gateway.rig import run

from tidegate.core.grading import Case, Check, judge_digest
from tidegate.evals.asking import Gateway
from tidegate.evals.gate import judge
from tidegate.evals.grading import Judge, Judges, Marker
from tidegate.evals.run import Course, Run
from tidegate.evals.run_file import RunFile, RunHead
from tidegate.evals.side import writers
from tidegate.graders import judge_pairwise

BETTER = Check("judge_pairwise")
KNOWN = frozenset((judge_digest(judge_pairwise.plug.prompt({}), "served", {}),))


class House:
    """A model of which the candidate's answers are longer, and a judge that prefers `liked`."""

    def __init__(self) -> None:
        self.liked = "LONG"
        self.judged = 0
        self.away = False

    def __call__(self, body: dict[str, Any]) -> Any:
        system, said = (str(body["messages"][at]["content"]) for at in (0, -1))
        if not system.startswith("You compare"):
            return f"good, {'LONG' if 'Really' in system else 'short'}: {said}"
        if self.away:
            return 400, "invalid_request"
        self.judged += 1
        a, _, _ = said.partition("<<<ANSWER B")
        return f'{{"reason": "", "better": "{"A" if self.liked in a else "B"}"}}'


def opened(path: Path, way: Gateway, cases: list[Case], calibrated: bool) -> tuple[RunFile, Run]:
    both, of = sides(), suite(*cases)
    digests = {name: side.digest() for name, side in both.items()}
    file = RunFile(path, RunHead(SESSION, of.name, of.digest(), digests, of.repeats))
    marker = Marker(Judges(Judge(way, "small"), KNOWN if calibrated else frozenset()))
    return file, Run(of, writers(both), file, marker, Course(at_once=4))


def compared(number: int, **fields: Any) -> Case:
    return case(f"case {number}", checks=(BETTER,), **fields)


def test_the_candidates_answer_is_compared_with_the_baselines_own(tmp_path: Path) -> None:
    async def main() -> None:
        house = House()
        async with asked(tmp_path / "g", house) as (_, _, way):
            for liked, verdict in (("LONG", "pass"), ("short", "block")):
                house.liked = liked
                cases = [compared(n) for n in range(12)]
                file, one = opened(tmp_path / liked, way, cases, calibrated=True)
                with file:
                    await one.go(way)
                found = {it.check: it for it in judge(one.pairs()).findings}
                assert found["win_rate"].verdict == verdict
                assert not found.keys() & {"quality", "regression"}
                assert found["position_bias"].figures["share"] == 0.5
            assert house.judged == 48

    run(main())


def test_a_resumed_run_asks_the_judge_only_of_what_is_not_compared(tmp_path: Path) -> None:
    async def main() -> None:
        house = House()
        cases = [compared(n) for n in range(6)]
        path = tmp_path / "run"
        async with asked(tmp_path / "g", house) as (_, up, way):
            house.away = True
            file, one = opened(path, way, cases, calibrated=True)
            with file:
                await one.go(way)
            found = {it.check: it for it in judge(one.pairs()).findings}
            assert (found["win_rate"].verdict, found["complete"].verdict) == (
                "inconclusive", "pass",
            )  # fmt: skip
            house.away, asked_before = False, len(up.exchanges)
            file, one = opened(path, way, cases, calibrated=True)
            with file:
                await one.go(way)
            assert house.judged == len(up.exchanges) - asked_before == 12
            whole = path.read_bytes()
            torn = whole.rindex(b"\n", 0, -9) + 30
            path.write_bytes(whole[:torn])
            file, one = opened(path, way, cases, calibrated=True)
            with file:
                await one.go(way)
            assert house.judged == 14
            assert all(len(it.comparisons) == 1 for it in one.pairs())

    run(main())


def test_of_a_comparison_that_came_to_nothing_no_place_is_noted(tmp_path: Path) -> None:
    class Careless(House):
        def __call__(self, body: dict[str, Any]) -> Any:
            said = super().__call__(body)
            return said.replace("reason", "because") if "better" in str(said) else said

    async def main() -> None:
        async with asked(tmp_path / "g", Careless()) as (_, _, way):
            file, one = opened(tmp_path / "run", way, [compared(1)], calibrated=True)
            with file:
                await one.go(way)
            [made] = one.pairs()[0].comparisons
            assert (made.grade.verdict, made.first_shown) == ("error", ())

    run(main())


def test_a_comparison_of_other_answers_does_not_count(tmp_path: Path) -> None:
    async def main() -> None:
        house = House()
        async with asked(tmp_path / "g", house) as (_, _, way):
            path = tmp_path / "run"
            file, one = opened(path, way, [compared(1)], calibrated=True)
            with file:
                await one.go(way)
                before = file.outcomes["candidate", "case 1", 0]
                [pair] = one.pairs()
                assert len(pair.comparisons) == 1
                answered = type(before.answered)("another answer")
                file.add("candidate", type(before)("case 1", 0, "pass", answered))
                [pair] = one.pairs()
                assert pair.comparisons == ()
                await one.go(way)
                assert house.judged == 4
                assert len(one.pairs()[0].comparisons) == 1

    run(main())


def test_a_judge_that_is_not_calibrated_and_equal_answers(tmp_path: Path) -> None:
    async def main() -> None:
        house = House()
        async with asked(tmp_path / "g", house) as (_, _, way):
            file, one = opened(tmp_path / "run", way, [compared(n) for n in range(3)], False)
            with file:
                await one.go(way)
            found = {it.check: it for it in judge(one.pairs()).findings}
            assert found["win_rate"].verdict == "inconclusive"
            assert "only informs" in found["win_rate"].why
            file, one = opened(tmp_path / "run", way, [compared(n) for n in range(3)], True)
            with file:
                await one.go(way)
            found = {it.check: it for it in judge(one.pairs()).findings}
            assert "only informs" not in found["win_rate"].why
            assert house.judged == 6
        async with asked(tmp_path / "h", lambda _: "the same") as (_, up, way):
            file, one = opened(tmp_path / "same", way, [compared(n) for n in range(3)], False)
            with file:
                await one.go(way)
            assert len(up.exchanges) == 6
            assert {it.grade.score for pair in one.pairs() for it in pair.comparisons} == {0.5}

    run(main())


def test_what_is_said_of_each_answer_is_said_without_the_comparison(tmp_path: Path) -> None:
    async def main() -> None:
        house = House()
        fixed = Check("judge_pairwise", Raw(b'{"against": "expected"}'))
        both = case("a", checks=(Check("contains"), BETTER, fixed))
        async with asked(tmp_path / "g", house) as (_, _, way):
            file, one = opened(tmp_path / "run", way, [both], calibrated=True)
            with file:
                await one.go(way)
            [pair] = one.pairs()
            names = [name for name, _ in pair.candidate[0].grades]
            assert names == ["contains", "judge_pairwise"]
            assert [it.check for it in pair.comparisons] == [1]
            assert house.judged == 6

    run(main())
