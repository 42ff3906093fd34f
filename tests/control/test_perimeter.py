"""Names that control answers to; pages that it does not."""

import pytest
from tests.control.conftest import Room, error_code

from tidegate.control.perimeter import Names, Perimeter


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4001", "localhost", "LOCALHOST:9", "[::1]:4001", "tide.example"]
)
def test_known_names_are_answered(room: Room, host: str) -> None:
    assert room.ask("GET", "/livez", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:4001",
        "127.0.0.1@evil.example",
        "localhost/admin?",
        "localhost#x",
        "localhost:99999",
        "192.0.2.1",
        "",
        "[::1",
    ],
)
def test_other_names_are_refused_before_anything_else(room: Room, host: str) -> None:
    for path in ("/livez", "/metrics", "/api/keys", "/nowhere"):
        answer = room.ask("GET", path, headers={"host": host})
        assert (answer.status_code, error_code(answer)) == (403, "host_not_allowed")


def test_a_host_given_twice_is_refused() -> None:
    from tidegate.control.perimeter import _single

    pairs = [(b"host", b"localhost"), (b"host", b"localhost")]
    assert _single(pairs, b"host") == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_pages_of_other_origins_are_refused(room: Room, headers: dict[str, str]) -> None:
    assert error_code(room.ask("POST", "/api/plan/reload", headers=headers)) == "origin_not_allowed"


def test_a_page_of_control_s_own_is_answered(room: Room) -> None:
    own = {"origin": "http://127.0.0.1:4001", "sec-fetch-site": "same-origin"}
    assert room.ask("GET", "/api/plan", headers=own).status_code == 200


def test_an_origin_that_the_plan_names_is_answered(room: Room) -> None:
    named = Names((), ("https://console.example",))
    room.app = Perimeter(room.app._app, "127.0.0.1", lambda: named)
    headers = {"origin": "https://console.example", "sec-fetch-site": "cross-site"}
    assert room.ask("GET", "/api/plan", headers=headers).status_code == 200


def test_beyond_loopback_an_address_is_a_name(room: Room) -> None:
    room.app = Perimeter(room.app._app, "0.0.0.0", Names)
    assert room.ask("GET", "/livez", headers={"host": "10.1.2.3:4001"}).status_code == 200
    assert room.ask("GET", "/livez", headers={"host": "evil.example"}).status_code == 403
