"""docs/budgets.md: what it says to send is taken, in the order in which it is told."""

import re
from pathlib import Path

import msgspec
from tests.control.conftest import Room

PAGE = Path(__file__).resolve().parents[2] / "docs" / "budgets.md"
_ASKED = re.compile(r"^```http\n(POST) (\S+)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def test_every_request_on_the_page_is_answered(room: Room) -> None:
    asked = _ASKED.findall(PAGE.read_text("utf-8"))
    assert len(asked) == PAGE.read_text("utf-8").count("```http")
    for method, path, body in asked:
        answer = room.ask(method, path, msgspec.json.decode(body))
        assert answer.status_code in (200, 201), (path, answer.text)


def test_every_path_in_the_table_is_answered(room: Room) -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `/")]
    paths = {path for row in rows for path in re.findall(r"`(/[a-z0-9/]+)`", row)}
    kinds = ("key", "team", "budget", "customer", "spend")
    assert paths == {path for path in _paths(room) if path.split("/")[1] in kinds}


def _paths(room: Room) -> set[str]:
    return {route.path for route in room.app._app.routes}  # type: ignore[attr-defined]
