"""`tidegate eval`: suites of cases, checked and carried to other tools. Nothing is asked."""

import sys
from collections import Counter
from pathlib import Path

import click
import msgspec

from tidegate.evals.checking import asks
from tidegate.evals.load import load_suites
from tidegate.evals.promptfoo_out import write_promptfoo
from tidegate.evals.suite import Loaded, Suite

_FILE = click.Path(path_type=Path)


@click.group(name="eval")
def plug() -> None:
    """Suites of cases by which prompts and models are tried."""


@plug.command()
@click.argument("files", type=_FILE, nargs=-1, required=True, metavar="FILE...")
def check(files: tuple[Path, ...]) -> None:
    """Read suites: ours, promptfoo's (YAML and CSV), OpenAI's registry, pydantic-evals'.

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


@plug.command()
@click.argument("file", type=_FILE)
def export(file: Path) -> None:
    """Print the suite of FILE as a configuration of promptfoo's.

    Read again it is the same suite. What promptfoo has no place for is told on standard error.
    """
    loaded = load_suites(file)
    if loaded.problems or len(loaded.suites) != 1:
        _tell(file, loaded)
        sys.exit(1)
    written = write_promptfoo(loaded.suites[0])
    click.echo(written.text, nl=False)
    for what in written.left_out:
        click.echo(f"left out: {what}", err=True)


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
