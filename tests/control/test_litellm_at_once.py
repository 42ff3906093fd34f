"""Two changes at once: neither undoes the other, and what was withdrawn stays withdrawn."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code

from tidegate.control import api_keys, litellm_keys, litellm_teams
from tidegate.core.key import KeyRecord
from tidegate.stores import database, keys, teams
from tidegate.stores.audit import Author

ANA = Author("ana", 1.0)


def meanwhile(
    patch: pytest.MonkeyPatch, module: object, name: str, change: Callable[[], object]
) -> None:
    """`change` comes between what a call has looked at and what it changes."""
    real = getattr(module, name)

    async def late(*arguments: Any, **named: Any) -> Any:
        change()
        return await real(*arguments, **named)

    patch.setattr(module, name, late)


def test_a_lead_who_is_withdrawn_stays_so_while_the_team_is_updated(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = room.make_team("growth", rpm_limit=60)

    def withdraw() -> None:
        with database.writing(engine) as connection:
            team = teams.get(connection, "growth")
            assert team is not None
            fresh = replace(team, lead=None, lead_digest=None, max_parallel_requests=4)
            teams.change(connection, fresh, ANA, "team.unlead")

    meanwhile(monkeypatch, litellm_teams, "_amend", withdraw)
    changed = room.ask("POST", "/team/update", {"team_id": "growth", "tpm_limit": 9}).json()
    assert room.ask("GET", "/team/list", token=token).status_code == 401
    limits = (changed["rpm_limit"], changed["tpm_limit"], changed["max_parallel_requests"])
    assert (changed["lead"], limits) == (None, (60, 9, 4))


def test_of_two_updates_of_a_key_both_are_there(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = room.ask("POST", "/key/generate", {"rpm_limit": 60}).json()

    def narrowed(old: KeyRecord) -> KeyRecord:
        return replace(old, routes=("chat",), attributes={"a": "b"})

    def narrow() -> None:
        keys.edit(engine, made["token"], narrowed, ANA)

    meanwhile(monkeypatch, litellm_keys, "change_key", narrow)
    changed = room.ask("POST", "/key/update", {"key": made["token"], "tpm_limit": 9}).json()
    assert (changed["models"], changed["metadata"]) == (["chat"], {"a": "b"})
    assert (changed["rpm_limit"], changed["tpm_limit"]) == (60, 9)


def test_a_key_that_is_narrowed_while_it_is_rotated_has_a_successor_as_narrow(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id = room.make_key()["record"]["id"]

    def narrow() -> None:
        keys.edit(engine, key_id, lambda old: replace(old, routes=("chat",)), ANA)

    meanwhile(monkeypatch, api_keys, "change_key", narrow)
    made = room.ask("POST", f"/api/keys/{key_id}/rotate", {}).json()
    assert made["record"]["routes"] == ["chat"]
    fresh = keys.get(engine, made["record"]["id"])
    assert fresh is not None
    assert fresh.routes == ("chat",)


def test_a_key_that_leaves_the_team_is_not_its_lead_s_to_change(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = room.make_team("growth", models=["chat"])
    key_id = room.ask("POST", "/key/generate", {}, token=token).json()["token"]

    def move() -> None:
        keys.edit(engine, key_id, lambda old: replace(old, team="search"), ANA)

    meanwhile(monkeypatch, litellm_keys, "change_key", move)
    answer = room.ask("POST", "/key/update", {"key": key_id, "tpm_limit": 9}, token=token)
    assert (answer.status_code, error_code(answer)) == (404, "not_found")
    kept = keys.get(engine, key_id)
    assert kept is not None
    assert kept.limits is None
