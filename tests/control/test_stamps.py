"""A stamp changes with a file's content; a file that is gone is as it was."""

import os
from pathlib import Path

import pytest
from tests.control.conftest import PLAN, compile_plan

from tidegate.control.stamps import stamp, stamps_of
from tidegate.core.plan import Plan


@pytest.fixture
def named(tmp_path: Path) -> tuple[Path, Path]:
    """A credential and an authority."""
    files = tmp_path / "credential", tmp_path / "ca.pem"
    for file in files:
        file.write_text("first content")
    return files


@pytest.fixture
def plan(plan_file: Path, named: tuple[Path, Path]) -> Plan:
    credential, authority = (file.name for file in named)
    fields = f'api_key: "file:{credential}", ca_file: {authority}'
    plan_file.write_text(PLAN.format(route="chat").replace("api_key: none", fields))
    plan = compile_plan(plan_file, 1).plan
    assert plan is not None
    return plan


def test_a_plan_names_its_credentials_and_its_authorities(
    plan: Plan, named: tuple[Path, Path]
) -> None:
    assert stamps_of(plan, {}) == {file: stamp(file) for file in named}
    assert stamps_of(None, {}) == {}


def test_a_replacement_of_the_same_size_and_time_has_another_stamp(
    plan: Plan, named: tuple[Path, Path]
) -> None:
    file, _ = named
    before = stamps_of(plan, {})
    fresh = file.with_suffix(".new")
    fresh.write_text("other content")
    times = file.stat()
    os.utime(fresh, ns=(times.st_atime_ns, times.st_mtime_ns))
    fresh.replace(file)
    after = stamps_of(plan, before)
    assert {path for path in after if after[path] != before[path]} == {file}


def test_a_file_that_is_gone_is_as_it_was(plan: Plan, named: tuple[Path, Path]) -> None:
    file, other = named
    before = stamps_of(plan, {})
    file.unlink()
    assert stamps_of(plan, before) == before
    assert stamps_of(plan, {}) == {other: before[other]}
    assert stamp(file) is None
