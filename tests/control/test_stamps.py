"""The files that a plan names; one that is gone is as it was."""

from pathlib import Path

import pytest
from tests.control.conftest import PLAN, compile_plan

from tidegate.control.stamps import stamps_of
from tidegate.core.plan import Plan
from tidegate.stores.file_stamp import stamp_of


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
    assert stamps_of(plan, {}) == {file: stamp_of(file) for file in named}
    assert stamps_of(None, {}) == {}


def test_a_file_that_is_gone_is_as_it_was(plan: Plan, named: tuple[Path, Path]) -> None:
    file, other = named
    before = stamps_of(plan, {})
    file.unlink()
    assert stamps_of(plan, before) == before
    assert stamps_of(plan, {}) == {other: before[other]}
