"""docs/changes.md: its table is the table, and what it says to send is taken."""

import re
from pathlib import Path

import msgspec
from tests.control.conftest import Room

from tidegate.core.levers import LEVERS
from tidegate.gateway import overlay

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "changes.md").read_text("utf-8")
_ASKED = re.compile(r"^```http\n(POST) (\S+)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def test_every_lever_is_in_the_table_as_it_is() -> None:
    rows = [
        f"| `{one.name}` | {one.kind} | {one.scope} | {one.least:g} | {one.most:g} {one.unit} "
        f"| {one.meaning} |"
        for one in LEVERS.values()
    ]
    assert "\n".join(rows) in PAGE


def test_every_lever_that_requests_meet_is_explained() -> None:
    source = Path(overlay.__file__).read_text("utf-8")
    met = [name for name in LEVERS if f'"{name}"' in source]
    for name in met:
        assert PAGE.count(f"| `{name}` |") == 1 + (name not in RELEASES), name
    assert {"target_off", "shed_rank", "release_weight"} <= set(met)


RELEASES = {"release_weight", "shadow_share", "release_off"}


def test_every_request_on_the_page_is_answered(room: Room) -> None:
    asked = _ASKED.findall(PAGE)
    assert len(asked) == PAGE.count("```http")
    for method, path, body in asked:
        answer = room.ask(method, path, msgspec.json.decode(body))
        assert answer.status_code == 201, (path, answer.text)
