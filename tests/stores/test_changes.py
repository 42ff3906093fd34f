"""A lever is held by whom it may be, until its time, and given back once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from tests.stores import rig
from tests.stores.changed import NOON_S, change, leased

from tidegate.core.change import Change
from tidegate.core.signal import Signal, Value
from tidegate.stores import audit, changes, database, feed, leadership
from tidegate.stores.audit import Author
from tidegate.stores.changes import ChangeNotFound, ChangeRefused, LeverTaken
from tidegate.stores.leadership import Fenced, Leadership

ANN, BOB = Author("operator:ann", NOON_S + 10), Author("operator:bob", NOON_S + 10)


def ids(held: list[Change]) -> list[str]:
    return [one.id for one in held]


def test_a_change_is_kept_as_it_is_with_its_evidence(engine: Engine) -> None:
    seen = (Signal("error_share", "share", "chat", 60.0, Value(0.2), 5.0),)
    with database.writing(engine) as connection:
        kept = changes.hold(connection, change(evidence=seen))
        assert kept == change(evidence=seen)
        assert changes.in_force(connection, NOON_S) == [kept]
        assert changes.find(connection, "c1").change == kept
        (row,) = audit.recent(connection)
        assert (row.actor, row.what, row.subject) == ("operator:ann", "change.set", "c1")
        assert row.detail == "target_off small = 1: it fails"
        assert [one.kind for one in feed.after(connection, 0)] == ["changes"]


def test_it_is_in_force_until_its_time_and_is_ended_once(engine: Engine) -> None:
    with database.writing(engine) as connection:
        changes.hold(connection, change())
        assert ids(changes.in_force(connection, NOON_S + 599)) == ["c1"]
        assert changes.in_force(connection, NOON_S + 600) == []
        assert changes.sweep(connection, NOON_S + 599) == []
        assert ids(changes.sweep(connection, NOON_S + 601)) == ["c1"]
        assert changes.sweep(connection, NOON_S + 700) == []
        kept = changes.find(connection, "c1")
        assert (kept.ended_at_s, kept.ended_why) == (NOON_S + 601, "over")
        assert len(feed.after(connection, 0)) == 2
        with pytest.raises(ChangeNotFound):
            changes.let_go(connection, "c1", ANN)


def test_a_clock_that_was_set_back_makes_no_change_longer(engine: Engine) -> None:
    with database.writing(engine) as connection:
        changes.hold(connection, change())
        assert changes.find(connection, "c1").remaining_s(NOON_S - 9999, Leadership()) == 600
        (one,) = changes.told(connection, NOON_S + 100)
        assert one == (change(), 500.0)


def test_any_number_holds_a_clamp_and_each_ends_its_own(engine: Engine) -> None:
    with database.writing(engine) as connection:
        changes.hold(connection, change("c1"))
        changes.hold(connection, change("c2", author="operator:bob"))
        changes.hold(connection, change("c3"))
        assert ids(changes.in_force(connection, NOON_S)) == ["c1", "c2", "c3"]
        assert changes.let_go(connection, "c2", BOB).id == "c2"
        assert ids(changes.in_force(connection, NOON_S)) == ["c1", "c3"]


def test_a_dial_has_one_holder_who_may_turn_it(engine: Engine) -> None:
    with database.writing(engine) as connection:
        leadership.take(connection, "a", NOON_S)
        changes.hold(connection, leased("c1"))
        with pytest.raises(LeverTaken, match="held by controller:release"):
            changes.hold(connection, leased("c2", author="operator:ann", value=1.0))
        changes.hold(connection, leased("c3", value=0.2))
        changes.hold(connection, leased("c4", scope="other", author="operator:ann"))
        assert ids(changes.in_force(connection, NOON_S)) == ["c3", "c4"]
        assert changes.find(connection, "c1").ended_why == "superseded"


def test_a_lease_lasts_as_long_as_its_leadership_renews(engine: Engine) -> None:
    with database.writing(engine) as connection:
        leadership.take(connection, "a", NOON_S)
        changes.hold(connection, leased())
        assert ids(changes.in_force(connection, NOON_S + 59)) == ["c1"]
        assert changes.in_force(connection, NOON_S + 60) == []
        leadership.beat(connection, 1, NOON_S + 50)
        assert ids(changes.in_force(connection, NOON_S + 109)) == ["c1"]
        assert changes.told(connection, NOON_S + 200) == [(leased(), 0.0)], "it may come back"
        assert changes.sweep(connection, NOON_S + 200) == []
        assert ids(changes.sweep(connection, NOON_S + 200, leases=True)) == ["c1"]
        assert changes.find(connection, "c1").ended_why == "lapsed"
        assert changes.told(connection, NOON_S + 200) == []


def test_a_lease_that_lapsed_keeps_nobody_else_from_its_dial(engine: Engine) -> None:
    with database.writing(engine) as connection:
        leadership.take(connection, "a", NOON_S)
        changes.hold(connection, leased())
        late_s = NOON_S + 61
        other = leased("c2", author="operator:ann", lease_s=None, from_s=late_s, until_s=late_s + 9)
        changes.hold(connection, other)
        leadership.beat(connection, 1, late_s)
        assert ids(changes.in_force(connection, late_s)) == ["c2"], "it has not come back"


def test_a_late_act_of_an_earlier_leadership_is_refused(engine: Engine) -> None:
    with database.writing(engine) as connection:
        leadership.take(connection, "a", NOON_S)
        leadership.take(connection, "b", NOON_S)
        with pytest.raises(Fenced):
            changes.hold(connection, leased(epoch=1))
        changes.hold(connection, leased(epoch=2))
        assert changes.hold(connection, change("c2")).epoch == 2, "a person is never too late"


def test_what_waits_for_approval_holds_nothing_until_others_have_said_yes(engine: Engine) -> None:
    with database.writing(engine) as connection:
        changes.hold(connection, change(), needs=2)
        assert changes.in_force(connection, NOON_S) == []
        assert feed.after(connection, 0) == []
        with pytest.raises(ChangeRefused, match="somebody else"):
            changes.approve(connection, "c1", ANN)
        assert changes.approve(connection, "c1", BOB).change.approved_by == ("operator:bob",)
        with pytest.raises(ChangeRefused, match="somebody else"):
            changes.approve(connection, "c1", BOB)
        assert changes.in_force(connection, NOON_S) == []
        changes.approve(connection, "c1", Author("operator:eve", NOON_S + 20))
        (held,) = changes.in_force(connection, NOON_S + 20)
        assert held.approved_by == ("operator:bob", "operator:eve")
        assert len(feed.after(connection, 0)) == 1
        with pytest.raises(ChangeRefused, match="waits for nobody"):
            changes.approve(connection, "c1", Author("operator:dan", NOON_S + 30))


def test_an_approval_that_comes_too_late_is_refused(engine: Engine) -> None:
    with database.writing(engine) as connection:
        changes.hold(connection, change(), needs=1)
        with pytest.raises(ChangeRefused, match="would be over"):
            changes.approve(connection, "c1", Author("operator:bob", NOON_S + 601))
        assert ids(changes.sweep(connection, NOON_S + 601)) == ["c1"]


def test_a_dial_that_was_taken_while_approval_was_awaited_is_not_had(engine: Engine) -> None:
    asked = {"lever": "target_weight", "scope": "chat/small", "value": 2.0}
    with database.writing(engine) as connection:
        changes.hold(connection, change(**asked), needs=1)
        changes.hold(connection, change("c2", author="operator:eve", **asked))
        with pytest.raises(LeverTaken):
            changes.approve(connection, "c1", BOB)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"lever": "target_on"}, "there is no lever"),
        ({"value": 2.0}, "from 0 to 1 flag"),
        ({"until_s": None}, "until a time, or as long as it is renewed"),
        ({"lease_s": 5.0}, "until a time, or as long as it is renewed"),
        ({"until_s": NOON_S}, "ends after it has begun"),
        ({"until_s": float("inf")}, "ends after it has begun"),
        ({"until_s": float("nan")}, "ends after it has begun"),
    ],
)
def test_a_change_that_could_not_be_in_force_is_refused(
    engine: Engine, fields: dict[str, object], says: str
) -> None:
    with database.writing(engine) as connection:
        with pytest.raises(ChangeRefused, match=says):
            changes.hold(connection, change(**fields))
        assert changes.recent(connection, ended=True) == []


def test_the_newest_come_first_and_old_history_is_dropped(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for number in range(3):
            changes.hold(connection, change(f"c{number}", from_s=NOON_S + number))
        changes.let_go(connection, "c1", ANN)
        assert [one.change.id for one in changes.recent(connection)] == ["c2", "c0"]
        assert [one.change.id for one in changes.recent(connection, ended=True, limit=2)] == [
            "c2",
            "c1",
        ]
        assert changes.trim(connection, NOON_S + 11) == 1
        with pytest.raises(ChangeNotFound):
            changes.find(connection, "c1")


@pytest.fixture(scope="module")
def one_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = rig.migrated(tmp_path_factory.mktemp("changes") / "ledger.db")
    yield engine
    engine.dispose()


steps = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.integers(0, 40)), max_size=12
)


@settings(max_examples=40)
@given(steps)
def test_a_dial_never_has_two_holders(one_engine: Engine, walk: list[tuple[int, str, int]]) -> None:
    with one_engine.connect() as plain, plain.begin() as undone:
        now_s = NOON_S
        for number, (what, who, wait_s) in enumerate(walk):
            now_s += wait_s
            turn = leased(f"c{number}", author=f"operator:{who}", from_s=now_s, lease_s=30.0)
            try:
                if what < 2:
                    changes.hold(plain, turn)
                else:
                    leadership.beat(plain, leadership.take(plain, who, now_s), now_s)
            except LeverTaken:
                pass
            assert len(changes.in_force(plain, now_s)) <= 1
            assert len(changes.told(plain, now_s)) <= 1
        undone.rollback()


def test_of_many_who_want_a_dial_at_once_one_has_it(engine: Engine) -> None:
    def want(number: int) -> bool:
        turn = change(
            f"c{number}", lever="target_weight", scope="chat/small", author=f"operator:{number}"
        )
        try:
            with database.writing(engine) as connection:
                changes.hold(connection, turn)
        except LeverTaken:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(want, range(6))) == [False] * 5 + [True]
    with database.reading(engine) as connection:
        assert len(changes.in_force(connection, NOON_S)) == 1
