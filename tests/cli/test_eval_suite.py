"""The one suite that is meant."""

from pathlib import Path

import click
import pytest

from tidegate.cli._eval_suite import read_suite

ONE = "cases: [{id: a, checks: [exact], expected: x}]\n"


def test_repeats_may_be_said_otherwise(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(ONE)
    assert read_suite(tmp_path / "s.yaml").repeats == 3
    assert read_suite(tmp_path / "s.yaml", "s", 1).repeats == 1


def test_what_cannot_be_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("cases: [{checks: [exact]}]\n")
    with pytest.raises(click.ClickException, match=r"s\.yaml:1:9: cases\.0: `id` is missing"):
        read_suite(tmp_path / "s.yaml")
    (tmp_path / "s.yaml").write_text(ONE)
    with pytest.raises(click.UsageError, match='no suite "x"'):
        read_suite(tmp_path / "s.yaml", "x")
