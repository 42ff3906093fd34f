"""`tidegate gate`: suites of the front matter, the baseline that is stable, exit codes, files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.cli.house import answering, is_candidate, lends_keys, written

Run = Callable[..., Result]


@pytest.fixture
def house(tmp_path: Path, control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lends_keys(control)
    return tmp_path


def gated(run: Run, say: Any, *words: str) -> Result:
    with answering(say) as url:
        return run("gate", "support", "--repository", ".", "--gateway", url, *words)


def test_a_good_version_passes_beside_what_is_stable(run: Run, house: Path) -> None:
    written(house)
    result = gated(run, lambda _: "good", "--candidate", "v2", "--junit", "j.xml", "--markdown",
                   "m.md", "--json", "j.json")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "support@v2 at chat beside support@v1 at chat" in result.stdout
    assert "no certificate" in result.stderr
    assert "passed" in (house / "m.md").read_text()
    assert msgspec.json.decode((house / "j.json").read_bytes())["verdict"] == "warn"  # no price
    [checks, cases] = ElementTree.parse(house / "j.xml").getroot()  # noqa: S314 - our own
    assert (checks.attrib["failures"], cases.attrib["tests"]) == ("0", "100")


def test_what_was_asked_with_parameters_of_the_command_line_is_not_certified(
    run: Run, house: Path
) -> None:
    written(house)
    result = gated(run, lambda _: "good", "--candidate", "v2", "--candidate-parameter", "seed=7")
    assert result.exit_code == 0, result.output
    assert "no certificate: it is not served with the parameters given here" in result.stderr


def test_a_worse_version_is_blocked_and_nothing_is_certified(
    run: Run, house: Path, control: FakeControl
) -> None:
    written(house)
    said = {True: "bad", False: "good"}
    result = gated(run, lambda body: said[is_candidate(body)], "--candidate", "v2")
    assert result.exit_code == 1
    assert not any(it.url.path == "/api/certificates" for it in control.asked)
    assert any(it.url.path.endswith("/revoke") for it in control.asked)


def test_too_few_cases_are_inconclusive_and_say_how_many_it_needs(run: Run, house: Path) -> None:
    written(house, 10)
    result = gated(run, lambda _: "good", "--candidate", "v2")
    assert result.exit_code == 2
    assert "a drop of 3 is not ruled out; needs" in result.stdout


def test_a_first_version_stands_alone(run: Run, house: Path) -> None:
    written(house, 14, stable=None)
    result = gated(run, lambda _: "good", "--candidate", "v1", "--no-certificate")
    assert result.exit_code == 0
    assert "there is none: nothing says whether it is worse than before" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say which version is tried"),
        (("--candidate", "v2", "--margin", "0"), "points are above 0"),
        (("--candidate", "v2", "--suite", "gone.yaml"), "gone.yaml"),
        (("--candidate", "v2", "--calibration", "evals/facts.yaml"), "no calibration of a judge"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(
    run: Run, house: Path, words: tuple[str, ...], said: str
) -> None:
    written(house, 1)
    result = gated(run, lambda _: "good", *words)
    assert result.exit_code != 0
    assert said in result.output


@pytest.mark.parametrize("how", ["above", "absolute", "link"])
def test_no_suite_of_the_front_matter_lies_outside_of_the_repository(
    run: Run, tmp_path: Path, control: FakeControl, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    inside = tmp_path / "repository"
    inside.mkdir()
    monkeypatch.chdir(inside)
    lends_keys(control)
    outside = tmp_path / "outside.yaml"
    written(inside, 1).rename(outside)
    if how == "link":
        (inside / "evals/linked.yaml").symlink_to(outside)
    name = {"above": "../outside", "absolute": str(outside), "link": "linked"}[how]
    version = inside / "prompts/support/v2.jinja2"
    version.write_text(version.read_text().replace("[facts]", f"[{name}]"))
    result = gated(run, lambda _: "good", "--candidate", "v2")
    assert result.exit_code == 2
    assert "lies outside of" in result.output


def test_a_suite_that_is_not_there_is_told_by_name(run: Run, house: Path) -> None:
    written(house, 1).unlink()
    result = gated(run, lambda _: "good", "--candidate", "v2")
    assert result.exit_code == 2
    assert "there is no suite facts" in result.output
