"""One control in this process, without sockets: its API is called through ASGI."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from sqlalchemy import Engine
from tests.control.feed_ends import Body, Source
from tests.control.started import Started
from tests.stores.rig import migrated

from tidegate.config.load import Compiled, compile_file
from tidegate.control import looping, prompting
from tidegate.control.budget_figures import BudgetFigures
from tidegate.control.certifying import Certifying
from tidegate.control.compiling import Compiling
from tidegate.control.credentials import create_state
from tidegate.control.desk import Desk
from tidegate.control.feed_log import FeedLog
from tidegate.control.feed_server import FeedServer
from tidegate.control.leads import Leads
from tidegate.control.operators import Operators
from tidegate.control.perimeter import Names, Perimeter
from tidegate.control.plans import Plans
from tidegate.control.routes import Gate, build
from tidegate.control.rows import ROWS
from tidegate.core.feed import Status
from tidegate.core.layout import Layout
from tidegate.stores.peppers import read_peppers

PLAN = """\
providers:
  mine: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets:
  small: {{provider: mine, model: small, price: free}}
routes:
  {route}: small
keys: {{team: house, expires_after: 90d, attributes: {{tier: free}}}}
"""


def compile_plan(file: Path, version: int) -> Compiled:
    return compile_file(file, {}, version, 1000.0)


class Room:
    """A control whose API can be asked. `events` of the feed are told to nobody."""

    def __init__(self, layout: Layout, engine: Engine, plan: Path) -> None:
        self.layout = layout
        self.plan_file = plan
        secrets = tuple(read_peppers(layout.state).values())
        self.certifying = Certifying(
            engine,
            secrets,
            lambda: self.plans.current if self.plans.has_one else None,
            lambda: ((it := self.plans.declared.prompts) and it.fingerprints) or "void",
        )
        self.reading = prompting.reading(engine)
        self.compiling = Compiling(engine, {}, self.reading, self.certifying)
        self.plans = Plans(layout, plan, self.compiling.file, self.announce)
        self.log = FeedLog(engine, self.plans.published)
        self.feed = FeedServer(layout, self.log, lambda gateway, status: None)
        self.loop = looping.build(engine, self.plans, self.compiling, self.feed, ("", lambda: True))
        self.desk = Desk(
            loop=self.loop,
            layout=layout,
            engine=engine,
            plans=self.plans,
            compiling=self.compiling,
            feed=self.feed,
            certifying=self.certifying,
            peppers=read_peppers(layout.state),
            figures=BudgetFigures(lambda: 0.0),  # nothing takes time, so nothing rests
            render_metrics=lambda: b"tidegate_up 1\n",
        )
        gate = Gate(Operators(layout), Leads(engine, lambda: self.desk.peppers), "127.0.0.1")
        app = build(self.desk, gate, ROWS)
        self.app = Perimeter(app, "127.0.0.1", lambda: Names(("tide.example",), ()))
        self.token = layout.operator_token.read_text().strip()

    def announce(self, version: int) -> None:
        self.log.announce_plan(version, self.plans.publication)

    def ask(  # noqa: PLR0913  (each is what a test may want to vary)
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
        client: tuple[str, int] = ("127.0.0.1", 5000),
        token: str | None = "",
        content: bytes | None = None,
    ) -> httpx2.Response:
        """`token` None sends none, an empty one the operator's."""
        sent: dict[str, str] = {}
        if token is not None:
            sent["authorization"] = f"Bearer {token or self.token}"
        if body is not None:
            content = msgspec.json.encode(body)
            sent["content-type"] = "application/json"
        sent |= headers or {}

        async def call() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app, client=client, raise_app_exceptions=False)
            async with httpx2.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:4001"
            ) as http:
                return await http.request(method, path, content=content, headers=sent)

        return asyncio.run(call())

    def make_team(self, team_id: str, **given: Any) -> str:
        """A team with a lead; the lead's token."""
        answer = self.ask("POST", "/team/new", {"team_id": team_id, **given})
        assert answer.status_code == 200, answer.text
        led = self.ask("POST", f"/api/teams/{team_id}/lead", {"lead": f"Lead of {team_id}"})
        token: str = led.json()["token"]
        return token

    def make_key(self, **given: Any) -> dict[str, Any]:
        answer = self.ask("POST", "/api/keys", {"name": "app", **given})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


def error_code(answer: httpx2.Response) -> str:
    code: str = answer.json()["error"]["code"]
    return code


def laid_out(folder: Path) -> Layout:
    layout = Layout(folder / "state")
    create_state(layout)
    return layout


def opened(layout: Layout, engine: Engine, folder: Path) -> Room:
    file = folder / "tidegate.yaml"
    file.write_text(PLAN.format(route="chat"))
    room = Room(layout, engine, file)
    room.plans.start(0)
    return room


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return laid_out(tmp_path)


@pytest.fixture
def engine(layout: Layout) -> Iterator[Engine]:
    engine = migrated(layout.ledger_db)
    yield engine
    engine.dispose()


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    file = tmp_path / "tidegate.yaml"
    file.write_text(PLAN.format(route="chat"))
    return file


@pytest.fixture
def room(layout: Layout, engine: Engine, plan_file: Path) -> Room:
    return opened(layout, engine, plan_file.parent)


@pytest.fixture
def source() -> Source:
    return Source(5)


@pytest.fixture
def statuses() -> list[tuple[str, Status]]:
    return []


@pytest.fixture
def serve(
    layout: Layout, source: Source, statuses: list[tuple[str, Status]]
) -> Callable[[Body], None]:
    """Runs a body beside a started server."""

    def run(body: Body) -> None:
        async def inside() -> None:
            server = FeedServer(layout, source, lambda name, s: statuses.append((name, s)))
            await server.start()
            try:
                await body(server)
            finally:
                await server.stop()
            assert not layout.feed_socket.exists()

        asyncio.run(inside())

    return run


@pytest.fixture
def start(tmp_path: Path, plan_file: Path) -> Iterator[Callable[..., Started]]:
    """Begins a process of its own with options; all of them end with the test."""
    running: list[Started] = []

    def begin(*options: str) -> Started:
        running.append(Started(Layout(tmp_path / "state"), plan_file, *options))
        return running[-1]

    yield begin
    for started in running:
        started.process.kill()
        started.process.communicate()
        os.close(started.parent)
