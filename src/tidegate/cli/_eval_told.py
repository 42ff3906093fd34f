"""What a run came to: on the terminal, in files for CI, and as an exit code."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import click

from tidegate.cli._eval_run import Done
from tidegate.cli._words import table
from tidegate.evals.finding import GateVerdict
from tidegate.evals.report import as_json, as_junit, as_markdown, smallest_of

_P = ParamSpec("_P")
_R = TypeVar("_R")
_CODES: Final[dict[GateVerdict, int]] = {"pass": 0, "warn": 0, "block": 1, "inconclusive": 2}
_HEAD: Final = ("CHECK", "VERDICT", "COULD HAVE SEEN", "FOUND")


class NotRun(click.ClickException):
    """There is no verdict, as nothing could be run."""

    exit_code = 3


def report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The files that CI reads."""
    path = click.Path(path_type=Path, dir_okay=False)
    for name, what in (
        ("--json", "The findings as JSON."),
        ("--markdown", "A page for the pull request."),
        ("--junit", "JUnit's XML, a test for each check and case."),
    ):
        command = click.option(name, f"{name[2:]}_file", type=path, help=what)(command)
    return command


def not_run_apart(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """What could not be run at all ends with a code of its own, which is no verdict."""

    @wraps(command)
    def apart(*given: _P.args, **named: _P.kwargs) -> _R:
        try:
            return command(*given, **named)
        except click.UsageError:
            raise
        except click.ClickException as error:
            raise NotRun(error.message) from error

    return apart


def tell(done: Done) -> None:
    """What was compared, each check, and what it comes to."""
    compared, gated = done.compared, done.gated
    click.echo(f"{compared.suite}: {compared.candidate} beside {compared.baseline}")
    rows = []
    for it in gated.findings:
        needs = "" if it.needs is None else f"; needs {it.needs} cases"
        rows.append((it.check, it.verdict, smallest_of(it), f"{it.why}{needs}"))
    click.echo(table(_HEAD, rows))
    if gated.flips is not None:
        click.echo(f"asked again, a case has another verdict in {gated.flips:.1%}")
    if done.ended.stopped == "money":
        click.echo(f"stopped, the run's money is spent: {done.ended.why}", err=True)
    elif done.ended.stopped is not None:
        click.echo(f"stopped early: {done.ended.why}")
    click.echo(f"{gated.verdict}; outcomes are in {done.file}")


def write_reports(done: Sequence[Done], given: dict[str, Any]) -> None:
    """One file for one suite; of several the later ones are `NAME-2.EXT` and on."""
    for number, it in enumerate(done):
        for kind, content in (
            ("junit", as_junit(it.compared, it.gated, it.pairs)),
            ("markdown", as_markdown(it.compared, it.gated, it.pairs).encode()),
            ("json", as_json(it.compared, it.gated)),
        ):
            path = given[f"{kind}_file"]
            if path is None:
                continue
            at = path if number == 0 else path.with_stem(f"{path.stem}-{number + 1}")
            try:
                at.write_bytes(content)
            except OSError as error:
                raise click.ClickException(f"{at}: {error}") from error


def exit_code(done: Sequence[Done]) -> int:
    """0 passed, with or without warnings; 1 blocked; 2 nobody can tell. A block stands before."""
    codes = {_CODES[it.gated.verdict] for it in done}
    return 1 if 1 in codes else max(codes, default=2)
