"""`tidegate up`: what it refuses, and the whole house as processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx2
import msgspec
import pytest
from click.testing import CliRunner

from tidegate.boot.child import EX_CONFIG
from tidegate.boot.up import up
from tidegate.cli._client import Control
from tidegate.control.shapes import GatewayList, KeyMade, KeyRevoked, NewKey, PlanView
from tidegate.core.layout import Layout

PLAN = """\
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
targets:
  small: {provider: mine, model: small, price: free}
routes:
  chat: small
gateway: {listen: "127.0.0.1:0", processes: 2, drain_s: 1}
control: {listen: "127.0.0.1:0"}
"""
DEADLINE_S = 90.0

T = TypeVar("T")


def refuse(*arguments: str) -> tuple[int, str]:
    said = CliRunner().invoke(up, list(arguments))
    assert "Traceback" not in said.output
    return said.exit_code, said.output


def test_a_plan_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    status, said = refuse(str(tmp_path / "none.yaml"))
    assert (status, said.count("\n")) == (1, 1)
    assert "none.yaml" in said


def test_two_plan_files_are_one_too_many(tmp_path: Path) -> None:
    assert "two plan files" in refuse("a.yaml", "--config", "b.yaml")[1]


def test_a_broken_plan_that_never_was_good_ends_it_with_every_problem(tmp_path: Path) -> None:
    plan = tmp_path / "tidegate.yaml"
    plan.write_text("nonsense: 1\nproviders: 5\n")
    status, said = refuse(str(plan), "--state", str(tmp_path / "state"))
    assert status == EX_CONFIG
    assert "nonsense" in said
    assert "providers" in said


@pytest.mark.parametrize(
    ("line", "options", "complaint"),
    [
        ("postgresql://a:${ABSENT}@db/x", (), "storage.database in the plan: the environment"),
        ("postgresql://db/x", ("--database", "mysql://hush/x"), "--database: $DATABASE: expected"),
        ("file:/no/such/file", (), "storage.database in the plan: "),
    ],
)
def test_a_database_that_cannot_be_told_is_refused(
    tmp_path: Path, line: str, options: tuple[str, ...], complaint: str
) -> None:
    plan = tmp_path / "tidegate.yaml"
    plan.write_text(f"{PLAN}storage: {{database: '{line}'}}\n")
    status, said = refuse(str(plan), *options)
    assert status == EX_CONFIG
    assert complaint in said
    assert "hush" not in said


@pytest.mark.parametrize("option", ["--gateways", "--workers"])
def test_gateways_that_would_each_allow_the_whole_are_refused_with_one_line(
    option: str, tmp_path: Path
) -> None:
    plan = tmp_path / "tidegate.yaml"
    plan.write_text(PLAN)  # what keys and teams bring is limited too
    status, said = refuse(str(plan), option, "4")
    assert status == EX_CONFIG
    [line] = said.strip().splitlines()
    assert "--gateways 4" in line
    assert "`storage.limits`" in line


def test_any_llm_without_its_package_is_refused_with_the_extra_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.boot.up.find_spec", lambda _: None)
    plan = tmp_path / "tidegate.yaml"
    plan.write_text(
        "providers: {any_llm: {api_key: none}}\n"
        "routes: {chat: {target: {provider: any_llm, model: 'vllm:small', price: free}}}\n"
    )
    status, said = refuse(str(plan))
    assert (status, said.count("\n")) == (EX_CONFIG, 1)
    assert "pip install tidegate[any-llm]" in said


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    plan = tmp_path / "tidegate.yaml"
    plan.write_text(PLAN)
    status, said = refuse(str(plan), "--listen", "nowhere")
    assert status == 1
    assert "--listen nowhere" in said


class House:
    """`tidegate up --quiet` as a process."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder / ".tidegate")
        self.plan = folder / "tidegate.yaml"
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        for name in ("control.url", "gateway.url"):
            (self.layout.run / name).unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tidegate.boot", "up", "--quiet", str(self.plan)],
                stdout=log,
                stderr=log,
            )

    def until(self, condition: Callable[[], bool]) -> None:
        assert self.process is not None
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            try:
                if condition():
                    return
            except Exception as error:
                last: object = error
            else:
                last = "not yet"
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline_s, f"{last}\n{self.log.read_text()}"
            time.sleep(0.02)

    def get(self, path: str, shape: type[T]) -> T:
        with Control(self.layout.state) as control:
            return control.get(path, shape)

    def post(self, path: str, shape: type[T], body: msgspec.Struct | None = None) -> T:
        with Control(self.layout.state) as control:
            return control.post(path, shape, body)

    def pids(self) -> dict[str, int]:
        gateways = self.get("/api/gateways", GatewayList).gateways
        return {g.gateway: g.pid for g in gateways if g.plan_version is not None}

    def models(self, key: str) -> int:
        url = (self.layout.run / "gateway.url").read_text().strip()
        headers = {"authorization": f"Bearer {key}"}
        return httpx2.get(f"{url}/v1/models", headers=headers, timeout=30).status_code

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.plan.write_text(PLAN)
    house.start()
    yield house
    assert house.process is not None
    house.process.kill()
    house.process.wait()


def test_the_house_stands_while_its_parts_are_killed(house: House) -> None:
    house.until(lambda: len(house.pids()) == 2)
    made = house.post("/api/keys", KeyMade, NewKey(name="app"))
    assert house.models(made.key) == 200
    before = house.pids()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert house.models(made.key) == 200  # waited in the backlog, was not refused
    house.until(
        lambda: len(house.pids()) == 2 and not set(house.pids().values()) & set(before.values())
    )
    writer = int((house.layout.state / "ledger.db.lock").read_text())
    os.kill(writer, signal.SIGKILL)
    assert house.models(made.key) == 200  # traffic flows while control is away
    house.until(lambda: len(house.pids()) == 2)
    answer = house.post(f"/api/keys/{made.record.id}/revoke", KeyRevoked)
    assert answer.waiting_for == []
    assert house.models(made.key) == 401
    house.plan.write_text("routes: {")
    assert house.stop() == 0
    house.start()
    house.until(lambda: bool(house.get("/api/plan", PlanView).problems))
    assert house.get("/api/plan", PlanView).routes == ["chat"]
    assert "already runs on" in refuse(str(house.plan))[1]
    assert house.stop() == 0
    assert "Traceback" not in house.log.read_text()
