"""Every route against every role and carrier, and what a body or query may hold."""

import inspect

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from tests.control.conftest import Room, error_code

from tidegate.control.operators import ROLES
from tidegate.control.routes import MAX_BODY_BYTES, Row
from tidegate.control.rows import ROWS

TOKENS = {role: f"token-of-the-{role}-0123456789" for role in ROLES}
PATHS = {(row.method, row.path): row for row in ROWS}


def concrete(row: Row) -> str:
    return row.path.replace("{id}", "00000000")


@pytest.fixture
def staffed(room: Room) -> Room:
    file = room.layout.state / "operator.tokens"
    file.touch(0o600)
    file.write_text("".join(f"{role} {role}-person {TOKENS[role]}\n" for role in ROLES))
    return room


def allowed(row: Row, role: str | None) -> bool:
    if row.access == "public" or (row.access == "scrape" and role is None):
        return True  # the test's peer and listener are on this machine
    if role is None:
        return False
    needed = "viewer" if row.access == "scrape" else row.access
    return ROLES.index(role) >= ROLES.index(needed)


def test_the_router_holds_exactly_the_declared_rows(room: Room) -> None:
    app = room.app._app
    assert isinstance(app, Starlette)
    found = set()
    for route in app.routes:
        assert isinstance(route, Route), f"{route} is not a declared row"
        found |= {(method, route.path) for method in route.methods or () if method != "HEAD"}
    assert found == set(PATHS)


def test_a_row_cannot_be_written_without_saying_who_may() -> None:
    assert inspect.signature(Row).parameters["access"].default is inspect.Parameter.empty


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_every_route_answers_only_the_roles_that_it_declares(staffed: Room, row: Row) -> None:
    for role in (None, *ROLES):
        token = TOKENS[role] if role else None
        status = staffed.ask(row.method, concrete(row), token=token).status_code
        if allowed(row, role):
            assert status not in (401, 403), (role, status)
        else:
            assert status == (401 if role is None else 403), (role, status)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "TOKEN"},
        {"api-key": "TOKEN"},
        {"cookie": "token=TOKEN"},
        {"authorization": "Basic TOKEN"},
        {"authorization": "TOKEN"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer  "},
    ],
)
def test_the_token_is_read_from_one_carrier_only(room: Room, headers: dict[str, str]) -> None:
    sent = {name: value.replace("TOKEN", room.token) for name, value in headers.items()}
    assert room.ask("GET", "/api/keys", token=None, headers=sent).status_code == 401


def test_a_token_in_the_query_is_refused(room: Room) -> None:
    assert room.ask("GET", f"/api/keys?token={room.token}", token=None).status_code == 401


def test_wrong_tokens_are_limited_for_their_address_only(room: Room) -> None:
    for _ in range(10):
        assert error_code(room.ask("GET", "/api/keys", token="wrong")) == "invalid_token"
    blocked = room.ask("GET", "/api/keys", token="wrong")
    assert error_code(blocked) == "too_many_failures"
    assert int(blocked.headers["retry-after"]) > 0
    elsewhere = room.ask("GET", "/api/keys", token="wrong", client=("127.0.0.2", 1))
    assert error_code(elsewhere) == "invalid_token"


def test_wrong_tokens_of_others_do_not_lock_out_a_right_one(room: Room) -> None:
    for _ in range(20):
        room.ask("GET", "/api/keys", token="wrong")
    assert room.ask("GET", "/api/keys").status_code == 200


def test_metrics_need_a_token_from_elsewhere_and_through_a_proxy(room: Room) -> None:
    assert room.ask("GET", "/metrics", token=None).status_code == 200
    away = ("192.0.2.7", 1)
    assert room.ask("GET", "/metrics", token=None, client=away).status_code == 401
    proxied = {"x-forwarded-for": "192.0.2.7"}
    assert room.ask("GET", "/metrics", token=None, headers=proxied).status_code == 401
    assert room.ask("GET", "/metrics", client=away).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "a", "role": "admin"}, "invalid_request"),
        ({"name": "a", "digest": "x"}, "invalid_request"),
        ({"name": "a", "revoked_at_s": None}, "invalid_request"),
        ({"name": 5}, "invalid_request"),
        ({"name": ""}, "invalid_request"),
        ({"name": "a\u001b[2J"}, "invalid_request"),
        ({"name": "a" * 101}, "invalid_request"),
        ({"name": "a", "routes": []}, "invalid_request"),
        ({"name": "a", "routes": ["nowhere"]}, "invalid_request"),
        ({"name": "a", "expires_at_s": 1.0}, "invalid_request"),
        ([], "invalid_request"),
        ({}, "invalid_request"),
    ],
)
def test_bodies_hold_what_their_shape_says_and_nothing_else(
    room: Room, body: object, code: str
) -> None:
    answer = room.ask("POST", "/api/keys", body)
    assert (answer.status_code, error_code(answer)) == (400, code)


def test_bodies_that_are_no_json_or_too_large_are_refused(room: Room) -> None:
    typed = {"content-type": "application/json"}
    for content in (b"{", b"\xff", b"[" * 100_000, b'{"name": NaN}'):
        answer = room.ask("POST", "/api/keys", content=content, headers=typed)
        assert answer.status_code == 400, content[:10]
    not_utf8 = b'{"name": "\xff"}', b'{"\xff": 1}', b'{"key_alias": "\xff"}'
    for path, content in zip(("/api/keys", "/api/keys", "/key/generate"), not_utf8, strict=True):
        answer = room.ask("POST", path, content=content, headers=typed)
        assert (answer.status_code, error_code(answer)) == (400, "invalid_json"), content
    large = room.ask("POST", "/api/keys", content=b" " * (MAX_BODY_BYTES + 1), headers=typed)
    assert error_code(large) == "body_too_large"
    plain = {"content-type": "text/plain"}
    assert error_code(room.ask("POST", "/api/keys", content=b"{}", headers=plain)) == (
        "unsupported_media_type"
    )
    assert room.ask("POST", "/api/plan/reload", {"x": 1}).status_code == 400


@pytest.mark.parametrize("query", ["x=1", "limit=0", "limit=a", "limit=5&limit=6", "limit=1e9"])
def test_queries_are_as_strict(room: Room, query: str) -> None:
    assert error_code(room.ask("GET", f"/api/keys?{query}")) == "invalid_request"
    assert error_code(room.ask("GET", f"/api/plan?{query}")) == "invalid_request"


def test_what_is_not_there_is_said_in_the_same_shape(room: Room) -> None:
    assert error_code(room.ask("GET", "/")) == "not_found"
    assert error_code(room.ask("GET", "/docs")) == "not_found"
    assert error_code(room.ask("GET", "/livez/")) == "not_found"
    assert error_code(room.ask("DELETE", "/api/keys")) == "method_not_allowed"
    for answer in (room.ask("GET", "/nowhere"), room.ask("PUT", "/livez")):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"


def test_a_crash_tells_the_operator_nothing_but_that_it_crashed(room: Room) -> None:
    def broken() -> bytes:
        raise RuntimeError("secret words")

    room.desk.render_metrics = broken
    answer = room.ask("GET", "/metrics")
    assert (answer.status_code, error_code(answer)) == (500, "internal")
    assert "secret" not in answer.text
