"""A sample of live answers is graded: what is kept of it, and what failures come to."""

from collections import Counter
from pathlib import Path

import pytest
from tests.evals.graded import CANARY, DAY_S, PLAIN, run
from tests.evals.live_rig import BAD, CHECKS, GOOD, JUDGED, SECRET, Bench, priced, usd
from tests.stores import rig

from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.grading import Answered
from tidegate.stores import judges, live_answers


def test_answers_are_judged_and_kept_with_who_judged_and_what_that_cost(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.way.say = lambda body: Answered(BAD if b"Go away." in body else GOOD)
            good, bad = it.captured(), it.captured("Go away.", **CANARY)
            await it.steps(3)
            found = {one.receipt_id: one for one in it.found()}
            assert {good: False, bad: True} == {id: one.is_bad for id, one in found.items()}
            one = found[bad]
            assert (one.assessed_as, one.route, one.arm, one.model) == (
                "quality",
                "chat",
                "canary",
                "m",
            )
            assert (one.score, one.cost_nanousd, one.why) == (0.0, 1000, "failed judge_rubric")
            assert len(one.judge) == 64 and one.judge == found[good].judge
            assert it.ungraded() is None
            assert SECRET.encode() in it.way.asked[0]
            assert SECRET not in repr(it.found()) and "rude" not in repr(it.found())

    run(main())


def test_a_judge_that_is_not_calibrated_counts_for_no_release_and_one_that_is_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.captured(**CANARY)
            await it.steps(2)
            [one] = it.found()
            assert (one.rollout, one.unit, one.arm, one.is_bad) == (None, None, "canary", False)
            asked: list[str] = []

            def may_decide(_connection: object, digest: str, _now_s: float) -> bool:
                asked.append(digest)
                return True

            monkeypatch.setattr(judges, "may_decide", may_decide)
            fresh = it.captured(**CANARY)
            await it.steps(7)
            [two] = [made for made in it.found() if made.receipt_id == fresh]
            assert (two.rollout, two.unit, asked) == ("r1", 7, [two.judge])

    run(main())


def test_checks_without_a_judge_cost_nothing_and_count(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path, PLAIN) as it:
            it.captured(**CANARY)
            await it.steps(2)
            [one] = it.found()
            assert (one.is_bad, one.rollout, one.cost_nanousd, one.judge) == (False, "r1", 0, "")
            assert not it.way.asked

    run(main())


def test_only_whole_answers_of_users_are_graded_and_each_once(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path, PLAIN) as it:
            good = it.captured()
            it.captured(purpose="eval")
            it.captured(arm="shadow")
            it.captured(cut=True)
            it.captured(shortened=True)
            it.captured(route="other")
            it.captured(messages='[{"role": "tool", "content": "7"}]')
            await it.steps(8)
            assert [one.receipt_id for one in it.found()] == [good]
            it.job = it.fresh()
            await it.steps(8)
            assert len(it.found()) == 1
            assert it.ungraded() is None

    run(main())


def test_what_nobody_can_grade_is_told_when_there_is_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path, PLAIN) as it:
            for _ in range(25):
                it.captured(messages='[{"role": "tool", "content": "7"}]')
            await it.steps(20)
            assert not it.found()
            assert "cannot be graded" in (it.ungraded() or "")

    run(main())


def test_arms_are_graded_alike_and_never_more_than_per_hour_across_restarts(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        with Bench(tmp_path, priced(per_hour=60)) as it:
            for number in range(130):
                it.captured(**(CANARY if number % 4 == 0 else {"prompt_version": "v1"}))
            for _ in range(2):
                it.job = it.fresh()
                await it.steps(29, 61.0)
            found = it.found()
            assert 55 <= len(found) <= 60
            by = Counter(one.arm for one in found)
            assert abs(by["canary"] - by[None]) <= 4

    run(main())


def test_the_days_money_is_kept_across_restarts_and_told_when_it_is_spent(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path, priced(most_usd_per_day=usd("0.000010"))) as it:
            for _ in range(40):
                it.captured()
            await it.steps(6)
            it.job = it.fresh()
            await it.steps(20)
            assert sum(one.cost_nanousd or 0 for one in it.found()) == 10_000
            assert "cost in a day is spent" in (it.ungraded() or "")
            text = it.job.render().decode()
            assert 'tidegate_quality_budget_used{route="chat"} 1.0' in text
            assert "tidegate_quality_ungraded_since" in text
            it.time.now_s += DAY_S
            for _ in range(3):
                it.captured()
            await it.steps(10)
            assert len(it.found()) == 13
            assert it.ungraded() is None

    run(main())


def test_a_route_that_captures_nothing_is_told_and_forgotten_with_its_declaration(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.declare(JUDGED, share=None)
            await it.steps(2, 6.0)
            assert "write `capture`" in (it.ungraded() or "")
            it.declare(JUDGED)
            await it.steps(2, 6.0)
            assert it.ungraded() is None
            it.declare(JUDGED, share=None)
            await it.steps(2, 6.0)
            it.declare(DeclaredQuality())
            await it.steps(2, 6.0)
            assert it.ungraded() is None

    run(main())


def test_answers_of_which_only_beginnings_are_kept_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path, PLAIN) as it:
            for _ in range(25):
                it.captured(shortened=True)
            await it.steps(8)
            assert it.found() == []
            assert "cannot be graded" in (it.ungraded() or "")

    run(main())


def test_an_answer_whose_receipt_is_late_is_graded_later_and_that_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path, PLAIN) as it:
            at_s = it.time.clocks().wall_s()
            late = [rig.receipt(at_s, route="chat", key_id="k") for _ in range(3)]
            for one in late:
                it.keep(one, "Good day.")
            await it.steps(4, 30.0)
            assert "receipts" in (it.ungraded() or "")
            it.record(*late)
            await it.steps(6, 12.0)
            assert {one.receipt_id for one in it.found()} == {one.id for one in late}
            assert it.ungraded() is None

    run(main())


def test_captures_are_missed_where_conversations_were_to_be_captured_and_not_by_a_long_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.declare(JUDGED, share=0.05)
            monkeypatch.setattr(live_answers, "answered_since", lambda *_: 1000)
            await it.steps()
            it.time.now_s += 120.0
            at_s = it.time.clocks().wall_s()
            given = {"route": "chat", "key_id": "k", "error_code": None, "endpoint": "chat"}
            long = [rig.receipt(at_s, session_id="long", **given) for _ in range(500)]
            # Answers that were kept are nobody's to be captured.
            hits = [rig.receipt(at_s, session_id=f"s{n}", cache="hit", **given) for n in range(500)]
            it.record(*long, *hits)
            it.time.now_s += 120.0
            await it.steps(2, 6.0)
            assert it.ungraded() is None
            others = [rig.receipt(at_s, session_id=f"s{n}", **given) for n in range(1000)]
            it.record(*others)
            await it.steps(2, 6.0)
            assert it.ungraded() == "no captured requests come"

    run(main())


def test_an_alarm_about_its_judge_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            monkeypatch.setattr(judges, "alarmed", lambda _: {"chat": "its judge has drifted"})
            it.captured()
            await it.steps(8)
            assert len(it.found()) == 1
            assert it.ungraded() == "its judge has drifted"

    run(main())


def test_another_plan_changes_what_is_asked_and_forgets_no_spending(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.captured()
            await it.steps(3)
            stricter = CHECKS.replace("polite", "exact")
            it.declare(priced(checks=stricter, judge_parameters='{"temperature":0}'))
            it.captured()
            await it.steps(3)
            assert b"exact" in it.way.asked[1] and b'"temperature":0' in it.way.asked[1]
            first, second = it.found()
            assert first.judge != second.judge
            assert b'"polite' not in it.way.asked[1]

    run(main())
