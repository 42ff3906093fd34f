"""Prompts of a repository through the whole house: served, moved under load, kept when broken."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from tests.e2e.prompted import VERSION, commit, versions
from tests.e2e.rig import House
from tests.gateway.rig import run
from tests.gateway.upstream import Upstream

from tidegate.cli.prompt import plug
from tidegate.control.shapes_prompts import Flipped, NewFlip, PromptList

PLAN = """\
gateway: {{processes: 4}}
prompts: {{repository: prompts-repo, poll_s: 0.1, certificates: "off"}}
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
routes:
  small:
    target: {{provider: up, model: m, price: free}}
    prompt: support
"""
FLIPS = 20
ASKING = 8
ASKED = msgspec.json.encode(
    {
        "model": "small",
        "messages": [{"role": "user", "content": "hi"}],
        "prompt": {"variables": {"product": "Tide"}},
    }
)


async def served(house: House, key: str) -> str:
    """The version that answered one request, on a connection of its own."""
    host, _, port = house.url.partition("//")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
            f"authorization: Bearer {key}\r\ncontent-length: {len(ASKED)}\r\n\r\n"
        )
        writer.write(head.encode() + ASKED)
        answer = await reader.read(-1)
    finally:
        writer.transport.abort()
    lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert lines[0].startswith("HTTP/1.1 200"), answer
    told = dict(line.split(": ", 1) for line in lines[1:])
    return told["x-tidegate-prompt"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("prompted")
    commit(folder / "prompts-repo", versions("v1", "v2", stable="v1"))
    yield folder


def flip(house: House, version: str | None) -> Flipped:
    control = house.control()
    try:
        asked = NewFlip(version, "a test")
        return control.post("/api/prompts/support/tags/stable", Flipped, asked)
    finally:
        control.close()


def listed(house: House) -> PromptList:
    control = house.control()
    try:
        return control.get("/api/prompts", PromptList)
    finally:
        control.close()


def test_no_request_has_the_old_version_once_a_flip_is_acknowledged(repository: Path) -> None:
    """On four gateways, under load; and what lies in the repository speaks again when it says
    another word, and not when it is broken."""

    async def main() -> None:
        async with Upstream() as up:
            house = House(repository, PLAN.format(port=up.port), ("--config", "tidegate.yaml"))
            await asyncio.to_thread(house.start)
            try:
                key = await asyncio.to_thread(house.key)
                assert await served(house, key) == "support@v1"
                await _flipped_under_load(house, key)
                await _moved_in_the_repository(repository, house, key)
                system = msgspec.json.decode(up.exchanges[0].body)["messages"][0]
                assert system == {"role": "system", "content": "v1 You answer for Tide."}
            finally:
                await asyncio.to_thread(house.stop)

    run(main(), patience_s=120)


async def _flipped_under_load(house: House, key: str) -> None:
    stopped = False
    answered: list[tuple[float, float, str]] = []

    async def ask() -> None:
        while not stopped:
            begun_s = time.monotonic()
            version = await served(house, key)
            answered.append((begun_s, time.monotonic(), version))

    asking = [asyncio.create_task(ask()) for _ in range(ASKING)]
    acknowledged: list[tuple[float, float, str]] = []
    for number in range(FLIPS):
        version = f"v{2 - number % 2}"
        begun_s = time.monotonic()
        while (await asyncio.to_thread(flip, house, version)).waiting_for:
            continue  # a loaded machine's gateway was not asked in time
        acknowledged.append((begun_s, time.monotonic(), version))
        await asyncio.sleep(0.05)
    stopped = True
    await asyncio.gather(*asking)
    ends = [begun for begun, _, _ in acknowledged[1:]] + [float("inf")]
    compared = 0
    for (_, from_s, version), until_s in zip(acknowledged, ends, strict=True):
        between = [it for at_s, end_s, it in answered if from_s < at_s and end_s < until_s]
        assert between.count(f"support@{version}") == len(between), "the old one after it was told"
        compared += len(between)
    assert compared >= ASKING, "requests were made between flips"
    assert {it for _, _, it in answered} == {"support@v1", "support@v2"}
    after = sorted(answered)[-ASKING:]
    assert {it for _, _, it in after} == {f"support@{acknowledged[-1][2]}"}
    took_s = sorted(end - begun for begun, end, _ in acknowledged)
    print(
        f"{FLIPS} flips on 4 gateways under load ({len(answered)} requests, {compared} of them "
        f"wholly after an acknowledgement and before the next flip): median "
        f"{statistics.median(took_s) * 1e3:.0f} ms, longest {took_s[-1] * 1e3:.0f} ms"
    )


async def _moved_in_the_repository(folder: Path, house: House, key: str) -> None:
    async def until(version: str) -> None:
        async with asyncio.timeout(20):
            while await served(house, key) != f"support@{version}":  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    commit(folder / "prompts-repo", versions("v3", stable="v3"))
    await until("v3")
    broken = {"prompts/support/v4.jinja2": "{% if %}", "prompts/support/tags.yaml": "stable: v4\n"}
    commit(folder / "prompts-repo", broken)
    async with asyncio.timeout(20):
        while not (await asyncio.to_thread(listed, house)).problems:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await served(house, key) == "support@v3", "what was read before serves on"
    rewritten = {"prompts/support/v3.jinja2": VERSION % "other", **versions(stable="v3")}
    commit(folder / "prompts-repo", rewritten)
    async with asyncio.timeout(20):
        while not any("tagged before" in it for it in _problems(house)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await served(house, key) == "support@v3"
    state = ["--state", str(house.layout.state)]
    shown = await asyncio.to_thread(CliRunner().invoke, plug, ["status", *state])
    assert shown.exit_code == 1 and "support" in shown.output
    gone = ["tag", "support", "stable", "v9", "--reason", "x", *state]
    refused = await asyncio.to_thread(CliRunner().invoke, plug, gone)
    assert refused.exit_code != 0 and "no version" in refused.output


def _problems(house: House) -> list[str]:
    return listed(house).problems
