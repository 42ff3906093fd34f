"""Plugs: found by name, loud when they do not load."""

import functools
import importlib.metadata
import sys
import types
from pathlib import Path

import pytest

from tidegate.core import plugs
from tidegate.core.plugs import PlugError


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A room `tidegate.testroom` of our own."""
    package = types.ModuleType("tidegate.testroom")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "tidegate.testroom", package)
    for name in ("good", "empty", "broken", "needy"):
        monkeypatch.delitem(sys.modules, f"tidegate.testroom.{name}", raising=False)
    (tmp_path / "good.py").write_text("plug = 'good'\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "needy.py").write_text("import no_such_module_anywhere\n")
    (tmp_path / "_shared.py").write_text("plug = 'none'\n")
    return tmp_path


@pytest.mark.usefixtures("room")
def test_a_plug_is_the_object_in_the_file_of_its_name() -> None:
    assert plugs.load("testroom", "good") == "good"
    assert plugs.names("testroom") == ["broken", "empty", "good", "needy"]


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent", "there is no 'absent'; this room has: broken, empty, good, needy"),
        ("empty", "empty holds no `plug`"),
        ("broken", "broken does not load: division by zero"),
        ("needy", "needy does not load: No module named 'no_such_module_anywhere'"),
        ("_shared", "'_shared' is not a plug's name"),
        ("../etc/passwd", "is not a plug's name"),
        ("os.path", "is not a plug's name"),
        ("", "is not a plug's name"),
        ("a" * 42, "is not a plug's name"),
    ],
)
def test_what_does_not_load_is_named_with_the_reason(name: str, said: str) -> None:
    with pytest.raises(PlugError) as error:
        plugs.load("testroom", name)
    assert said in str(error.value)
    assert str(error.value).startswith("testroom: ")


@pytest.mark.usefixtures("room")
def test_a_third_party_s_plug_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = types.ModuleType("theirs")
    theirs.plug = "theirs"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "theirs", theirs)
    points = [
        importlib.metadata.EntryPoint("testroom.extra", "theirs", plugs.ENTRY_POINTS),
        importlib.metadata.EntryPoint("testroom.gone", "no_such_module_here", plugs.ENTRY_POINTS),
    ]

    asked = []

    def entry_points(*, group: str) -> list[importlib.metadata.EntryPoint]:
        asked.append(group)
        return points

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    monkeypatch.setattr(plugs, "registered", functools.cache(plugs.registered.__wrapped__))
    assert plugs.load("testroom", "extra") == "theirs"
    assert "extra" in plugs.names("testroom")
    with pytest.raises(PlugError, match=r"gone \(no_such_module_here\) does not load"):
        plugs.load("testroom", "gone")
    assert plugs.load("testroom", "good") == "good", "ours goes before theirs"
    assert asked == [plugs.ENTRY_POINTS], "looking through all that is installed takes long"
