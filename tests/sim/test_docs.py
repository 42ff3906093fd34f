"""docs/sim.md names what there is, all of it and nothing else."""

import re
from typing import get_args

import pytest
import yaml
from msgspec.structs import fields

from tidegate.capacity.profiles import PROFILES, Profile
from tidegate.capacity.roofline import StepCost
from tidegate.sim.record import Entry
from tidegate.sim.script import MAIN_PARAMETER, Cue, FaultName, read_cues


@pytest.fixture(scope="module")
def page(repository) -> str:
    return (repository / "docs" / "sim.md").read_text("utf-8")


def table(page: str, heading: str) -> dict[str, list[str]]:
    """The rows under the heading line that begins so: first cell's name -> the other cells."""
    lines = page.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(heading)) + 2
    rows = {}
    while at < len(lines) and lines[at].startswith("|"):
        cells = [cell.strip() for cell in lines[at].strip("|").split("|")]
        rows[cells[0].strip("`")] = cells[1:]
        at += 1
    return rows


def test_every_fault_is_described_with_its_main_parameter(page):
    rows = table(page, "| fault |")
    assert set(rows) == set(get_args(FaultName))
    for fault, (main, *_) in rows.items():
        assert (re.findall(r"`(\w+)`", main) or [None])[0] == MAIN_PARAMETER.get(fault), fault


def test_every_parameter_of_a_cue_is_described(page):
    rows = table(page, "| fault |")
    named = set(re.findall(r"`(\w+)`", " ".join(" ".join(cells[:2]) for cells in rows.values())))
    filters = set(table(page, "| parameter |"))
    assert {field.name for field in fields(Cue)} <= named | filters | {"fault"}


def test_profiles_and_their_fields_are_described(page):
    assert set(table(page, "| profile |")) == set(PROFILES)
    assert set(table(page, "| field |")) == {field.name for field in fields(Profile)} - {"name"}
    for field in fields(StepCost):
        assert field.name in page


def test_the_log_is_described(page):
    told = page.split("`GET /_sim/log` gives", 1)[1].split("\n", 1)[0]
    assert {field.name for field in fields(Entry)} <= set(re.findall(r"`(\w+)`", told))


def test_the_example_is_a_script(page):
    example = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert [cue.fault for cue in read_cues(yaml.safe_load(example))] == ["status", "cut", "stall"]
