"""Answers are taken back from every gateway process within a second, over control and over Redis
by the command that the page shows."""

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
        until_s = time.monotonic() + 10
        while True:  # what is asked before all was heard, or before both listen, is void
            memory, shared = self.answers("memory"), self.answers("shared")
            if len(memory) == 2 and len(shared) <= 2 and self.answers("memory") == memory:
                return memory, shared
            assert time.monotonic() < until_s, (memory, shared)
            time.sleep(0.1)


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
    memory, shared = application.kept()
    state = str(application.house.layout.state)
    began_s = time.monotonic()
    told = CliRunner().invoke(commands(), ["cache", "invalidate", *words.split(), "--state", state])
    took_s = time.monotonic() - began_s
    assert told.exit_code == 0, told.output
    assert "from 2 of this machine's gateways" in told.output
    assert not memory & application.answers("memory")
    assert not shared & application.answers("shared")
    print(f"{words}: obeyed after {took_s:.3f} s")
    assert took_s < PURGE_S


def commands_shown() -> list[str]:
    page = (ROOT / "docs/cache-invalidation.md").read_text()
    return [line for line in page.splitlines() if line.startswith("redis-cli ")]


@pytest.mark.parametrize("line", [commands_shown()[0], commands_shown()[2]], ids=["source", "all"])
def test_applications_say_it_over_redis(application: Application, line: str) -> None:
    memory, shared = application.kept()
    program, *words = shlex.split(line)
    command = [program, "-s", str(application.socket), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    time.sleep(PURGE_S)
    assert not memory & application.answers("memory")
    assert not shared & application.answers("shared")


def test_what_is_not_meant_stays(application: Application) -> None:
    memory, _ = application.kept()
    state = str(application.house.layout.state)
    CliRunner().invoke(commands(), ["cache", "invalidate", "--tag", "x", "--state", state])
    assert application.answers("memory") <= memory
