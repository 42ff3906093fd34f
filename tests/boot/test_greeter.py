"""The greeting: once, when it serves, and then the first receipt that went well."""

from collections.abc import Callable
from pathlib import Path

import click
import httpx2
import msgspec
import pytest

from tidegate.boot.greeter import KEY_NAME, Greeter
from tidegate.boot.welcome import Welcome
from tidegate.cli._client import Control
from tidegate.control.credentials import create_state
from tidegate.core.layout import Layout
from tidegate.core.receipt import Receipt

KEY = "sk-tg-abcdefgh_" + "x" * 32
VIEW = {
    "id": "abcdefgh",
    "name": KEY_NAME,
    "team": "house",
    "customer": None,
    "environment": None,
    "purpose": "production",
    "priority": "standard",
    "routes": ["*"],
    "attributes": {},
    "created_at_s": 1.0,
    "expires_at_s": None,
    "revoked_at_s": None,
    "state": "live",
    "pepper_version": 1,
}
GATEWAY = {
    "gateway": "gateway-0",
    "pid": 1,
    "connected_at_s": 1.0,
    "plan_version": 1,
    "feed_seq": 1,
    "error": None,
    "status_at_s": None,
    "gauges": {},
}
PLAN = {
    "version": 1,
    "digest": "d",
    "compiled_at_s": 1.0,
    "file": "f",
    "routes": ["chat"],
    "problems": [],
    "warnings": [],
    "read_at_s": 1.0,
    "failures_total": 0,
    "served": {},
}


def receipt(receipt_id: str, **given: object) -> object:
    return Receipt(receipt_id, 1.0, "gateway-0", "chat", **given)  # type: ignore[arg-type]


class FakeControl:
    """Answers as control does, and remembers what it was asked."""

    def __init__(self, folder: Path, keys: int, leader: str | None = None) -> None:
        self.leader = leader
        self.layout = Layout(folder)
        create_state(self.layout)
        self.keys = [VIEW] * keys
        self.asked: list[str] = []
        self.not_ready = 2
        self.waits = 0
        self.pages = [
            ([receipt("old", status=200)], 1),
            ([receipt("bad", status=502, error_code="upstream_error")], 2),
            ([], 2),
            ([receipt("good", status=200, route="chat", total_s=0.5)], 3),
        ]

    def wait(self, seconds: float) -> None:
        """Whoever waits and waits asks for what is not answered."""
        self.waits += 1
        assert self.waits < 20, self.asked

    def open(self) -> Control:
        if self.not_ready:
            self.not_ready -= 1
            raise click.ClickException("not yet")
        transport = httpx2.MockTransport(self.answer)
        return Control(self.layout.state, "http://127.0.0.1:1", transport)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.asked.append(f"{request.method} {path}")
        answers: dict[str, Callable[[], object]] = {
            "GET /api/gateways": lambda: {"gateways": [GATEWAY], "feed_seq": 1},
            "GET /api/keys": lambda: {"keys": self.keys, "after": None},
            "GET /api/plan": lambda: {**PLAN, "leader": self.leader},
            "GET /api/receipts": self.page,
            "POST /api/keys": lambda: {
                "key": KEY,
                "record": VIEW,
                "replaces": None,
                "waiting_for": [],
            },
        }
        return httpx2.Response(200, content=msgspec.json.encode(answers[self.asked[-1]]()))

    def page(self) -> object:
        receipts, cursor = self.pages.pop(0)
        return {"receipts": receipts, "cursor": cursor}


def greet(
    folder: Path, *, exposed: bool, keys: int, leader: str | None = None
) -> tuple[list[str], FakeControl]:
    fake = FakeControl(folder, keys, leader)
    shown: list[str] = []
    base = Welcome("http://g", "http://c", "/s", "/p")
    Greeter(fake.open, base, exposed, shown.append, wait=fake.wait).run()
    return shown, fake


def test_a_fresh_key_then_the_first_call_that_went_well(tmp_path: Path) -> None:
    (welcome, first), _ = greet(tmp_path, exposed=False, keys=1)
    assert KEY in welcome
    assert '"model": "chat"' in welcome
    assert "receipt good" in first
    assert "500 ms" in first


@pytest.mark.parametrize(("keys", "made"), [(0, True), (1, False)])
def test_beyond_loopback_a_key_is_printed_only_where_there_is_none(
    tmp_path: Path, keys: int, made: bool
) -> None:
    (welcome, _), fake = greet(tmp_path, exposed=True, keys=keys)
    assert (KEY in welcome) is made
    assert ("POST /api/keys" in fake.asked) is made


def test_one_that_stands_by_says_so_and_who_leads_and_makes_no_key(tmp_path: Path) -> None:
    (welcome, first), fake = greet(tmp_path, exposed=False, keys=0, leader="blue-1")
    assert "blue-1 leads" in welcome
    assert "on the machine that leads" in welcome
    assert "$TIDEGATE_KEY" in welcome
    assert "POST /api/keys" not in fake.asked
    assert "receipt good" in first
