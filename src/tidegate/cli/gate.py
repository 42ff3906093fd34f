"""`tidegate gate`: may a version of a prompt become stable?"""

import sys
from pathlib import Path
from typing import Any, Final

import click
from msgspec.structs import replace

from tidegate.cli._client import Control, control_options, gateway_url, open_control
from tidegate.cli._eval_certify import certify
from tidegate.cli._eval_run import Done, asked_of, run_options, run_suite
from tidegate.cli._eval_sides import NONE, meant, side_options, sides_of
from tidegate.cli._eval_standing import standing, standing_options
from tidegate.cli._eval_suite import read_suite
from tidegate.cli._eval_told import exit_code, not_run_apart, report_options, tell, write_reports
from tidegate.cli._prompt_source import Where, open_prompts, root_of, source_options
from tidegate.cli._words import Duration
from tidegate.core.prompt import STABLE, Prompt
from tidegate.core.words import quoted
from tidegate.evals.finding import Finding
from tidegate.evals.gate import Gated, with_budget_change, with_more
from tidegate.evals.side import Side
from tidegate.prompts.registry import version_of

_DAYS_90_S: Final = 90 * 86_400.0
_SUFFIXES: Final = ("", ".yaml", ".yml", ".csv")


@click.command("gate")
@click.argument("name")
@click.option(
    "--suite",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A suite's file. Repeatable. Default: those that the candidate's front matter names.",
)
@side_options
@run_options
@report_options
@standing_options
@click.option(
    "--certificate/--no-certificate", "issues", default=True, help="Have what passes certified."
)
@click.option("--valid-for", type=Duration(), default=_DAYS_90_S, help="Such as 30d. Default: 90d.")
@source_options
@control_options
@not_run_apart
def plug(where: Where, state: Path | None, control: str | None, name: str, **given: Any) -> None:
    """Compare a version of the prompt NAME with what is stable, over its suites.

    Where `stable` points nowhere yet the candidate stands alone: only what must pass, safety and
    the share of cases that pass are looked at. What passes is certified at every model that
    answered, which `stable` asks for. Exit 0 passed, with or without warnings; 1 blocked; 2
    inconclusive or incomplete, which is no pass; 3 the gate could not be run.
    """
    if given["candidate"] is None:
        raise click.UsageError("say which version is tried, with --candidate")
    prompts = open_prompts(where)
    candidate = prompts.prompt(name, given["candidate"])
    house = open_control(state, control)
    before, after = meant(given)
    if before.version is None:
        there = version_of(prompts.listed(name), STABLE)
        before = replace(before, version=STABLE if there is not None else NONE)
    sides = sides_of((before, after), name, prompts, house)
    files = given["files"] or _suites(candidate, root_of(where))
    if given["run_file"] is not None and len(files) > 1:
        raise click.UsageError("--run-file is of one suite: name it, with --suite")
    asked = asked_of(given, gateway_url(state, given["gateway"]))
    beside = standing(house, prompts, candidate, sides["candidate"].route, given)
    done: list[Done] = []
    for file in files:
        suite = read_suite(file, None, given["repeats"])
        ended = run_suite(suite, sides, asked, house)
        done.append(replace(ended, gated=_whole(ended.gated, beside, given["budget_change"])))
        tell(done[-1])
    write_reports(done, given)
    code = exit_code(done)
    if code == 0 and given["issues"]:
        _certify(house, done, sides["candidate"], given["valid_for"])
    sys.exit(code)


def _whole(gated: Gated, beside: list[Finding], budget_change: str | None) -> Gated:
    """With what is known beside the run."""
    whole = with_more(gated, beside)
    return whole if budget_change is None else with_budget_change(whole, budget_change)


def _certify(house: Control, done: list[Done], tried: Side, for_s: float) -> None:
    """A certificate of each suite."""
    if tried.prompt is None or tried.parameters:
        click.echo("no certificate: it is not served with the parameters given here", err=True)
        return
    for it in done:
        certify(house, it, tried.prompt, for_s)


def _suites(prompt: Prompt, root: Path) -> list[Path]:
    """The files of the suites that a version names: paths from the repository's root, or names of
    files in its folder `evals`."""
    if not prompt.suites:
        raise click.UsageError(f"{prompt.name}@{prompt.version} names no suite: say --suite")
    return [_suite(root, name) for name in prompt.suites]


def _suite(root: Path, name: str) -> Path:
    tried = [base / f"{name}{end}" for base in (root, root / "evals") for end in _SUFFIXES]
    for path in tried:
        if not path.resolve().is_relative_to(root.resolve()):
            raise click.UsageError(
                f"the suite {quoted(name)} of the front matter lies outside of {root}: a version is"
                " gated by what lies beside it; say --suite for another file"
            )
        if path.is_file():
            return path
    raise click.UsageError(f"there is no suite {name} in {root} or {root / 'evals'}: say --suite")
