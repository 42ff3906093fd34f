"""Turns are looked at once each when their time is over, for the version that served the answer."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.evals.online_room import Room
from tests.stores import rig, said

from tidegate.core.assessment import Assessment
from tidegate.core.conversation_place import conversation_place
from tidegate.core.declared_capture import DeclaredCapture
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.deletion import Deletion
from tidegate.core.receipt import Receipt
from tidegate.evals.follow_ups import EVERY_S, GRACE_S, WAIT_S, FollowUps
from tidegate.stores import assessments, captures, database, feedback, judged_hits
from tidegate.stores.friction import friction
from tidegate.stores.ledger import Ledger
from tidegate.stores.schema_assessed import assessments as table
from tidegate.text.follow_up import WINDOW_S

NOON_S = said.NOON_S
Q, A, WRONG = "What is the capital of Australia?", "It is Sydney.", "No, that is wrong."
CANARY = {
    "rollout": "chat/v2",
    "release": "v2",
    "arm": "canary",
    "unit": 7,
    "unit_kind": "user",
    "prompt_version": "v2",
}
DUE_S = WINDOW_S + GRACE_S + 1


class Online:
    """A database, what is in it, and the job over it at a time of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.room = Room(folder, chat=DeclaredQuality())
        self.declare(DeclaredCapture(1.0))
        self.now_s = self.boot_s = NOON_S
        self.job = self.another()

    def another(self) -> FollowUps:
        return FollowUps(
            self.room.given, wall_s=lambda: self.now_s, since_boot_s=lambda: self.boot_s
        )

    def declare(self, capture: DeclaredCapture | None, *, follow_up: bool = True) -> None:
        routes = {
            name: replace(it, capture=capture, quality=DeclaredQuality(follow_up=follow_up))
            for name, it in self.room.declared.routes.items()
        }
        self.room.declared = replace(self.room.declared, routes=routes)

    def receipt(self, at_s: float, **fields: Any) -> Receipt:
        values = {"key_id": "k", "route": "chat", "session_id": "s", "total_s": 5.0, **fields}
        made = rig.receipt(NOON_S + at_s, **values)
        Ledger(self.room.engine).write(rig.entries(made), [])
        return made

    def ask(self, at_s: float, *spoken: str, stored_s: float | None = None, **of: Any) -> Receipt:
        """So many seconds after noon; its answer takes five."""
        receipt = self.receipt(at_s, **of)
        self.capture(receipt, *spoken, stored_s=stored_s)
        return receipt

    def capture(
        self, receipt: Receipt, *spoken: str, stored_s: float | None = None, answer: str = A
    ) -> None:
        roles = ("user", "assistant")
        turns = [{"role": roles[n % 2], "content": it} for n, it in enumerate(spoken)]
        at_s = receipt.started_at_s
        place = conversation_place(receipt)
        made = said.captured(
            at_s,
            receipt_id=receipt.id,
            messages=msgspec.json.encode(turns).decode(),
            answer=answer,
            customer=receipt.customer,
            conversation=None if place is None else f"{place:016x}",
        )
        with database.writing(self.room.engine) as connection:
            captures.store(connection, [made], at_s if stored_s is None else NOON_S + stored_s)

    def go_on(self, by_s: float) -> None:
        self.now_s += by_s
        self.boot_s += by_s

    def look(self) -> float:
        return asyncio.run(self.job.step())

    def found(self) -> dict[str, Assessment]:
        with database.reading(self.room.engine) as connection:
            rows = [dict(it) for it in connection.execute(table.select()).mappings()]
        for row in rows:
            del row["seq"], row["folded"]
        return {row["receipt_id"]: Assessment(**row) for row in rows}

    def bad(self) -> dict[str, bool | None]:
        return {name: it.is_bad for name, it in self.found().items()}


@pytest.fixture
def online(tmp_path: Path) -> Iterator[Online]:
    made = Online(tmp_path)
    with made.room:
        yield made


def test_a_complaint_is_of_the_version_that_served_the_answer(online: Online) -> None:
    first = online.ask(0, Q, **CANARY)
    then = online.ask(60, Q, A, WRONG, prompt_version="v1", arm="stable")
    online.go_on(60 + DUE_S + 5)
    assert online.look() == EVERY_S
    found = online.found()
    assert online.bad() == {first.id: True, then.id: False}
    one = found[first.id]
    assert (one.assessed_as, one.rollout, one.arm, one.unit) == (
        "follow_up",
        "chat/v2",
        "canary",
        one.unit,
    )
    assert (one.prompt_version, found[then.id].prompt_version) == ("v2", "v1")
    assert one.conversation == found[then.id].conversation is not None
    assert one.why and "Sydney" not in one.why
    with database.reading(online.room.engine) as connection:
        [(_, waiting)] = assessments.unfolded(connection)
    assert (waiting.receipt_id, waiting.unit) == (first.id, 7)


def test_nothing_is_told_before_its_time_is_over(online: Online) -> None:
    first = online.ask(0, Q)
    online.ask(30, Q, A, WRONG)
    for _ in range(11):
        online.look()
        assert online.bad() == {}
        online.go_on(60)
    online.go_on(5)
    online.look()
    assert online.bad() == {first.id: True}


def test_it_is_told_once_whoever_looks_and_however_often(online: Online) -> None:
    every = [online.ask(n, f"question number {n}", session_id=f"s{n}") for n in range(120)]
    online.go_on(120 + DUE_S + 5)
    online.look()
    assert len(online.found()) == len(every)
    assert online.job.counts == {"none": 120}
    online.job = online.another()
    online.look()
    assert online.job.counts == {}
    assert b'tidegate_follow_ups_total{found="none"}' not in online.job.render()


def test_two_that_look_at_once_tell_it_once(online: Online) -> None:
    online.ask(0, Q)
    online.go_on(DUE_S + 5)
    with database.reading(online.room.engine) as connection:
        looked = online.job._look(connection, online.now_s)
    assert len(looked.found) == 1
    online.look()
    other = online.another()
    other._look = lambda *_: looked  # type: ignore[method-assign]
    other._page(online.now_s)
    assert other.counts == {}
    assert len(online.found()) == 1


def test_what_is_deleted_meanwhile_is_not_told(online: Online) -> None:
    online.ask(0, Q, customer="acme")
    online.go_on(DUE_S + 5)
    with database.reading(online.room.engine) as connection:
        looked = online.job._look(connection, online.now_s)
    with database.writing(online.room.engine) as connection:
        captures.remove(connection, Deletion(online.now_s, "acme"), online.now_s)
    online.job._look = lambda *_: looked  # type: ignore[method-assign]
    assert online.job._page(online.now_s)
    assert online.found() == {}


def test_what_came_late_waits_for_what_came_with_it(online: Online) -> None:
    first = online.ask(0, Q, stored_s=4000)
    online.go_on(4000 + GRACE_S - 1)
    online.look()
    assert online.bad() == {}
    online.ask(60, Q, A, WRONG, stored_s=4001)
    online.go_on(2)
    online.look()
    assert online.bad()[first.id] is True


def test_a_receipt_is_waited_for_and_not_for_ever(online: Online) -> None:
    receipt = rig.receipt(NOON_S, key_id="k", route="chat", session_id="s", total_s=5.0)
    online.capture(receipt, Q)
    online.go_on(DUE_S + 5)
    online.look()
    assert online.found() == {}
    Ledger(online.room.engine).write(rig.entries(receipt), [])
    online.look()
    assert online.bad() == {receipt.id: False}
    lost = rig.receipt(online.now_s, key_id="k", route="chat", session_id="s2", total_s=5.0)
    online.capture(lost, Q)
    online.go_on(WAIT_S + 1)
    online.look()
    Ledger(online.room.engine).write(rig.entries(lost), [])
    online.look()
    assert lost.id not in online.bad()


def test_a_next_turn_that_is_not_captured_is_unknown_and_not_silence(online: Online) -> None:
    failed = online.ask(0, Q)
    online.receipt(60, error_code="upstream_error")
    silent = online.ask(0, Q, session_id="other")
    long = online.ask(0, "many words " * 6000, session_id="long")
    anonymous = online.ask(0, Q, session_id=None, conversation=5)
    online.go_on(60 + DUE_S)
    online.look()
    assert online.bad() == {failed.id: None, silent.id: False, long.id: None, anonymous.id: False}


def test_feedback_within_the_time_is_a_complaint(online: Online) -> None:
    early, late, up, anew = (online.ask(0, Q, session_id=name) for name in "abcd")
    with database.writing(online.room.engine) as connection:
        several = [
            said.feedback(early, rating=-1.0, at_s=NOON_S + 5 + WINDOW_S),
            said.feedback(late, rating=-1.0, at_s=NOON_S + 6 + WINDOW_S),
            said.feedback(up, rating=1.0, at_s=NOON_S + 9),
            said.feedback(anew, "regenerated", at_s=NOON_S + 9),
        ]
        feedback.store(connection, several)
        connection.execute(table.delete())  # what the ratings are by themselves
    online.go_on(DUE_S + 10)
    online.look()
    assert online.bad() == {early.id: True, late.id: False, up.id: False, anew.id: True}


def test_a_client_that_tries_again_is_no_user_who_asks_again(online: Online) -> None:
    online.ask(0, Q)
    second = online.ask(60, Q, retry_count=1)
    online.go_on(60 + DUE_S + 5)
    online.look()
    assert online.bad() == {second.id: False}


@pytest.mark.parametrize("how", ["capture", "follow_up", "eval", "shadow"])
def test_only_users_of_routes_that_ask_for_it_are_looked_at(online: Online, how: str) -> None:
    fields: dict[str, Any] = {"eval": {"purpose": "eval"}, "shadow": {"shadow_of": "x"}}.get(
        how, {}
    )
    online.ask(0, Q, **fields)
    if how in ("capture", "follow_up"):
        online.declare(None if how == "capture" else DeclaredCapture(1.0), follow_up=False)
    online.go_on(DUE_S + 5)
    online.look()
    online.declare(DeclaredCapture(1.0))
    online.look()
    assert online.found() == {}


@pytest.mark.parametrize("by_s", [86_400.0, -3600.0])
def test_a_clock_that_was_set_makes_nothing_old(online: Online, by_s: float) -> None:
    online.look()
    first = online.ask(0, Q)
    online.now_s += by_s
    if by_s < 0:
        online.ask(by_s + 30, Q, session_id="after")
    assert online.look() == EVERY_S
    assert online.found() == {}
    online.ask(30, Q, A, WRONG)
    online.go_on(DUE_S + max(-by_s, 0) + 40)
    online.look()
    assert online.bad()[first.id] is True


def test_more_than_a_step_looks_at_goes_on_soon(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.evals.follow_ups._AT_ONCE", 2)
    monkeypatch.setattr("tidegate.evals.follow_ups._PAGES", 2)
    for n in range(7):
        online.ask(n, Q, session_id=f"s{n}")
    online.go_on(DUE_S + 12)
    assert online.look() == 1.0
    assert len(online.found()) == 4
    assert online.look() == EVERY_S
    assert len(online.found()) == 7
    assert b'tidegate_follow_ups_total{found="none"} 7.0' in online.job.render()


def test_other_requests_of_its_conversation_hide_no_next_turn(online: Online) -> None:
    titled = online.ask(0, Q, session_id="titled")
    online.ask(6, "Write a title of five words.", session_id="titled")
    online.ask(60, Q, A, WRONG, session_id="titled")
    many = online.ask(0, Q, A, "And of Austria?", session_id="many")
    for n in range(12):
        online.ask(6 + n, "Sum this up.", A, f"Part {n}.", session_id="many")
    online.ask(60, Q, A, "And of Austria?", A, WRONG, session_id="many")
    missed = online.ask(0, Q, A, "And of Austria?", session_id="missed")
    online.ask(6, "Sum this up.", A, "Part 7.", session_id="missed")
    online.receipt(60, session_id="missed")
    online.go_on(60 + DUE_S + 5)
    online.look()
    bad = online.bad()
    assert [bad[it.id] for it in (titled, many, missed)] == [True, None, None]


def test_a_complaint_about_a_kept_answer_is_of_that_and_of_no_version(online: Online) -> None:
    hit = {**CANARY, "cache": "hit", "cache_tier": "exact", "cache_from": "r-first"}
    first = online.ask(0, Q, **hit)
    then = online.ask(60, Q, A, WRONG, **CANARY)
    online.go_on(60 + DUE_S + 5)
    online.look()
    assert online.bad() == {then.id: False}
    with database.reading(online.room.engine) as connection:
        [found] = judged_hits.found(connection, "chat", 0.0)
        assert [it.receipt_id for _, it in assessments.unfolded(connection)] == [then.id]
        assert friction(connection, route="chat", since_s=0.0)[0].with_friction == 0
        assert judged_hits.judged_hits(connection, "chat", 0.0) == []
    assert (found.assessed_as, found.stratum.tier, found.bad) == ("follow_up", "exact", 1)
    assert online.job.counts == {"complaint": 1, "none": 1}
    assert not captured_twice(online, first)


def captured_twice(online: Online, one: Receipt) -> bool:
    """Whether another look tells it again."""
    online.go_on(DUE_S)
    online.look()
    with database.reading(online.room.engine) as connection:
        return sum(it.known for it in judged_hits.found(connection, one.route, 0.0)) != 1
