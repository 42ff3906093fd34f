from pathlib import Path

import pytest
from click.testing import CliRunner

from tidegate.cli.check import plug, summary
from tidegate.config.load import compile_file

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    return lambda *args: CliRunner().invoke(plug, [str(a) for a in args])


def test_a_plan_that_may_be_served_exits_0(run):
    result = run(EXAMPLES / "openai.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{EXAMPLES / 'openai.yaml'}: ok, 1 route, 1 target\n"


def test_a_plan_with_mistakes_exits_1_and_prints_them_all(run, tmp_path):
    file = tmp_path / "tidegate.yaml"
    file.write_text("providers: {sim: {}}\nroutes:\n  a: sym/x\n  b: {target: nowhere}\n")
    result = run(file)
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr.splitlines() == [
        f'error: {file}:3:6: routes.a.target: there is no provider "sym"; did you mean "sim"?',
        f'error: {file}:4:15: routes.b.target: there is no target "nowhere"',
        f"{file}: refused, 2 problems",
    ]


def test_warnings_do_not_refuse_and_what_is_unpriced_is_named(run, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    result = run(EXAMPLES / "replicas-and-providers.yaml")
    assert result.exit_code == 0
    assert "the environment variable OPENAI_API_KEY is not set here" in result.stderr
    assert result.stdout.endswith("ok, 5 routes, 5 targets; cost unknown: preview\n")


def test_the_default_file_is_the_one_in_this_folder(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run()
    assert result.exit_code == 1
    assert "tidegate.yaml:1:1: cannot be read: No such file" in result.stderr


def test_limits_and_budgets_are_counted_apart(run):
    result = run(EXAMPLES / "limits.yaml")
    assert result.stdout.endswith("ok, 2 routes, 2 targets, 8 limits, 4 budgets\n")


def test_the_summary_of_a_refused_plan():
    assert summary(compile_file(b"", {}, 1, 0.0)) == "refused"


@pytest.fixture
def beside(tmp_path):
    """A plan file, and a writer of releases beside it."""
    file = tmp_path / "tidegate.yaml"
    file.write_text("providers: {sim: {}}\nroutes: {chat: sim/x}\n")

    def write(name, text):
        release = tmp_path / "releases" / f"{name}.yaml"
        release.parent.mkdir(parents=True, exist_ok=True)
        release.write_text(text)
        return release

    return file, write


def test_the_releases_beside_a_plan_are_checked_with_it(run, beside):
    file, write = beside
    write("chat/y", "owner: ana\nchange: sim/y\n")
    result = run(file)
    assert result.exit_code == 0
    assert result.stdout.endswith(", 1 release\n")


def test_a_release_that_could_not_be_started_exits_1_with_its_lines(run, beside):
    file, write = beside
    good = write("chat/y", "owner: ana\nchange: sim/y\n")
    bad = write("chat/z", "owner: ana\nchange:\n  target: nowhere\nsteps: [{weight: 2}]\n")
    worse = write("chat/zz", "owner: ana\nchange:\n  target: nowhere\n")
    result = run(file)
    assert result.exit_code == 1 and good.is_file()
    assert result.stderr.splitlines()[1:] == [
        f'error: {bad}:4:18: steps.0.weight: it must be at most 1; found "2"',
        f'error: {worse}:3:11: change.target: there is no target "nowhere"',
        "2 releases refused",
    ]


def test_an_encoder_that_is_not_here_is_a_warning(run, tmp_path):
    file = tmp_path / "tidegate.yaml"
    tier = "cache: {semantic: {encoder: nowhere, prefilter: static}}"
    file.write_text(f"providers: {{sim: {{}}}}\nroutes:\n  a: {{target: sim/x, {tier}}}\n")
    result = run(file)
    assert result.exit_code == 0
    [warning] = [line for line in result.stderr.splitlines() if "cache.semantic" in line]
    assert f"{file}:3:" in warning
    assert "routes.a.cache.semantic.encoder: gateways like this one leave that tier off" in warning
    assert "minilm" in warning


def test_a_threshold_that_nobody_has_learnt_is_a_warning(run, tmp_path):
    file = tmp_path / "tidegate.yaml"
    tier = "cache: {semantic: {encoder: static, threshold: 0.9}}"
    file.write_text(f"providers: {{sim: {{}}}}\nroutes:\n  a: {{target: sim/x, {tier}}}\n")
    result = run(file)
    assert result.exit_code == 0
    assert "routes.a.cache.semantic.threshold: it is written by hand" in result.stderr
