"""The demo: a plan that compiles, in front of the best engine of this machine."""

import socket
from pathlib import Path

import pytest

from tidegate.boot import demo, local_model
from tidegate.config.load import compile_file
from tidegate.core.layout import Layout


@pytest.mark.parametrize("missing", [None, "no local model: xllamacpp not installed"])
def test_its_plan_compiles_and_points_at_its_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str | None
) -> None:
    monkeypatch.setattr(local_model, "available", lambda: missing)
    monkeypatch.setattr(local_model, "weights", lambda: tmp_path / "weights")
    made = demo.prepare(Layout(tmp_path))
    plan = compile_file(made.plan, {}, 1, 0.0).plan
    assert plan is not None
    port = plan.routes[local_model.ROUTE].release.target.replicas[0].port
    assert str(port) in " ".join(made.engine.argv(9))
    assert "9" in made.engine.argv(9)
    assert made.engine.log == tmp_path / "log" / "engine.log"
    if missing:
        assert missing in made.note


def test_a_usual_port_that_is_taken_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(demo, "_USUAL_PORT", taken.getsockname()[1])
        text = demo.prepare(Layout(tmp_path)).plan.read_text()
    assert f":{taken}" not in text
