"""Teams as records."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from tidegate.stores import audit, database, teams
from tidegate.stores.audit import Author
from tidegate.stores.teams import TeamExists, TeamNotFound, TeamRecord

ANA = Author("ana", 100.0)
TEAM = TeamRecord("growth", "Growth", ("chat", "small"), 100.0, 60, None, 4, "Bo", b"\x01" * 32)


def test_a_team_is_added_changed_and_removed_and_each_is_told(engine: Engine) -> None:
    with database.writing(engine) as connection:
        teams.add(connection, TEAM, ANA)
        with pytest.raises(TeamExists):
            teams.add(connection, TEAM, ANA)
        changed = replace(TEAM, alias="More", routes=("*",), requests_per_minute=None, lead=None)
        teams.change(connection, changed, ANA, "team.edit")
        assert teams.get(connection, "growth") == changed
        teams.add(connection, replace(TEAM, id="a", lead_digest=None), ANA)
        assert [team.id for team in teams.every(connection)] == ["a", "growth"]
        teams.remove(connection, "growth", ANA)
        with pytest.raises(TeamNotFound):
            teams.remove(connection, "growth", ANA)
        with pytest.raises(TeamNotFound):
            teams.change(connection, TEAM, ANA, "team.edit")
        told = [(row.what, row.subject) for row in audit.recent(connection)]
    assert teams.find(engine, "growth") is None
    assert told == [
        ("team.delete", "growth"),
        ("team.create", "a"),
        ("team.edit", "growth"),
        ("team.create", "growth"),
    ]


def test_a_team_is_found_by_the_digest_of_its_lead_s_token(engine: Engine) -> None:
    with database.writing(engine) as connection:
        teams.add(connection, TEAM, ANA)
        teams.add(connection, replace(TEAM, id="none", lead=None, lead_digest=None), ANA)
    assert teams.led_by(engine, [b"\x02" * 32, b"\x01" * 32]) == TEAM
    assert teams.led_by(engine, [b"\x02" * 32]) is None
    assert teams.led_by(engine, []) is None


def test_what_a_team_may_grant_is_what_it_has() -> None:
    assert TEAM.may_grant(("chat",))
    assert TEAM.may_grant(())
    assert not TEAM.may_grant(("chat", "large"))
    assert not TEAM.may_grant(("*",))
    assert replace(TEAM, routes=("*",)).may_grant(("*", "large"))
