"""`tidegate check`: everything that is wrong with a plan file, at once."""

import os
import sys
from pathlib import Path

import click

from tidegate.cli._plan_file import plan_file
from tidegate.config.load import Compiled, compile_file
from tidegate.core import clock
from tidegate.core.limit import SPEND


@click.command("check")
@plan_file
def plug(file: Path) -> None:
    """Check the plan FILE, or tidegate.yaml here; exit 0 when it may be served, 1 when not."""
    compiled = compile_file(file, os.environ, 0, clock.wall_s())
    print_findings(compiled)
    if compiled.plan is None:
        count = len(compiled.problems)
        click.echo(f"{file}: refused, {count} problem{'s' if count != 1 else ''}", err=True)
        sys.exit(1)
    click.echo(f"{file}: {summary(compiled)}")


def print_findings(compiled: Compiled) -> None:
    """Problems and warnings, to standard error."""
    for problem in compiled.problems:
        click.echo(f"error: {problem}", err=True)
    for warning in compiled.warnings:
        click.echo(f"warning: {warning}", err=True)


def summary(compiled: Compiled) -> str:
    """`ok, 3 routes, 2 targets, 1 limit; cost unknown: llama`."""
    if compiled.plan is None:
        return "refused"
    targets = compiled.plan.targets
    unpriced = sorted(name for name, target in targets.items() if target.price is None)
    counts = f"ok, {_count(len(compiled.plan.routes), 'route')}, {_count(len(targets), 'target')}"
    if compiled.plan.limits:
        budgets = sum(limit.kind == SPEND for limit in compiled.plan.limits)
        held = ((len(compiled.plan.limits) - budgets, "limit"), (budgets, "budget"))
        counts += "".join(f", {_count(number, noun)}" for number, noun in held if number)
    return f"{counts}; cost unknown: {', '.join(unpriced)}" if unpriced else counts


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
