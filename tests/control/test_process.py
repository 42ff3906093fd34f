"""Control as a process: how it starts, refuses to, reloads and ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from tests.control.conftest import PLAN

from tidegate.control.credentials import create_state
from tidegate.control.process import EX_CONFIG
from tidegate.core.layout import Layout

DEADLINE_S = 60.0


class Started:
    """One control process on a free port."""

    def __init__(self, layout: Layout, plan: Path, *options: str) -> None:
        self.layout = layout
        (layout.run / "control.url").unlink(missing_ok=True)
        read, self.parent = os.pipe()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "tidegate.control", "--state", str(layout.state)),
                *("--plan", str(plan), "--parent-fd", str(read)),
                *(options or ("--listen", "127.0.0.1:0")),
            ],
            pass_fds=(read,),
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(read)

    def get(self, path: str) -> dict[str, object]:
        url = (self.layout.run / "control.url").read_text().strip()
        token = self.layout.operator_token.read_text().strip()
        headers = {"authorization": f"Bearer {token}"}
        answer: dict[str, object] = httpx2.get(url + path, headers=headers).json()
        return answer

    def until(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            with contextlib.suppress(OSError, httpx2.HTTPError):
                if condition():
                    return
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < deadline_s
            time.sleep(0.02)

    def version(self) -> object:
        return self.get("/api/plan")["version"]

    def end(self) -> tuple[int, str]:
        """Wait for its end; status and what it said."""
        _, said = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, said


@pytest.fixture
def fresh(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "state")


@pytest.fixture
def start(fresh: Layout, plan_file: Path) -> Iterator[Callable[..., Started]]:
    running: list[Started] = []

    def begin(*options: str) -> Started:
        running.append(Started(fresh, plan_file, *options))
        return running[-1]

    yield begin
    for started in running:
        started.process.kill()
        started.process.communicate()
        os.close(started.parent)


def test_it_reloads_on_a_signal_and_on_a_change_and_serves_on_when_killed(
    start: Callable[..., Started], fresh: Layout, plan_file: Path
) -> None:
    control = start()
    control.until(lambda: control.version() == 1)
    assert fresh.plan.is_file()
    plan_file.write_text(PLAN.format(route="b"))
    control.process.send_signal(signal.SIGHUP)
    control.until(lambda: control.version() == 2)
    new = plan_file.with_suffix(".new")
    new.write_text(PLAN.format(route="c"))
    new.replace(plan_file)
    control.until(lambda: control.version() == 3)
    plan_file.write_text("routes: {a: nowhere}")
    control.until(lambda: bool(control.get("/api/plan")["problems"]))
    control.process.kill()
    control.process.wait()
    again = start()
    again.until(lambda: again.version() == 3)
    assert again.get("/api/plan")["problems"]
    again.process.terminate()
    status, said = again.end()
    assert status == 0
    assert "plan refused (start); version 3 serves on" in said
    assert "Traceback" not in said


def test_a_broken_first_plan_stops_it_with_every_problem(
    start: Callable[..., Started], plan_file: Path
) -> None:
    plan_file.write_text("routes: {a: nowhere, b: neither}")
    status, said = start().end()
    assert status == EX_CONFIG
    assert "nowhere" in said
    assert "neither" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "options",
    [
        ("--listen", "0.0.0.0:0"),
        ("--listen", "127.0.0.1:0", "--gateway-host", "0.0.0.0"),
        ("--listen", "127.0.0.1:0", "--gateway-host", "192.0.2.1"),
    ],
)
def test_weak_secrets_stop_it_beyond_loopback(
    start: Callable[..., Started], fresh: Layout, options: tuple[str, ...]
) -> None:
    create_state(fresh)
    fresh.operator_token.write_text("changeme\n")
    fresh.pepper.chmod(0o644)
    status, said = start(*options).end()
    assert status == EX_CONFIG
    assert "a placeholder" in said
    assert "chmod 600" in said
    assert not fresh.plan.exists()


def test_on_loopback_weak_secrets_are_only_warned_of_and_one_control_leads(
    start: Callable[..., Started], fresh: Layout
) -> None:
    create_state(fresh)
    fresh.pepper.chmod(0o644)
    control = start()
    control.until(lambda: control.version() == 1)
    url = (fresh.run / "control.url").read_text()
    status, said = start_beside(control)
    assert status == 1
    assert "already written by process" in said
    (fresh.run / "control.url").write_text(url)
    assert control.version() == 1
    os.close(control.parent)
    control.parent = os.open(os.devnull, os.O_RDONLY)
    status, said = control.end()
    assert status == 0, said
    assert "chmod 600" in said


def start_beside(other: Started) -> tuple[int, str]:
    second = Started(other.layout, other.layout.state.parent / "tidegate.yaml")
    try:
        return second.end()
    finally:
        os.close(second.parent)
