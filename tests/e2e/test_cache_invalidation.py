"""Answers are taken back from every gateway process, over control and over Redis by the command
that the page shows; the long form says within which time."""

import http.client
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from tests.e2e.rig import House
from tests.stores import redis_rig

from tidegate.cli import commands

ROOT = Path(__file__).parents[2]
PLAN = """\
providers:
  sim: {{kind: sim, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets: {{demo: {{provider: sim, model: demo, price: free}}}}
routes:
  memory: {{target: demo, cache: {{tags: [shop], exact: {{deterministic: any}}}}}}
  shared: {{target: demo, cache: {{exact: {{deterministic: any, store: shared}}}}}}
gateway: {{processes: 2}}
storage: {{limits: {{url: "unix://{socket}"}}}}
"""
PURGE_S = 1.0
PATIENCE_S = 30.0
ASKED = 12


class Application:
    def __init__(self, house: House, socket: Path) -> None:
        self.house, self.socket = house, socket
        self._key, self._address = house.key(), urlsplit(house.url).netloc

    def answers(self, route: str) -> set[str]:
        """Ids of the answers that a dozen connections get, of either process."""
        return {self._answer(route) for _ in range(ASKED)}

    def _answer(self, route: str) -> str:
        body = {"model": route, "messages": [{"role": "user", "content": "What is a tide?"}]}
        headers = {
            "authorization": f"Bearer {self._key}",
            "content-type": "application/json",
            "x-tidegate-cache-tags": "prices",
            "x-tidegate-cache-sources": "doc-17",
        }
        with closing(http.client.HTTPConnection(self._address, timeout=10)) as connection:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            found: str = json.loads(answer.read())["id"]
        return found

    def kept(self) -> tuple[set[str], set[str]]:
        """What is given again on each route, once both processes keep it."""
        until_s = time.monotonic() + PATIENCE_S
        while True:  # what is asked before all was heard, or before both listen, is void
            memory, shared = self.answers("memory"), self.answers("shared")
            if len(memory) == 2 and len(shared) <= 2 and self.answers("memory") == memory:
                return memory, shared
            assert time.monotonic() < until_s, (memory, shared)
            time.sleep(0.1)

    def gives(self, memory: set[str], shared: set[str]) -> bool:
        """Whether one of these is given again."""
        return bool(memory & self.answers("memory") or shared & self.answers("shared"))

    def invalidate(self, words: str) -> None:
        command = ["cache", "invalidate", *words.split(), "--state", str(self.house.layout.state)]
        until_s, said = time.monotonic() + PATIENCE_S, ""
        while "from 2 of this machine's gateways" not in said:  # one of them is late
            told = CliRunner().invoke(commands(), command)
            said = told.output
            assert told.exit_code == 0, said
            assert time.monotonic() < until_s, said


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("invalidated")
    sim = [sys.executable, "-m", "tidegate.sim", "serve", "--port", "0", "--profile", "instant"]
    with (
        redis_rig.serving("redis", tmp_path_factory.mktemp("redis")) as server,
        subprocess.Popen([*sim, "--model", "demo"], stdout=subprocess.PIPE, text=True) as engine,
    ):
        assert engine.stdout is not None
        ready = re.match(r"ready http://.*:(\d+)", engine.stdout.readline())
        assert ready
        plan = PLAN.format(port=ready[1], socket=server.socket)
        with House(folder, plan) as house:
            yield Application(house, server.socket)
        engine.terminate()


@pytest.mark.parametrize(
    "words", ["--tag prices", "--source doc-17", "--model demo", "--everything"]
)
def test_the_command_takes_them_back_before_it_ends(application: Application, words: str) -> None:
    kept = application.kept()
    application.invalidate(words)
    assert not application.gives(*kept)


def commands_shown() -> list[str]:
    page = (ROOT / "docs/cache-invalidation.md").read_text()
    return [line for line in page.splitlines() if line.startswith("redis-cli ")]


@pytest.mark.parametrize("line", [commands_shown()[0], commands_shown()[2]], ids=["source", "all"])
def test_applications_say_it_over_redis(application: Application, line: str) -> None:
    kept = application.kept()
    redis_says(application, line)
    until_s = time.monotonic() + PATIENCE_S
    while application.gives(*kept):  # nobody tells when the gateways have heard
        assert time.monotonic() < until_s
    assert not application.gives(*kept)


def redis_says(application: Application, line: str) -> None:
    program, *words = shlex.split(line)
    command = [program, "-s", str(application.socket), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def test_what_is_not_meant_stays(application: Application) -> None:
    memory, _ = application.kept()
    application.invalidate("--tag x")
    assert application.answers("memory") <= memory


@pytest.mark.soak
@pytest.mark.parametrize("way", ["command", "redis"])
def test_it_is_obeyed_within_a_second(application: Application, way: str) -> None:
    took_s = []
    for _ in range(20):
        kept = application.kept()
        began_s = time.monotonic()
        if way == "command":
            application.invalidate("--tag prices")
        else:
            redis_says(application, commands_shown()[0])
        while application.gives(*kept):
            assert time.monotonic() - began_s < PURGE_S
        took_s.append(time.monotonic() - began_s)
    print(f"{way}: obeyed after {min(took_s):.3f} to {max(took_s):.3f} s")
    assert max(took_s) < PURGE_S
