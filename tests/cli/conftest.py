"""A control that answers from a table, in place of a process."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import msgspec
import pytest
from click.testing import CliRunner, Result

from tidegate.cli import _client, commands
from tidegate.control.credentials import create_state
from tidegate.core.layout import Layout


class FakeControl:
    """Answers `METHOD /path` with a value or a response, and keeps the requests."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.answers: dict[str, object] = {}
        self.asked: list[httpx2.Request] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        found = self.answers.get(f"{request.method} {request.url.path}")
        if isinstance(found, list):
            found = found.pop(0)
        if isinstance(found, httpx2.Response):
            return found
        if found is None:
            return refusal(404, "not_found", "There is no such thing.")
        return httpx2.Response(200, content=msgspec.json.encode(found))

    def bodies(self) -> list[object]:
        return [msgspec.json.decode(request.content or b"null") for request in self.asked]


def refusal(status: int, code: str, message: str, **more: object) -> httpx2.Response:
    error = {"message": message, "type": "t", "param": None, "code": code, **more}
    return httpx2.Response(status, content=msgspec.json.encode({"error": error}))


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeControl:
    layout = Layout(tmp_path / "state")
    create_state(layout)
    (layout.run / "control.url").write_text("http://127.0.0.1:4999\n")
    fake = FakeControl(layout)
    real = httpx2.Client

    def client(**given: object) -> httpx2.Client:
        return real(**{**given, "transport": httpx2.MockTransport(fake.answer)})  # type: ignore[arg-type]

    monkeypatch.setattr(_client.httpx2, "Client", client)
    return fake


@pytest.fixture
def run(control: FakeControl) -> Callable[..., Result]:
    """Runs a command line against the fake control."""

    def invoke(*words: str) -> Result:
        environment = {"TIDEGATE_STATE": str(control.layout.state)}
        return CliRunner().invoke(commands(), list(words), env=environment)

    return invoke
