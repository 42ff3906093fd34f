"""Control as a process: how it starts, and refuses to."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.control.started import Started

from tidegate.control.credentials import create_state
from tidegate.control.starting import EX_CONFIG
from tidegate.core.layout import Layout


@pytest.fixture
def fresh(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "state")


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
