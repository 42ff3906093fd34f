"""Requests wait for what was spent: all for one read, a hard budget patiently, an alert hardly."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.gateway.house import ALERT, COST, MONTH, USD, house
from tests.gateway.journals import never
from tests.gateway.rig import run, until

from tidegate.core.receipt import encode_frame
from tidegate.gateway import past as past_of
from tidegate.gateway.past_reader import Found, PastReader, Question


def test_what_settled_in_this_very_turn_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its frame is on its way to the journal's file, and not in it yet."""

    async def main() -> None:
        async with house(tmp_path) as it:
            real = PastReader.read_on

            def read_on(reader: PastReader, questions: list[Question], found: Found) -> None:
                real(reader, questions, found)
                if threading.current_thread() is threading.main_thread():
                    it.it.journal.append(encode_frame(it.spend(5 * USD)), lambda: None, never)

            monkeypatch.setattr(PastReader, "read_on", read_on)
            await it.obey(MONTH)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == 5 * USD + COST

    run(main())


def test_all_who_ask_for_one_scope_share_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        reads: list[int] = []
        go = threading.Event()
        real = PastReader.read

        def read(reader: PastReader, questions: list):
            reads.append(len(questions))
            go.wait()
            return real(reader, questions)

        monkeypatch.setattr(PastReader, "read", read)
        async with house(tmp_path) as it:
            await it.obey(MONTH)
            asking = [asyncio.create_task(it.it.ask()) for _ in range(10)]
            await until(lambda: reads and len(it.it.world.listener.connections) == 10)
            go.set()
            replies = await asyncio.gather(*asking)
            assert {reply.status for reply in replies} == {200}
            assert reads == [1]
            assert it.used("monthly") == 10 * COST

    run(main())


def test_without_the_ledger_hard_budgets_refuse_and_try_again_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            await it.obey(MONTH)
            away = it.it.layout.ledger_db.with_name("away.db")
            it.it.layout.ledger_db.rename(away)
            reply = await it.it.ask()
            assert (reply.status, reply.code) == (503, "limits_unavailable")
            assert reply.headers["retry-after"] == "1"
            assert "monthly" in reply.json["error"]["message"]
            away.rename(it.it.layout.ledger_db)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == COST

    run(main())


def test_without_the_ledger_alerts_are_served_and_counted_once_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        monkeypatch.setattr(past_of, "RETRY_S", 0.0)
        async with house(tmp_path) as it:
            await it.obey(ALERT)
            away = it.it.layout.ledger_db.with_name("away.db")
            it.it.layout.ledger_db.rename(away)
            assert (await it.it.ask()).status == 200
            assert it.used("told") == 0
            away.rename(it.it.layout.ledger_db)
            assert (await it.it.ask()).status == 200
            assert it.used("told") == 2 * COST

    run(main())


def test_a_read_that_hangs_costs_a_hard_budget_its_patience_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes when the read has come back finds the scope known."""

    async def main() -> None:
        go = threading.Event()
        real = PastReader.read

        def read(reader: PastReader, questions: list):
            go.wait()
            return real(reader, questions)

        monkeypatch.setattr(PastReader, "read", read)
        monkeypatch.setattr(past_of, "PATIENCE_S", 0.05)
        async with house(tmp_path) as it:
            await it.obey(MONTH)
            assert (await it.it.ask()).code == "limits_unavailable"
            go.set()
            await until(lambda: it.past.seeded_s > 0)
            assert (await it.it.ask()).status == 200

    run(main())
