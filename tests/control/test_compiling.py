"""What is stored compiles with the file; what is over is compiled away."""

from sqlalchemy import Engine
from tests.control.conftest import Room

from tidegate.control.compiling import added_at
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.plan import Raise
from tidegate.stores import budgets, database, teams
from tidegate.stores.audit import Author
from tidegate.stores.budgets import StoredRaise
from tidegate.stores.teams import TeamRecord

ANA = Author("ana", 1.0)


def test_a_team_s_limits_hold_that_team_alone(engine: Engine) -> None:
    team = TeamRecord("growth", "Growth", ("*",), 1.0, 60, 9000, 4)
    with database.writing(engine) as connection:
        teams.add(connection, team, ANA)
        teams.add(connection, TeamRecord("calm", "Calm", ("*",), 1.0), ANA)
        added = added_at(connection, 2.0)
    only = {"team": "growth"}
    assert added.limits == {
        "team.growth.requests": DeclaredLimit("requests", 60, ("team",), only, 60.0),
        "team.growth.tokens": DeclaredLimit("tokens", 9000, ("team",), only, 60.0),
        "team.growth.concurrency": DeclaredLimit("concurrency", 4, ("team",), only),
    }


def test_raises_of_one_budget_stand_together_while_they_are_in_force(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for extra, until_s in ((5, 10.0), (6, 20.0)):
            one = StoredRaise(0, "all", extra, until_s, "bo", "x", "ana", 1.0)
            budgets.add_raise(connection, one)
        assert added_at(connection, 9.0).raises == {"all": (Raise(5, 10.0), Raise(6, 20.0))}
        assert added_at(connection, 10.0).raises == {"all": (Raise(6, 20.0),)}


def test_it_is_behind_when_the_store_changed_past_it(room: Room, engine: Engine) -> None:
    assert not room.compiling.is_behind()
    with database.writing(engine) as connection:
        teams.add(connection, TeamRecord("growth", "Growth", ("*",), 1.0, 60), ANA)
    assert room.compiling.is_behind()
    room.plans._amend(room.compiling.changing(lambda _: None))
    assert not room.compiling.is_behind()
    assert [limit.name for limit in room.plans.current.limits] == ["team.growth.requests"]
