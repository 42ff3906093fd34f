"""`tidegate eval`: suites of cases, checked, carried to other tools, and run."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec

from tidegate.cli._client import control_options, gateway_url, open_control
from tidegate.cli._eval_cases import cases
from tidegate.cli._eval_export import export
from tidegate.cli._eval_run import asked_of, run_options, run_suite
from tidegate.cli._eval_sides import NONE, Meant, meant, side_options, sides_of
from tidegate.cli._eval_suite import read_suite
from tidegate.cli._eval_told import exit_code, not_run_apart, report_options, tell, write_reports
from tidegate.cli._prompt_source import Where, open_prompts, source_options
from tidegate.evals.checking import asks, embeds
from tidegate.evals.load import load_suites
from tidegate.evals.suite import Loaded, Suite

_FILE = click.Path(path_type=Path)


@click.group(name="eval")
def plug() -> None:
    """Suites of cases by which prompts and models are tried."""


plug.add_command(cases)


@plug.command()
@click.argument("files", type=_FILE, nargs=-1, required=True, metavar="FILE...")
def check(files: tuple[Path, ...]) -> None:
    """Read suites: ours, promptfoo's (YAML and CSV), OpenAI's registry, pydantic-evals', logs of
    Inspect's.

    Says what is wrong by file, line and field, how many cases there are, and which checks are not
    executed here. Exit 0 when every suite can be run, 1 when not.
    """
    refused = 0
    for file in files:
        loaded = load_suites(file)
        _tell(file, loaded)
        refused += bool(loaded.problems)
    if refused:
        sys.exit(1)


plug.add_command(export)


@plug.command("run")
@click.argument("path", type=_FILE, metavar="SUITE")
@click.option("--suite", "name", help="Which one, where the file holds several.")
@click.option("--prompt", help="The prompt that is asked by. Default: the suite's.")
@side_options
@run_options
@report_options
@source_options
@control_options
@not_run_apart
def run(where: Where, path: Path, name: str | None, prompt: str | None, **given: Any) -> None:
    """Ask every case of SUITE of two sides through the gateway, and compare them.

    The sides may differ in the prompt's version, the route and parameters. Without --baseline the
    candidate stands alone. Exit 0 when it passes, 1 when it is blocked, 2 when the cases cannot
    tell or the run is incomplete (go on with --run-file), 3 when it could not be run.
    """
    suite = read_suite(path, name, given["repeats"])
    wanted = prompt or suite.prompt
    prompts = None if wanted is None else open_prompts(where)
    house = open_control(given["state"], given["control"])
    before, after = meant(given)
    if _is_nothing(before, given):
        before = msgspec.structs.replace(before, version=NONE)
    sides = sides_of((before, after), wanted, prompts, house)
    asked = asked_of(given, gateway_url(given["state"], given["gateway"]))
    done = run_suite(suite, sides, asked, house)
    tell(done)
    write_reports([done], given)
    sys.exit(exit_code([done]))


def _is_nothing(before: Meant, given: dict[str, Any]) -> bool:
    """Whether nothing was said of a baseline."""
    own = given["baseline_route"] or given["baseline_parameter"]
    return before.version is None and not own


def _tell(file: Path, loaded: Loaded) -> None:
    for problem in loaded.problems:
        click.echo(f"error: {problem}", err=True)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    for suite in loaded.suites:
        click.echo(f"{file}: {summary(suite)}")
    if loaded.problems:
        count = len(loaded.problems)
        click.echo(f"{file}: refused, {count} problem{'s' if count != 1 else ''}", err=True)


def summary(suite: Suite) -> str:
    """`refunds, 12 cases x 3, 30 checks, 4 by a judge; not executed: python (2)`."""
    checks = [check for case in suite.cases for check in case.checks]
    judged = sum(asks(check) for check in checks)
    told = f"{suite.name}, {_count(len(suite.cases), 'case')} x {suite.repeats}"
    told += f", {_count(len(checks), 'check')}"
    told += f", {judged} by a judge" if judged else ""
    vectors = sum(embeds(check) for check in checks)
    told += f", {vectors} by embeddings" if vectors else ""
    unmade = Counter(
        str(msgspec.json.decode(it.options)["type"]) for it in checks if it.grader == "unsupported"
    )
    if unmade:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(unmade.items()))
        told += f"; unsupported, not executed, an error in a run: {kinds}"
    bare = sum(not case.checks for case in suite.cases)
    if bare:
        told += f"; {_count(bare, 'case')} without a check, an error in a run"
    return f"{told}; digest {suite.digest()[:12]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
