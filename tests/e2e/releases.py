"""Releases over real sockets: an engine whose models differ, traffic of many users, and control."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from tests.e2e.apart import LOOK_S, Spawning
from tests.gateway.spawned import ask, post
from tests.gateway.upstream import STREAM_HEAD, Exchange

from tidegate.cli._client import Control
from tidegate.control.shapes_releases import (
    AskRelease,
    OneRelease,
    ReleaseAsked,
    ReleaseExplained,
    ReleaseMade,
)
from tidegate.core.rollout_state import What

USERS = 100_000
PAUSE_S = 0.03  # of each client between two requests, or all of a processor is theirs
PLAN = """\
control: {{loop: {{tick: 250ms, lease: {lease}}}}}
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets:
  old: {{provider: up, model: old, price: free}}
{targets}routes:
{routes}"""
RELEASE = """\
owner: ada
why: {name} instead of old
change: {{target: {name}}}
soak: {soak}
steps:
  - {{weight: 20%, min_units: 20, min: 500ms, max: 100s, smoke: true}}
  - {{weight: 50%, min_units: 100, min: 500ms, max: 100s}}
  - {{weight: 100%, min_units: 100, min: 500ms, max: 100s}}
harm: {{{harm}}}
"""
HARM = "error: {margin: 0.1}, refusal: {margin: 0.1}, ttft: {margin: 0.1}, output_tokens: {}"


def lay_out(folder: Path, port: int, harms: dict[str, str], **given: Any) -> None:
    """A plan with a route `to-NAME` and a release of target NAME on it, for each of `harms`."""
    targets = [f"  {name}: {{provider: up, model: {name}, price: free}}\n" for name in harms]
    routes = [
        f"  to-{name}: {{target: old{', contract: {json: true}' if 'invalid' in harm else ''}}}\n"
        for name, harm in harms.items()
    ]
    plan = PLAN.format(
        port=port,
        targets="".join(targets),
        routes="".join(routes),
        lease=given.get("lease", "3s"),
    )
    (folder / "tidegate.yaml").write_text(plan)
    for name, harm in harms.items():
        file = folder / "releases" / f"to-{name}" / "next.yaml"
        file.parent.mkdir(parents=True)
        soak = given.get("soak", "500ms")
        file.write_text(RELEASE.format(name=name, harm=harm, soak=soak) + given.get("more", ""))


class Engine:
    """Answers by the model's name; `asked` counts them."""

    def __init__(self) -> None:
        self._chance = random.Random(5)
        self.asked: Counter[str] = Counter()

    async def __call__(self, exchange: Exchange) -> None:
        model = exchange.json["model"]
        self.asked[model] += 1
        chance = self._chance
        tokens = int(chance.lognormvariate(4.0, 0.4))
        text = ['{"answer": ', '"tide"', "}"]
        if model == "longer" or exchange.json.get("temperature") == 1.5:
            tokens *= 2
        elif model == "invalid" and chance.random() < 0.4:
            text = ["the answer", " is", " tide"]
        elif model == "slower":
            await asyncio.sleep(0.2)
        elif model == "refusing" and chance.random() < 0.4:
            text = ["I'm sorry, but I", " can't help", " with that."]
        exchange.send(STREAM_HEAD)
        for part in text:
            exchange.say(part)
        exchange.end(
            {"prompt_tokens": 11, "completion_tokens": tokens, "total_tokens": tokens + 11}
        )


class Traffic:
    """Clients that stream from each route in turn until they are stopped."""

    def __init__(self, address: tuple[str, int], key: str, routes: list[str]) -> None:
        self._address = address
        self._key = key
        self._routes = routes
        self._chance = random.Random(9)
        self._clients: list[asyncio.Task[None]] = []
        self.stopped = False
        self.answered = 0
        self.failed: list[bytes] = []

    def start(self, clients: int = 8) -> None:
        self._clients = [asyncio.create_task(self._run(number)) for number in range(clients)]

    async def stop(self) -> None:
        self.stopped = True
        await asyncio.gather(*self._clients)

    async def _run(self, number: int) -> None:
        turn = number
        while not self.stopped:
            turn += 1
            body = {
                "model": self._routes[turn % len(self._routes)],
                "messages": [{"role": "user", "content": "what is it?"}],
                "user": f"user-{self._chance.randrange(USERS)}",
                "stream": True,
            }
            try:
                reply = await ask(self._address, post(self._key, body))
            except OSError as error:
                self.failed.append(str(error).encode())
                await asyncio.sleep(LOOK_S)
                continue
            if reply.status == 200 and reply.whole:
                self.answered += 1
            else:
                self.failed.append(reply.raw)
            await asyncio.sleep(PAUSE_S)


class Releasing:
    """What an operator does. Blocking calls are made off the loop."""

    def __init__(self, control: Spawning) -> None:
        self._control = control

    def create_and_start(self, name: str) -> None:
        self.create(name)
        with Control(self._control.layout.state) as control:
            control.post("/api/releases/ask", ReleaseAsked, AskRelease(name, "start"))

    def create(self, name: str) -> None:
        with Control(self._control.layout.state) as control:
            control.post("/api/releases", ReleaseMade, OneRelease(name))

    def passed(self, name: str, gate: str) -> None:
        with Control(self._control.layout.state) as control:
            wish = AskRelease(name, "gate_passed", gate=gate)
            control.post("/api/releases/ask", ReleaseAsked, wish)

    def ask(self, name: str, what: What, reason: str = "") -> None:
        with Control(self._control.layout.state) as control:
            control.post("/api/releases/ask", ReleaseAsked, AskRelease(name, what, reason))

    def approve(self, name: str) -> None:
        """Somebody else says yes: nobody approves what they made."""
        state, token = self._control.layout.state, "b" * 24
        others = state / "operator.tokens"
        others.write_text(f"operator bo {token}\n")
        others.chmod(0o600)
        with Control(state) as control:
            wish = msgspec.to_builtins(AskRelease(name, "approve"))
            headers = {"authorization": f"Bearer {token}"}
            answer = httpx2.post(f"{control.url}/api/releases/ask", json=wish, headers=headers)
        # Otherwise it waits for nobody any more, or has not counted the one before.
        assert answer.status_code in (200, 400, 409), answer.text

    def explain(self, name: str) -> ReleaseExplained:
        with Control(self._control.layout.state) as control:
            return control.get("/api/releases/explain", ReleaseExplained, id=name)

    async def until(self, name: str, *states: str, patience_s: float = 60.0) -> ReleaseExplained:
        """What it is when it has come to one of these states."""
        found: ReleaseExplained | None = None
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    found = await asyncio.to_thread(self.explain, name)
                    if found.release.state in states:
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{name} is {found}") from None
