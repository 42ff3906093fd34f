"""A decision is followed whole or not at all, by the leadership of now alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine
from tests.stores import rig

from tidegate.control.acting import Acted, Actor, apply, end_what_is_over, lead, renew
from tidegate.core.change import Change
from tidegate.core.controller import Proposal, Revise, Set, Tell
from tidegate.stores import changes, database, feed, leadership, revisions
from tidegate.stores.leadership import Fenced

NOON_S = rig.NOON_S


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = rig.migrated(tmp_path / "ledger.db")
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with database.writing(engine) as connection:
        yield connection


def weight(value: float, **fields: Any) -> Set:
    return Set("release_weight", "chat", value, "step", **fields)


class Act:
    """One controller's acts, tick for tick."""

    def __init__(self, connection: Connection, name: str = "release") -> None:
        self.connection = connection
        self.epoch = lead(connection, "a", NOON_S)
        self.author = f"controller:{name}"
        self.now_s = NOON_S
        self.held: tuple[Change, ...] = ()
        self.told: list[Tell] = []

    def __call__(self, *proposals: Proposal) -> Acted:
        self.now_s += 10
        actor = Actor(self.author, self.epoch, self.now_s, 60.0)

        def tell(connection: Connection, one: Tell, at_s: float) -> None:
            assert (connection, at_s) == (self.connection, self.now_s)
            self.told.append(one)

        acted = apply(self.connection, actor, proposals, self.held, tell)
        renew(self.connection, self.epoch, self.now_s)
        self.held = acted.held
        return acted


def test_what_is_proposed_is_held_and_goes_on_without_a_write(connection: Connection) -> None:
    act = Act(connection)
    first = act(weight(0.05))
    (change,) = first.set
    assert (change.value, change.lease_s, change.until_s, change.epoch) == (0.05, 60.0, None, 1)
    assert first.moved
    for _ in range(20):
        assert not act(weight(0.05)).moved
    assert changes.in_force(connection, act.now_s) == [change]
    assert len(feed.after(connection, 0)) == 1


def test_another_value_takes_the_place_of_the_one_before(connection: Connection) -> None:
    act = Act(connection)
    act(weight(0.05), Set("frozen", "chat", 1, "why"), Set("output_cap_tokens", "chat", 900, "why"))
    acted = act(
        weight(0.2), Set("frozen", "chat", 1, "why"), Set("output_cap_tokens", "chat", 500, "why")
    )
    now = {one.lever: one.value for one in changes.in_force(connection, act.now_s)}
    assert now == {"release_weight": 0.2, "frozen": 1, "output_cap_tokens": 500}
    assert {one.lever for one in acted.set} == {"release_weight", "output_cap_tokens"}
    assert acted.let_go == ()


def test_what_is_not_proposed_again_is_let_go(connection: Connection) -> None:
    act = Act(connection)
    act(weight(0.05), Set("frozen", "chat", 1, "why"))
    acted = act(Set("frozen", "chat", 1, "why"))
    assert [one.lever for one in acted.let_go] == ["release_weight"]
    assert [one.lever for one in changes.in_force(connection, act.now_s)] == ["frozen"]
    act()
    assert changes.in_force(connection, act.now_s) == []


def test_what_lapsed_while_its_leader_stood_still_is_set_anew_and_not_revived_beside_it(
    connection: Connection,
) -> None:
    act = Act(connection)
    (before,) = act(Set("output_cap_tokens", "chat", 500, "why")).set
    act.now_s += 600
    act.held = tuple(changes.in_force(connection, act.now_s))
    assert act.held == (), "it has lapsed"
    (after,) = act(Set("output_cap_tokens", "chat", 800, "why")).set
    assert changes.in_force(connection, act.now_s) == [after]
    assert changes.find(connection, before.id).ended_why == "lapsed"


def test_only_what_the_decision_answers_for_is_let_go(connection: Connection) -> None:
    act, other = Act(connection), Act(connection, "error_budget")
    act.epoch = other.epoch
    other(Set("frozen", "chat", 1, "why"))
    act(weight(0.05))
    act()
    assert [one.lever for one in changes.in_force(connection, act.now_s)] == ["frozen"]


def test_what_somebody_has_ended_meanwhile_is_set_anew_if_it_is_still_wanted(
    connection: Connection,
) -> None:
    act = Act(connection)
    (change,) = act(weight(0.05)).set
    changes.let_go(connection, change.id, changes.Author("operator:ann", NOON_S))
    (again,) = act(weight(0.05)).set
    assert again.id != change.id
    assert [one.id for one in changes.in_force(connection, act.now_s)] == [again.id]


def test_what_the_lever_does_not_allow_is_refused_and_the_rest_is_followed(
    connection: Connection,
) -> None:
    act = Act(connection)
    before = act(weight(0.05)).set
    acted = act(weight(5.0), Set("frozen", "chat", 1, "why"))
    ((refused,),) = (acted.refused,)
    assert "from 0 to 1" in refused.why
    assert {one.lever: one.value for one in acted.held} == {"release_weight": 0.05, "frozen": 1}
    assert before[0] in acted.held


def test_a_dial_that_another_holds_is_refused(connection: Connection) -> None:
    act = Act(connection)
    person = Change(
        "p", "release_weight", "chat", 0.5, "mine", "operator:ann", NOON_S, NOON_S + 999
    )
    changes.hold(connection, person)
    acted = act(weight(0.05))
    assert "held by operator:ann" in acted.refused[0].why
    assert [one.id for one in changes.in_force(connection, act.now_s)] == ["p"]


def test_a_start_voids_what_an_earlier_candidate_was_given(connection: Connection) -> None:
    act = Act(connection)
    person = Change("p", "shadow_share", "chat", 0.5, "mine", "operator:ann", NOON_S, NOON_S + 999)
    changes.hold(connection, person)
    acted = act(Revise("start", "chat", "chat/v2", "go"))
    assert [one.id for one in acted.let_go] == ["p"]
    (revision,) = revisions.every(connection)
    assert (revision.kind, revision.epoch, len(revision.salt or "")) == ("start", 1, 32)


def test_a_rollback_is_one_act_and_the_weight_is_gone_with_it(connection: Connection) -> None:
    act = Act(connection)
    act(weight(0.5))
    acted = act(
        Revise("withdraw", "chat", "chat/v2", "worse"), Set("release_off", "chat", 1, "worse")
    )
    assert [one.lever for one in acted.let_go] == ["release_weight"]
    assert [one.lever for one in changes.in_force(connection, act.now_s)] == ["release_off"]
    assert [one.kind for one in acted.revised] == ["withdraw"]


def test_a_promotion_keeps_the_weight_while_it_is_proposed(connection: Connection) -> None:
    act = Act(connection)
    act(weight(1.0))
    acted = act(weight(1.0), Revise("promote", "chat", "chat/v2", "safe"))
    assert (acted.let_go, acted.set) == ((), ())
    assert [one.value for one in changes.in_force(connection, act.now_s)] == [1.0]


def test_people_are_told(connection: Connection) -> None:
    act = Act(connection)
    word = Tell("release", "chat/v2", "ticket", "rolled back", "it is longer")
    act(word)
    assert act.told == [word]


def test_a_leadership_that_is_over_changes_nothing(engine: Engine) -> None:
    with database.writing(engine) as connection:
        act = Act(connection)
        act(weight(0.05))
        lead(connection, "b", act.now_s)
    with pytest.raises(Fenced), database.writing(engine) as connection:
        act.connection = connection
        act(weight(1.0), Revise("promote", "chat", "chat/v2", "safe"))
    with database.reading(engine) as connection:
        assert [one.value for one in changes.in_force(connection, act.now_s)] == [0.05]
        assert revisions.every(connection) == []


def test_an_act_that_fails_halfway_never_was(engine: Engine) -> None:
    def broken(*_: object) -> None:
        raise OSError("the wire is cut")

    with database.writing(engine) as connection:
        epoch = lead(connection, "a", NOON_S)
    actor = Actor("controller:release", epoch, NOON_S, 60.0)
    word = Tell("release", "k", "ticket", "t", "t")
    with pytest.raises(OSError, match="cut"), database.writing(engine) as connection:
        apply(connection, actor, (weight(0.5), word), (), broken)
    with database.reading(engine) as connection:
        assert changes.recent(connection, ended=True) == []


def test_a_new_leadership_ends_what_lapsed_and_goes_on_with_what_did_not(
    connection: Connection,
) -> None:
    act = Act(connection)
    (change,) = act(weight(0.05)).set
    act.epoch = lead(connection, "b", act.now_s + 30)
    assert not act(weight(0.05)).moved, "renewed in time, by whoever leads"
    lead(connection, "c", act.now_s + 61)
    kept = changes.find(connection, change.id)
    assert (kept.ended_why, kept.ended_at_s) == ("lapsed", act.now_s + 61)
    assert leadership.present(connection).epoch == 3


def test_without_a_loop_what_is_over_is_ended_too(engine: Engine) -> None:
    person = Change("p", "frozen", "chat", 1, "mine", "operator:ann", NOON_S, NOON_S + 9)
    with database.writing(engine) as connection:
        changes.hold(connection, person)
    end_what_is_over(engine, NOON_S + 8)
    with database.reading(engine) as connection:
        assert changes.find(connection, "p").ended_at_s is None
    end_what_is_over(engine, NOON_S + 9)
    end_what_is_over(engine, NOON_S + 10)
    with database.reading(engine) as connection:
        assert changes.find(connection, "p").ended_at_s == NOON_S + 9
        assert len(feed.after(connection, 0)) == 2
