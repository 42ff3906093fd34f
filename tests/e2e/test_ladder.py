"""A drill over real processes: a plan that control has read, a gateway beside it, engines that fail
on demand; each step is told by the answer's head and then by the page of metrics."""

import asyncio
import re
import signal
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.apart import LOOK_S, PATIENCE_S, Spawning
from tests.gateway.reply import Reply
from tests.gateway.rig import run
from tests.gateway.spawned import Spawned, ask, post
from tests.sim.rig import engine

from tidegate.cli._client import Control
from tidegate.control.shapes_changes import ChangeMade, NewChange
from tidegate.sim.script import parse_line
from tidegate.sim.server import Running

PLAN = """\
providers:
  own: {{kind: vllm, base_url: "{own}"}}
  bought: {{kind: openai_compatible, base_url: "{bought}", api_key: none}}
targets:
  big: {{provider: own, model: sim, price: free}}
  hosted:
    provider: bought
    model: sim
    price: {{input_usd_per_mtok: 100, output_usd_per_mtok: 100}}
routes:
  support:
    target: big
    retry: {{attempts: 1}}
    ladder:
      - name: hosted
        when: {{failure: [unavailable], slow_first_token: 300ms}}
        target: hosted
      - {{name: sorry, when: {{budget: 50%}}, apology: "Please try again in a few minutes."}}
budgets:
  support: {{amount: 0.006, per: day, only: {{route: support}}, degrade: true}}
"""
ASKED: dict[str, Any] = {
    "model": "support",
    "messages": [{"role": "user", "content": "hi"}],
    "max_tokens": 20,
}
METRIC = re.compile(r"^tidegate_rungs_total\{(.*)\} (\S+)$", re.MULTILINE)


class Drill:
    """One gateway process and its control."""

    def __init__(self, control: Spawning, gateway: Spawned, key: str) -> None:
        self.control = control
        self.gateway = gateway
        self.key = key

    async def asked(self, **more: Any) -> Reply:
        return await ask(self.gateway.address, post(self.key, {**ASKED, **more}))

    def floor(self, rung: int) -> None:
        """By control's API, as an operator would in an incident."""
        change = NewChange(
            lever="ladder_floor", scope="support", value=rung, for_s=60.0, reason="a drill"
        )
        with Control(self.control.layout.state) as client:
            assert client.post("/api/changes", ChangeMade, change).waiting_for == []

    def counted(self) -> dict[tuple[str, str], float]:
        """(rung, reason) -> how many, by control's page of metrics."""
        url = (self.control.layout.run / "control.url").read_text().strip()
        with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
            page = answer.read().decode()
        found = {}
        for labels, count in METRIC.findall(page):
            told = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            assert told["route"] == "support"
            found[told["rung"], told["reason"]] = float(count)
        return found


def fail(running: Running, *faults: str) -> None:
    running.sim.script.replace([parse_line(fault) for fault in faults])


def test_a_house_goes_down_its_ladder_and_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(models=("sim",)) as own, engine(models=("sim",)) as bought:
            control = Spawning(tmp_path)
            text = PLAN.format(own=own.base_url, bought=bought.base_url)
            (tmp_path / "tidegate.yaml").write_text(text)
            await control.start()
            await control.ready()
            gateway = Spawned(control.layout)
            await gateway.start()
            key = await asyncio.to_thread(control.key)
            it = Drill(control, gateway, key)
            try:
                await drill(it, own)
            finally:
                for process in (gateway, control):
                    await process.end(signal.SIGKILL)

    run(main(), patience_s=3 * PATIENCE_S)


async def drill(it: Drill, own: Running) -> None:
    """Each step's answer, and what is counted of all at last."""
    reply = await it.asked()
    assert (reply.status, rung_of(reply)) == (200, None)
    fail(own, "status:503")
    reply = await it.asked()
    assert (reply.status, rung_of(reply)) == (200, "hosted")
    assert reply.headers["x-tidegate-target"] == "hosted"
    fail(own, "stall:20")
    reply = await it.asked(stream=True)
    assert (reply.status, rung_of(reply)) == (200, "hosted")
    assert b"[DONE]" in reply.body
    fail(own)  # it would serve again, but more than half of the money is spent
    reply = await it.asked()
    assert rung_of(reply) == "sorry"
    text = reply.json["choices"][0]["message"]["content"]
    assert text == "Please try again in a few minutes."
    await asyncio.to_thread(it.floor, 2)
    reply = await it.asked(stream=True)
    assert rung_of(reply) == "sorry"
    wanted = {
        ("hosted", "unavailable"): 1.0,
        ("hosted", "slow_first_token"): 1.0,
        ("sorry", "budget"): 1.0,
        ("sorry", "floor"): 1.0,
    }
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(it.counted) != wanted:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S * 10)


def rung_of(reply: Reply) -> str | None:
    return reply.headers.get("x-tidegate-rung")
