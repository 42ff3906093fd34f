"""The supervisor: order of ending, signals, a child that refuses, and its own death."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tidegate.boot.child import EX_CONFIG, Child, ChildSpec
from tidegate.boot.supervisor import Supervisor

# Says what it is told, ends on SIGTERM after `argv[2]` seconds or on a second one, and with its
# parent; never waits longer than a minute, so a broken test leaves nothing behind.
FAKE = """
import os, select, signal, sys, time
name, linger, log, fd = sys.argv[1], float(sys.argv[2]), sys.argv[3], int(sys.argv[4])
def say(what):
    with open(log, "a") as file: file.write(f"{name} {what}\\n")
terms = []
def on_term(*_): terms.append(1); say("term")
signal.signal(signal.SIGTERM, on_term)
signal.signal(signal.SIGHUP, lambda *_: say("hup"))
say("start")
until = time.monotonic() + 60
while time.monotonic() < until:
    ready, _, _ = select.select([fd], [], [], 0.02)
    if ready: say("eof"); break
    if len(terms) > 1: break
    if terms: until = min(until, time.monotonic() + linger); linger = 60
say("end")
"""


class Scene:
    """Fake children that write down what happens to them."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.log.touch()

    def child(self, name: str, linger_s: float = 0.0) -> Child:
        head = [sys.executable, "-S", "-c", FAKE, name, str(linger_s), str(self.log)]
        return Child(ChildSpec(name, lambda fd: [*head, str(fd)]))

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    async def until(self, condition: Callable[[list[str]], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition(self.lines()):  # noqa: ASYNC110  (nothing tells of it)
                await asyncio.sleep(0.01)


def started(count: int) -> Callable[[list[str]], bool]:
    return lambda lines: sum(line.endswith(" start") for line in lines) >= count


def test_who_comes_while_gateways_drain_is_refused_and_does_not_wait(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def run() -> int:
        with socket.create_server(("127.0.0.1", 0)) as door:
            address = door.getsockname()
            gateway, control = scene.child("gateway", 0.5), scene.child("control")
            supervisor = Supervisor(control, [gateway], [], lambda: 20.0, door.close)
            running = asyncio.create_task(supervisor.run())
            await scene.until(started(2))
            socket.create_connection(address).close()
            supervisor.end()
            await scene.until(lambda lines: "gateway term" in lines)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*address)
            assert "gateway end" not in scene.lines()
            return await running

    assert asyncio.run(run()) == 0


def test_the_door_is_shut_once_no_gateway_is_started_any_more(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def run() -> int:
        gateway, control = scene.child("gateway"), scene.child("control")
        stopping: list[bool] = []
        supervisor = Supervisor(
            control, [gateway], [], lambda: 20.0, lambda: stopping.append(gateway.stopping)
        )
        running = asyncio.create_task(supervisor.run())
        await scene.until(started(2))
        supervisor.end()
        status = await running
        assert stopping == [True]
        return status

    assert asyncio.run(run()) == 0


def test_a_signal_ends_gateways_then_control_then_engines(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def run() -> int:
        gateways = [scene.child(f"gateway{n}", 0.1) for n in range(2)]
        engine, control = scene.child("engine"), scene.child("control")
        supervisor = Supervisor(control, gateways, [engine], lambda: 20.0)
        running = asyncio.create_task(supervisor.run())
        await scene.until(started(4))
        os.kill(os.getpid(), signal.SIGHUP)
        await scene.until(lambda lines: "control hup" in lines)
        os.kill(os.getpid(), signal.SIGTERM)
        return await running

    assert asyncio.run(run()) == 0
    lines = scene.lines()
    ends = [line.split()[0] for line in lines if line.endswith(" end")]
    assert sorted(ends[:2]) == ["gateway0", "gateway1"]
    assert ends[2:] == ["control", "engine"]
    assert lines.index("control term") > max(lines.index(f"gateway{n} end") for n in range(2))
    assert [line for line in lines if line.endswith(" hup")] == ["control hup"]


def test_a_second_signal_hurries_the_gateways(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def run() -> int:
        supervisor = Supervisor(
            scene.child("control"), [scene.child("gateway", 50)], [], lambda: 50.0
        )
        running = asyncio.create_task(supervisor.run())
        await scene.until(started(2))
        os.kill(os.getpid(), signal.SIGINT)
        await scene.until(lambda lines: "gateway term" in lines)
        os.kill(os.getpid(), signal.SIGINT)
        return await running

    assert asyncio.run(run()) == 0
    assert scene.lines().count("gateway term") == 2


def test_a_killed_child_is_started_again_and_the_others_are_left_alone(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def run() -> None:
        control, gateway = scene.child("control"), scene.child("gateway")
        supervisor = Supervisor(control, [gateway], [], lambda: 1.0)
        running = asyncio.create_task(supervisor.run())
        await scene.until(started(2))
        for child in (control, gateway):
            child.signal(signal.SIGKILL)
        await scene.until(started(4))
        supervisor.end()
        await running
        assert (control.starts, gateway.starts) == (2, 2)

    asyncio.run(run())


def test_a_child_that_refuses_ends_everything_with_its_status(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def run() -> int:
        argv = [sys.executable, "-S", "-c", f"raise SystemExit({EX_CONFIG})"]
        control = Child(ChildSpec("control", lambda fd: argv))
        return await Supervisor(control, [scene.child("gateway")], [], lambda: 1.0).run()

    assert asyncio.run(run()) == EX_CONFIG


def test_children_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    code = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests.boot.test_supervisor import Scene
from tidegate.boot.supervisor import Supervisor
scene = Scene(Path({str(tmp_path)!r}))
supervisor = Supervisor(scene.child("control"), [scene.child("gateway")], [], lambda: 1.0)
asyncio.run(supervisor.run())
"""
    with subprocess.Popen([sys.executable, "-c", code]) as supervisor:
        deadline_s = time.monotonic() + 30
        while not started(2)(scene.lines()):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        supervisor.kill()
    while sum(line.endswith(" eof") for line in scene.lines()) < 2:
        assert time.monotonic() < deadline_s, scene.lines()
        time.sleep(0.01)
