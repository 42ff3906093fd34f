"""Budgets as operators have them: set and raised over the real API of a real control, obeyed by a
real gateway, alerted to a real webhook."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
from tests.e2e.apart import LOOK_S, PATIENCE_S, Spawning
from tests.gateway.reply import Reply
from tests.gateway.rig import HELLO
from tests.gateway.spawned import Spawned, ask, post
from tests.gateway.upstream import Upstream, whole

from tidegate.cli._client import Control
from tidegate.control.shapes import KeyMade, NewKey
from tidegate.control.shapes_budgets import (
    BudgetChanged,
    BudgetExplained,
    EndBudget,
    NewBudget,
    NewRaise,
)
from tidegate.core import clock
from tidegate.core.units import usd_to_nanousd

# What the provider answers costs this, and so does the most that is asked of it.
COST = Decimal("0.005")
ASK = {**HELLO, "max_tokens": 5}
PLAN = """\
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets:
  small:
    provider: up
    model: small
    price: {{input_usd_per_mtok: 0, output_usd_per_mtok: 1000}}
routes: {{small: small}}
control: {{alerts: {{webhook: {{url: "http://127.0.0.1:{hook}/told"}}}}}}
"""


def noon_zone() -> str:
    """A time zone where it is about noon: a day there is half over, and ends in half a day."""
    ahead = 12 - datetime.now(UTC).hour
    return "Etc/GMT" if not ahead else f"Etc/GMT{-ahead:+d}"


async def eventually(holds: Callable[[], bool]) -> None:
    """TimeoutError when it never does."""
    async with asyncio.timeout(PATIENCE_S):
        for _ in itertools.count():
            if holds():
                return
            await asyncio.sleep(LOOK_S)


class House:
    """Control and a gateway in front of an upstream, each a process of its own."""

    def __init__(self, control: Spawning, gateway: Spawned) -> None:
        self.control = control
        self.gateway = gateway
        self.keys: dict[str, str] = {}

    def api(self) -> Control:
        return Control(self.control.layout.state)

    def key(self, team: str) -> str:
        if team not in self.keys:
            with self.api() as api:
                wanted = NewKey(name=team, team=team, routes=("*",))
                self.keys[team] = api.post("/api/keys", KeyMade, wanted).key
        return self.keys[team]

    async def ask(self, team: str) -> Reply:
        return await ask(self.gateway.address, post(self.key(team), ASK))

    async def spend(self, team: str, most: int) -> int:
        """How many of so many requests were served before the first no."""
        for served in range(most):
            reply = await self.ask(team)
            if reply.status != 200:
                assert reply.json["error"]["code"] == "insufficient_quota", reply.raw
                return served
        return most

    async def allowed(self, team: str) -> Decimal:
        """What the gateway says that this team may spend."""
        head = f"GET /v1/usage HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {self.key(team)}\r\n"
        reply = await ask(self.gateway.address, f"{head}connection: close\r\n\r\n".encode())
        (row,) = reply.json["data"]
        return Decimal(row["allowed"])

    def explain(self, name: str) -> BudgetExplained:
        with self.api() as api:
            return api.get(f"/api/budgets/{name}", BudgetExplained)

    async def recorded(self, name: str, spent: Decimal) -> None:
        """Waits until the ledger has so much of a budget."""

        def used() -> list[Decimal]:
            return [Decimal(one.used_usd) for one in self.explain(name).budget.highest]

        await eventually(lambda: used() == [spent])

    async def start_again(self) -> None:
        assert await self.control.end(signal.SIGTERM) == 0
        await self.control.start()
        await self.control.ready()


@asynccontextmanager
async def house(folder: Path, hook: int = 9) -> AsyncIterator[House]:
    async with Upstream(whole()) as up:
        (folder / "tidegate.yaml").write_text(PLAN.format(port=up.port, hook=hook))
        control = Spawning(folder)
        await control.start()
        await control.ready()
        gateway = Spawned(control.layout)
        await gateway.start()
        try:
            yield House(control, gateway)
        finally:
            await gateway.end()
            if control.process.returncode is None:
                await control.end(signal.SIGTERM)


def test_a_raise_of_one_team_lets_it_spend_more_until_its_date_whether_control_lives_or_not(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            budget = NewBudget("teams", 10 * COST, "day", noon_zone(), "team")
            with it.api() as api:
                assert api.post("/api/budgets", BudgetChanged, budget).waiting_for == []
            assert await it.spend("growth", 12) == await it.spend("search", 12) == 10
            reply = await it.ask("growth")
            assert reply.status == 429
            assert reply.headers["x-should-retry"] == "false"
            ends_s = it.explain("teams").budget.resets_at_s
            assert ends_s is not None
            assert abs(int(reply.headers["retry-after"]) - (ends_s - clock.wall_s())) < PATIENCE_S

            until_s = clock.wall_s() + 6
            asked = NewRaise(5 * COST, until_s, "launch", "Bo", {"team": "growth"})
            with it.api() as api:
                raised = api.post("/api/budgets/teams/raise", BudgetChanged, asked)
            assert raised.waiting_for == []
            assert await it.allowed("growth") == 15 * COST
            assert await it.allowed("search") == 10 * COST
            assert await it.spend("search", 1) == 0
            assert await it.control.end(signal.SIGKILL) == -signal.SIGKILL
            async with asyncio.timeout(PATIENCE_S):
                while (allowed := await it.allowed("growth")) != 10 * COST:
                    assert allowed == 15 * COST
                    await asyncio.sleep(LOOK_S)
            assert clock.wall_s() >= until_s
            assert await it.spend("growth", 1) == 0

            await it.control.start()
            await it.control.ready()
            (shown,) = it.explain("teams").raises
            assert (shown.scope, shown.approver, shown.reason) == ("team growth", "Bo", "launch")
            assert (shown.state, shown.author) == ("over", "operator")

    asyncio.run(main())


def test_a_raised_team_spends_exactly_what_it_was_raised_by(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            budget = NewBudget("teams", 4 * COST, "day", noon_zone(), "team")
            until_s = clock.wall_s() + 3600
            raised = NewRaise(3 * COST, until_s, "launch", None, {"team": "growth"})
            with it.api() as api:
                api.post("/api/budgets", BudgetChanged, budget)
                first = await it.spend("growth", 9)
                change = api.post("/api/budgets/teams/raise", BudgetChanged, raised)
                assert (first, await it.spend("growth", 9)) == (4, 3)
                api.post("/api/budgets/teams/end", BudgetChanged, EndBudget(change.raise_id))
            assert await it.spend("growth", 9) == 0

    asyncio.run(main())


class KeyAsked(msgspec.Struct, omit_defaults=True):
    """What LiteLLM's scripts send."""

    key: str | None = None
    max_budget: Decimal | None = None
    temp_budget_increase: Decimal | None = None
    temp_budget_expiry: str | None = None


def test_a_key_s_budget_for_its_lifetime_does_not_come_back_and_is_raised_for_a_while(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            with it.api() as api:
                made = api.post("/key/generate", dict[str, Any], KeyAsked(max_budget=4 * COST))
                it.keys["app"] = made["key"]
                assert await it.spend("app", 9) == 4
                reply = await it.ask("app")
                assert (reply.status, "retry-after" in reply.headers) == (429, False)
                more = KeyAsked(made["key"], None, 3 * COST, "1h")
                api.post("/key/update", dict[str, Any], more)
                assert await it.spend("app", 9) == 3

    asyncio.run(main())


class Hook:
    """A webhook on this machine, and what it was told."""

    def __init__(self) -> None:
        told = self.told = list[dict[str, Any]]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(
                    msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
                )
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever)

    def __enter__(self) -> "Hook":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    async def wait_for(self, count: int) -> set[tuple[str, int]]:
        """What was told once so much was."""
        await eventually(lambda: len(self.told) >= count)
        return {(one["measure"], one["percent"]) for one in self.told}


def test_a_soft_budget_refuses_nothing_and_tells_of_each_part_spent_and_foreseen_once(
    tmp_path: Path,
) -> None:
    """Control looks at its start: it is started again where a minute would be waited for."""

    async def main() -> None:
        with Hook() as hook:
            async with house(tmp_path, hook.port) as it:
                soft = NewBudget("soft", 100 * COST, "day", noon_zone(), "team", hard=False)
                with it.api() as api:
                    api.post("/api/budgets", BudgetChanged, soft)
                # Half of the day is over, or an hour more: nearly twice as much is foreseen.
                assert await it.spend("growth", 44) == 44
                await it.recorded("soft", 44 * COST)
                await it.start_again()
                early = {("forecast", 50), ("forecast", 80)}
                assert await hook.wait_for(2) == early
                assert await it.spend("growth", 41) == 41
                await it.recorded("soft", 85 * COST)
                await it.start_again()
                middle = {("actual", 50), ("actual", 80), ("forecast", 100)}
                assert await hook.wait_for(5) == early | middle
                assert await it.spend("growth", 20) == 20
                await it.recorded("soft", 105 * COST)
                await it.start_again()
                assert await hook.wait_for(6) == early | middle | {("actual", 100)}
                await it.start_again()
                told = it.explain("soft").alerts
                assert len(told) == 6
                assert all(one.delivered_at_s is not None for one in told)
        assert len({one["id"] for one in hook.told}) == len(hook.told) == 6
        assert {one["scope"] for one in hook.told} == {"team growth"}
        last = hook.told[-1]
        assert usd_to_nanousd(Decimal(last["used_usd"])) == usd_to_nanousd(105 * COST)

    asyncio.run(main())
