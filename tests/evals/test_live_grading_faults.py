"""What keeps live answers from being graded: judges that are away, answers that go."""

from pathlib import Path

import pytest
from tests.evals.graded import raising, run
from tests.evals.live_rig import GOOD, SECRET, START_S, Bench
from tests.stores import rig

from tidegate.core.deletion import Deletion
from tidegate.core.grading import Answered
from tidegate.evals.asking import MoneySpent
from tidegate.evals.own_gateway import NoGateway
from tidegate.stores import captures, database, notices


def test_a_judge_that_is_away_is_an_outage_that_loses_no_answer(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.way.say = lambda _: Answered(None, failure=f"unreachable: {SECRET}")
            it.way.cost_nanousd = 0
            wanted = {it.captured() for _ in range(5)}
            await it.steps(60)
            assert it.found() == []
            assert it.ungraded() == "no verdicts come: unreachable"
            assert len(it.way.asked) < 15  # it is asked now and then
            with database.reading(it.engine) as connection:
                [told] = notices.recent(connection, only_open=True)
            assert (told.topic, told.route) == ("quality", "chat")
            assert SECRET not in told.text + told.title
            it.way.say = lambda _: Answered(GOOD)
            await it.steps(60)
            assert {one.receipt_id for one in it.found()} == wanted
            assert it.ungraded() is None
            with database.reading(it.engine) as connection:
                assert not notices.recent(connection, only_open=True)

    run(main())


def test_one_answer_that_no_judge_takes_is_unknown_and_the_rest_is_graded(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.way.say = lambda body: (
                Answered(None, failure="refused_by_safety") if b"Poison" in body else Answered(GOOD)
            )
            poison = it.captured("Poison", prompt_version="v0")
            for _ in range(12):
                it.captured()
                await it.steps(3)
            unknown = [one.receipt_id for one in it.found() if one.is_bad is None]
            assert unknown == [poison]
            assert len(it.found()) == 13
            assert it.ungraded() is None

    run(main())


def test_a_malformed_verdict_is_unknown_and_several_are_an_outage(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.way.say = lambda _: Answered("I like it.")
            for _ in range(6):
                it.captured()
            await it.steps(30)
            assert {one.is_bad for one in it.found()} == {None}
            assert it.found()[0].why == "no verdict from judge_rubric"
            assert it.found()[0].rollout is None
            assert it.ungraded() == "no verdicts come: none that could be read"
            assert 'tidegate_quality_errors_total{route="chat"' in it.job.render().decode()

    run(main())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MoneySpent("x"), "may spend no more"),
        (NoGateway("control.gateway_url does not say"), "control.gateway_url"),
        (ValueError(SECRET), "an error of ours (ValueError)"),
    ],
)
def test_whatever_keeps_it_from_asking_is_told(
    tmp_path: Path, error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.way.say = raising(error)
            it.way.missing = error if isinstance(error, NoGateway) else None
            it.captured()
            await it.steps(40)
            assert said in (it.ungraded() or "")
            assert not it.found()
            assert SECRET not in (it.ungraded() or "") + caplog.text

    run(main())


def test_what_is_deleted_while_it_is_judged_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:

            def say(_: bytes) -> Answered:
                with database.writing(it.engine) as connection:
                    captures.remove(connection, Deletion(2e9, customer="acme"), START_S + 1)
                return Answered(GOOD)

            it.way.say = say
            it.captured(customer="acme")
            await it.steps(3)
            assert len(it.way.asked) == 1
            assert it.found() == []
            assert "graded_total" not in it.job.render().decode()

    run(main())


def test_who_leads_no_more_while_it_is_judged_keeps_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:

            def say(_: bytes) -> Answered:
                it.leads = False
                return Answered(GOOD)

            it.way.say = say
            it.captured()
            await it.steps(2)
            assert (len(it.way.asked), it.found(), it.ungraded()) == (1, [], None)
            await it.job.close()
            it.leads, it.way.say = True, lambda _: Answered(GOOD)
            await it.steps(2)
            assert len(it.found()) == 1

    run(main())


def test_what_is_under_way_ends_with_the_job(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.captured()
            await it.job.step()
            assert it.job._tasks
            await it.job.close()
            assert not it.job._tasks and it.found() == []

    run(main())


def test_an_answer_whose_receipt_never_comes_is_left_out(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            lost = rig.receipt(START_S, route="chat", key_id="k")
            it.keep(lost, "Good day.")
            await it.steps(2)
            assert (it.found(), it.way.asked, it.ungraded()) == ([], [], None)

    run(main())


def test_a_judge_whose_cost_nobody_knows_is_asked_once(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.way.cost_nanousd = None
            for _ in range(5):
                it.captured()
            await it.steps(20)
            [one] = it.found()
            assert one.cost_nanousd is None
            assert "nobody knows what its judge costs" in (it.ungraded() or "")
            it.job = it.fresh()
            await it.steps(20)
            assert len(it.found()) == 1

    run(main())


def test_a_judge_that_is_away_is_not_well_because_control_started_anew(tmp_path: Path) -> None:
    async def main() -> None:
        with Bench(tmp_path) as it:
            it.way.say = lambda _: Answered("", failure="unreachable")
            for _ in range(6):
                it.captured()
            await it.steps(8)
            before = it.ungraded()
            assert before is not None and "unreachable" in before
            it.job = it.fresh()
            await it.job.step()
            assert it.ungraded() == before
            it.way.say = lambda _: Answered(GOOD)
            await it.settled()
            await it.steps(10, 12.0)
            assert it.ungraded() is None

    run(main())
