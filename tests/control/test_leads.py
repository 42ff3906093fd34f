"""Every route against operator, a team's lead, another team's lead and nobody; and every field."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code, laid_out, opened
from tests.stores import rig

from tidegate.control.leads import Leads, new_token
from tidegate.control.litellm_keys import KeyFields
from tidegate.control.routes import Row
from tidegate.control.rows import ROWS
from tidegate.core import clock
from tidegate.stores import keys as key_store
from tidegate.stores.ledger import Ledger

TO_A_LEAD = [row for row in ROWS if row.lead is not None]
NAMED = [f"{row.method} {row.path}" for row in ROWS]


@dataclass
class House:
    """Two teams, each with a lead, a key, a receipt and a budget."""

    room: Room
    tokens: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)

    def paths(self, row: Row) -> tuple[str, Any]:
        """The row's path and body, about the team `growth`."""
        key, receipt = self.keys["growth"], self.receipts["growth"]
        special: dict[str, tuple[str, Any]] = {
            "POST /api/keys": ("/api/keys", {"name": "new"}),
            "GET /api/keys/{id}": (f"/api/keys/{key}", None),
            "POST /api/keys/{id}/rotate": (f"/api/keys/{key}/rotate", {"overlap_s": 9}),
            "POST /api/keys/{id}/revoke": (f"/api/keys/{key}/revoke", None),
            "GET /api/receipts/{id}": (f"/api/receipts/{receipt}", None),
            "GET /api/budgets/{id}": ("/api/budgets/team.growth", None),
            "POST /key/generate": ("/key/generate", {"key_alias": "new"}),
            "GET /key/info": (f"/key/info?key={key}", None),
            "POST /key/update": ("/key/update", {"key": key, "rpm_limit": 5}),
            "POST /key/delete": ("/key/delete", {"keys": [key]}),
            "POST /cache/invalidate": ("/cache/invalidate", {"tag": "prices"}),
            "GET /team/info": ("/team/info?team_id=growth", None),
        }
        plain = (row.path.replace("{id}", "growth"), None if row.body is None else {})
        return special.get(f"{row.method} {row.path}", plain)


@pytest.fixture
def house(room: Room, engine: Engine) -> House:
    return furnished(room, engine)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that is only read from."""
    folder = tmp_path_factory.mktemp("house")
    layout = laid_out(folder)
    engine = rig.migrated(layout.ledger_db)
    yield furnished(opened(layout, engine, folder), engine)
    engine.dispose()


@pytest.fixture
def house_of(row: Row, request: pytest.FixtureRequest) -> House:
    found: House = request.getfixturevalue("looked_at" if row.method == "GET" else "house")
    return found


def furnished(room: Room, engine: Engine) -> House:
    found = House(room)
    entries = []
    for team in ("growth", "search"):
        found.tokens[team] = room.make_team(
            team, models=["chat"], max_budget=5, budget_duration="1mo"
        )
        found.keys[team] = room.make_key(name=f"{team}-app", team=team)["record"]["id"]
        one = rig.receipt(clock.wall_s() - 60, team=team, key_id=found.keys[team], route="chat")
        found.receipts[team] = one.id
        entries.append(rig.entry(one))
    Ledger(engine).write(entries, [])
    return found


@pytest.mark.parametrize("row", ROWS, ids=NAMED)
def test_every_route_knows_operator_lead_other_lead_and_nobody(house_of: House, row: Row) -> None:
    house = house_of
    path, body = house.paths(row)
    open_to_all = row.access in ("public", "scrape")

    nobody = house.room.ask(row.method, path, body, token=None)
    assert (nobody.status_code != 401) == open_to_all

    other = house.room.ask(row.method, path, body, token=house.tokens["search"])
    if row.lead is None and not open_to_all:
        assert (other.status_code, error_code(other)) == (403, "role_too_low")
    elif not open_to_all:
        assert other.status_code in (200, 201, 404), other.text
        if other.status_code == 404:
            assert error_code(other) == "not_found"
        else:
            for secret in ("growth-app", "team.growth", house.keys["growth"]):
                assert secret not in other.text
            assert house.receipts["growth"] not in other.text

    lead = house.room.ask(row.method, path, body, token=house.tokens["growth"])
    if row.lead is None and not open_to_all:
        assert (lead.status_code, error_code(lead)) == (403, "role_too_low")
    elif not open_to_all:
        assert lead.status_code in (200, 201), lead.text
        assert "search" not in lead.text

    operator = house.room.ask(row.method, path, body)
    assert operator.status_code not in (401, 403), operator.text


@pytest.mark.parametrize("row", TO_A_LEAD, ids=[f"{r.method} {r.path}" for r in TO_A_LEAD])
def test_a_lead_may_send_the_declared_fields_and_no_other(house_of: House, row: Row) -> None:
    house = house_of
    path, body = house.paths(row)
    forms = {"/key/generate": KeyFields, "/key/update": KeyFields}
    shape = forms.get(row.path, row.body or row.query)
    known = set() if shape is None else set(shape.__struct_fields__)
    assert row.lead is not None and row.lead <= known
    for name in known - row.lead:
        if row.method == "GET":
            joint = "&" if "?" in path else "?"
            value = "true" if name in ("revoked",) else "1"
            answer = house.room.ask(
                "GET", f"{path}{joint}{name}={value}", token=house.tokens["growth"]
            )
        else:
            sent = {**(body or {}), name: None}
            answer = house.room.ask(row.method, path, sent, token=house.tokens["growth"])
        assert answer.status_code in (400, 403), (name, answer.text)
        if answer.status_code == 403:
            assert error_code(answer) == "role_too_low"


def test_a_lead_s_keys_are_the_team_s_and_within_its_grants(house: House) -> None:
    room, token = house.room, house.tokens["growth"]
    made = room.ask("POST", "/api/keys", {"name": "a"}, token=token).json()["record"]
    assert (made["team"], made["routes"]) == ("growth", ["chat"])
    for body in ({"name": "a", "routes": ["*"]}, {"name": "a", "routes": ["chat", "large"]}):
        answer = room.ask("POST", "/api/keys", body, token=token)
        assert (answer.status_code, error_code(answer)) == (403, "grant_too_wide")
    litellm = room.ask("POST", "/key/generate", {"models": ["large"]}, token=token)
    assert error_code(litellm) == "grant_too_wide"
    for body in ({"team_id": "search"}, {"metadata": {"a": "b"}}, {"tags": ["x"]}):
        assert room.ask("POST", "/key/generate", body, token=token).status_code == 403


def test_a_lead_gets_no_secret_of_a_key_that_goes_beyond_what_he_may_grant(
    house: House, engine: Engine
) -> None:
    room, token = house.room, house.tokens["growth"]
    special = room.make_key(name="eval", team="growth", purpose="eval")["record"]["id"]
    answer = room.ask("POST", f"/api/keys/{special}/rotate", {}, token=token)
    assert (answer.status_code, error_code(answer)) == (403, "grant_too_wide")
    assert room.ask("POST", f"/api/keys/{special}/revoke", token=token).status_code == 200
    found = key_store.get(engine, special)
    assert found is not None and found.revoked_at_s is not None


def test_an_operator_cannot_make_a_team_s_key_wider_than_the_team_either(house: House) -> None:
    answer = house.room.ask("POST", "/api/keys", {"name": "a", "team": "growth", "routes": ["*"]})
    assert error_code(answer) == "grant_too_wide"


def test_a_lead_sees_of_budgets_only_the_team_s_own_part(house: House) -> None:
    room = house.room
    for name, scope in (("each", "team"), ("all", "global")):
        asked = {"name": name, "amount": "10", "per": "month", "scope": scope}
        assert room.ask("POST", "/api/budgets", asked).status_code == 201
    seen = room.ask("GET", "/api/budgets", token=house.tokens["growth"]).json()["budgets"]
    assert [one["name"] for one in seen] == ["each", "team.growth"]
    assert [one["scope"] for one in seen[0]["highest"]] == ["team growth"]
    assert room.ask("GET", "/api/budgets/all", token=house.tokens["growth"]).status_code == 404


def test_a_new_lead_or_none_ends_the_token_of_the_one_before(house: House) -> None:
    room, old = house.room, house.tokens["growth"]
    again = room.ask("POST", "/api/teams/growth/lead", {"lead": "Cy"}).json()["token"]
    assert room.ask("GET", "/team/list", token=old).status_code == 401
    assert room.ask("GET", "/team/list", token=again).json()[0]["lead"] == "Cy"
    assert room.ask("POST", "/api/teams/growth/lead", {"lead": None}).json()["token"] is None
    assert room.ask("GET", "/team/list", token=again).status_code == 401
    assert room.ask("POST", "/api/teams/none/lead", {"lead": "Cy"}).status_code == 404


def test_a_lead_s_token_outlives_a_new_pepper_and_is_stored_as_a_digest(house: House) -> None:
    house.room.ask("POST", "/api/peppers")
    token = house.tokens["growth"]
    assert house.room.ask("GET", "/team/list", token=token).status_code == 200
    assert token.encode() not in house.room.layout.ledger_db.read_bytes()


@pytest.mark.parametrize("token", [b"", b"tg-lead-", b"tg-lead-" + b"a" * 42 + b"\xe4", b"x" * 51])
def test_what_is_no_lead_s_token_is_not_even_looked_for(engine: Engine, token: bytes) -> None:
    def peppers() -> dict[int, bytes]:
        raise AssertionError("looked for")

    assert asyncio.run(Leads(engine, peppers).find(token)) is None
    assert len({new_token() for _ in range(50)}) == 50
