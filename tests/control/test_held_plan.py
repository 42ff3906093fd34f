"""What lies on disk is what the feed carries, and what cannot be read is no plan."""

from pathlib import Path

from tests.core.plans import compiled, declared

from tidegate.control.held_plan import as_told, encoded, read_held


def test_a_plan_comes_back_from_disk_as_it_was_told(tmp_path: Path) -> None:
    plan, path = compiled(declared()), tmp_path / "plan.msgpack"
    assert read_held(path) is None
    path.write_bytes(encoded(plan))
    assert read_held(path) == plan
    told = as_told(plan)
    assert (told.version, bytes(told.plan)) == (plan.version, path.read_bytes())


def test_what_no_version_can_read_is_none_and_is_told(tmp_path: Path, caplog) -> None:
    path = tmp_path / "plan.msgpack"
    path.write_bytes(b"\x00 no plan")
    assert read_held(path) is None
    assert "cannot be read" in caplog.text
    assert read_held(tmp_path) is None  # a folder
