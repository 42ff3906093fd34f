"""What a part of the demo works with: a Tidegate that runs, callers for it, and a place to say."""

import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import httpx2
import msgspec
from msgspec import Struct

from tidegate.boot.child import Child
from tidegate.cli._client import Control
from tidegate.control.shapes import GatewayList, KeyMade, NewKey, ReceiptPage
from tidegate.core import clock
from tidegate.core.layout import Layout
from tidegate.core.receipt import Receipt

_PATIENCE_S = 30.0
_LOOK_S = 0.05
_CALL_S = 20.0
_PAGE = 1000


class Failed(Exception):
    """A part cannot be shown. The message says why, in a few words."""


class Urls(Struct, frozen=True):
    """Where callers, operators and the gateway itself send requests, without a path."""

    gateway: str
    control: str
    engine: str


class Answered(Struct, frozen=True):
    """One call: its status, its receipt's id, and the code of the error if it was one. `status`
    None: it never came whole."""

    status: int | None
    receipt_id: str | None = None
    code: str | None = None


class _Error(Struct):
    code: str | None = None


class _Refusal(Struct):
    error: _Error


_read_refusal = msgspec.json.Decoder(_Refusal).decode


class Stage:
    """The running Tidegate. Parts run in a thread of their own."""

    def __init__(
        self,
        folder: Path,
        layout: Layout,
        urls: Urls,
        children: Mapping[str, Child],
        say: Callable[[str], object],
    ) -> None:
        self.folder = folder
        self.layout = layout
        self.urls = urls
        self._children = children
        self.say = say

    def control(self) -> Control:
        return Control(self.layout.state, self.urls.control)

    def key(self, name: str, team: str) -> str:
        """A fresh key for every route."""
        with self.control() as control:
            wanted = NewKey(name=name, team=team, routes=("*",))
            return control.post("/api/keys", KeyMade, wanted).key

    def receipts(self, team: str) -> list[Receipt]:
        """Every receipt of the team that the ledger has."""
        found: list[Receipt] = []
        cursor = 0
        with self.control() as control:
            while True:
                page = control.get(
                    "/api/receipts", ReceiptPage, after=cursor, team=team, limit=_PAGE
                )
                found += page.receipts
                if not page.receipts:
                    return found
                cursor = page.cursor

    def wait_until_serving(self) -> None:
        """Until the engine answers and the gateway obeys the plan. Failed when they never do."""
        self.until(self._answers, "the engine does not answer")
        self.until(self._serves, "the gateway has no plan")

    def until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Until `holds` says so; what fails meanwhile is tried again. Failed after 30 seconds."""
        until_s = clock.monotonic_s() + _PATIENCE_S
        while clock.monotonic_s() < until_s:
            try:
                if holds():
                    return
            except (click.ClickException, httpx2.HTTPError):
                pass  # what was killed is not back yet
            time.sleep(_LOOK_S)
        raise Failed(otherwise)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def kill(self, name: str) -> None:
        """kill -9 of `control` or `gateway`."""
        self._children[name].signal(signal.SIGKILL)

    def _answers(self) -> bool:
        health = f"{self.urls.engine}/health"
        return httpx2.get(health, trust_env=False, timeout=_CALL_S).status_code == 200

    def _serves(self) -> bool:
        with self.control() as control:
            gateways = control.get("/api/gateways", GatewayList).gateways
        return any(gateway.plan_version is not None for gateway in gateways)


class Callers:
    """Callers of the gateway, all in one loop."""

    def __init__(self, url: str, key: str, at_once: int) -> None:
        self._url = f"{url}/v1/chat/completions"
        self._headers = {"authorization": f"Bearer {key}"}
        limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        self._client = httpx2.AsyncClient(timeout=_CALL_S, limits=limits, trust_env=False)

    async def ask(self, prompt: str, **more: object) -> Answered:
        """One whole answer, or what came in its place; `more` is written into the body."""
        message = {"role": "user", "content": prompt}
        body = {"model": "chat", "messages": [message], **more}
        try:
            answer = await self._client.post(
                self._url, content=msgspec.json.encode(body), headers=self._headers
            )
        except httpx2.HTTPError:
            return Answered(None)
        code = None
        if answer.status_code != 200:
            try:
                code = _read_refusal(answer.content).error.code
            except msgspec.DecodeError:
                code = None
        return Answered(answer.status_code, answer.headers.get("x-request-id"), code)

    async def close(self) -> None:
        await self._client.aclose()


class Part(Struct, frozen=True):
    """One thing to show. `run` says what it finds and returns whether that was as promised;
    `budget` is a line of the plan's `budgets`, `files` lie beside the plan: paths and texts."""

    title: str
    run: Callable[[Stage], bool]
    budget: str = ""
    files: tuple[tuple[str, str], ...] = ()
