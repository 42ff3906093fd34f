"""What moved a route's requests in a stretch of time, with who did it."""

from msgspec import Raw
from sqlalchemy import Engine
from tests.stores.changed import NOON_S, change, leased, revision

from tidegate.core.levers import EVERY
from tidegate.core.rollout import Rollout
from tidegate.core.rollout_state import Asked
from tidegate.stores import audit, changes, database, leadership, revisions, rollouts, time_line
from tidegate.stores.audit import Author
from tidegate.stores.rollouts import Moved

ADA = Author("ada", NOON_S + 1)
HOUR = (NOON_S, NOON_S + 3600)


def told(engine: Engine, between_s: tuple[float, float] = HOUR) -> list[tuple[str, str, str, str]]:
    with database.reading(engine) as connection:
        found = time_line.of_route(connection, "chat", ["small"], between_s)
    assert [one.at_s for one in found] == sorted((one.at_s for one in found), reverse=True)
    return [(one.kind, one.name, one.who, one.what) for one in found]


def test_changes_of_the_route_of_its_targets_and_of_everything_are_told(engine: Engine) -> None:
    with database.writing(engine) as connection:
        leadership.take(connection, "a", NOON_S)
        changes.hold(connection, change("c1", from_s=NOON_S + 10, until_s=NOON_S + 60))
        weight = {"lever": "target_weight", "scope": "chat/small", "value": 2.0}
        changes.hold(connection, change("c2", from_s=NOON_S + 20, **weight))
        changes.hold(connection, change("c3", lever="shed_rank", scope="", from_s=NOON_S + 30))
        changes.hold(connection, change("c7", lever="frozen", scope=EVERY, from_s=NOON_S + 35))
        changes.hold(connection, change("c4", scope="large", from_s=NOON_S + 40))
        changes.hold(connection, change("c5", from_s=NOON_S + 50), needs=1)  # nobody has said yes
        changes.hold(connection, leased("c6", lever="release_policy", value=2.0))
        changes.let_go(connection, "c1", Author("bob", NOON_S + 45))
    assert told(engine) == [
        ("change", "target_off of small", "bob", "ended, ended"),
        ("change", f"frozen of {EVERY}", "operator:ann", "set to 1: it fails"),
        ("change", "shed_rank", "operator:ann", "set to 1: it fails"),
        ("change", "target_weight of chat/small", "operator:ann", "set to 2: it fails"),
        ("change", "target_off of small", "operator:ann", "set to 1: it fails"),
    ]
    assert told(engine, (NOON_S + 40, NOON_S + 50)) == [
        ("change", "target_off of small", "bob", "ended, ended")
    ]
    assert told(engine, (NOON_S + 4000, NOON_S + 5000)) == []


def test_revisions_releases_and_plans_are_told(engine: Engine) -> None:
    new = Rollout("chat/new", "chat", "d1", "ada", {"target": Raw(b'"new"')})
    other = Rollout("mail/new", "mail", "d1", "ada", {"target": Raw(b'"new"')})
    with database.writing(engine) as connection:
        for one in (new, other):
            rollouts.create(connection, one, ADA)
            rollouts.ask(connection, Asked(0, one.id, "start", "bob", NOON_S + 5, "at last"))
            line = Moved(NOON_S + 6, "step", 1, "five in a hundred", 1)
            rollouts.move(connection, one.id, line, ended=False)
        revisions.append(connection, revision("r1", kind="start", rollout="chat/new", at_s=HOUR[1]))
        revisions.append(connection, revision("r2", route="mail", at_s=NOON_S + 8))
        audit.append(connection, Author("file change", NOON_S + 9), "plan.publish", "7", "routes a")
    assert told(engine) == [
        ("revision", "start chat/new", "operator:ann", "cheaper"),
        ("plan", "version 7", "file change", "routes a"),
        ("release", "chat/new", "controller:release", "step: five in a hundred"),
        ("release", "chat/new", "bob", "asked to start: at last"),
        ("release", "chat/new", "ada", "created"),
    ]


def test_of_many_the_newest_are_told(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for number in range(60):
            by = Author("signal", NOON_S + number)
            audit.append(connection, by, "plan.publish", str(number), "drain_s")
    found = told(engine)
    assert len(found) == time_line.MOST
    assert found[0][1] == "version 59"


def test_a_release_s_dials_in_its_lane_are_of_its_route(engine: Engine) -> None:
    with database.writing(engine) as connection:
        leadership.take(connection, "a", NOON_S)
        changes.hold(connection, leased("c1", scope="chat@new"))
        changes.hold(connection, leased("c2", scope="chat_@new"))
        changes.hold(connection, leased("c3", scope="chatty@new"))
    assert [name for _, name, *_ in told(engine)] == ["release_weight of chat@new"]


def test_a_change_that_waited_is_told_of_when_it_was_approved(engine: Engine) -> None:
    with database.writing(engine) as connection:
        waited = change("c1", from_s=NOON_S - 900, until_s=NOON_S + 9000)
        changes.hold(connection, waited, needs=1)
    assert told(engine) == []
    with database.writing(engine) as connection:
        changes.approve(connection, "c1", Author("operator:bob", NOON_S + 7))
    with database.reading(engine) as connection:
        [one] = time_line.of_route(connection, "chat", ["small"], HOUR)
    assert (one.at_s, one.who) == (NOON_S + 7, "operator:ann")


def test_an_end_is_told_however_many_were_set_after_what_ended(engine: Engine) -> None:
    with database.writing(engine) as connection:
        changes.hold(connection, change("c1", from_s=NOON_S - 9000, until_s=NOON_S + 9000))
        for number in range(time_line.MOST):
            one = change(f"d{number}", lever="concurrency_cap", from_s=NOON_S + number)
            changes.hold(connection, one)
        changes.let_go(connection, "c1", Author("bob", NOON_S + 99))
    assert told(engine)[0] == ("change", "target_off of small", "bob", "ended, ended")
