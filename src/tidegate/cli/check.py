"""`tidegate check`: everything that is wrong with a plan file, at once."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from tidegate.cli._plan_file import plan_file
from tidegate.config.load import Compiled, compile_file
from tidegate.config.problem import Problem
from tidegate.config.published import model_facts, published
from tidegate.config.releases import against_plan, read_release, release_files
from tidegate.core import clock
from tidegate.core.encoding import why_unavailable
from tidegate.core.facts import Facts
from tidegate.core.limit import SPEND
from tidegate.prompts.reading import Reading


@click.command("check")
@plan_file
def plug(file: Path) -> None:
    """Check the plan FILE, or tidegate.yaml here, and the releases beside it.

    Exit 0 when it may be served and each release may be started on it, 1 when not.
    """
    now_s = clock.wall_s()
    quote = published(now_s)
    facts = Facts(quote, prompts=Reading().at, encodes=why_unavailable, model_of=model_facts)
    compiled = compile_file(file, os.environ, 0, now_s, facts)
    print_findings(compiled)
    if compiled.declared is None:
        count = len(compiled.problems)
        click.echo(f"{file}: refused, {count} problem{'s' if count != 1 else ''}", err=True)
        sys.exit(1)
    releases, refused = release_files(file), 0
    for one in releases:
        read = read_release(one, file, os.environ)
        problems = against_plan(read, compiled.declared, facts, now_s)
        print_problems(problems)
        refused += bool(problems)
    told = f", {_count(len(releases), 'release')}" if releases else ""
    click.echo(f"{file}: {summary(compiled)}{told}")
    if refused:
        click.echo(f"{_count(refused, 'release')} refused", err=True)
        sys.exit(1)


def print_findings(compiled: Compiled) -> None:
    """Problems and warnings, to standard error."""
    print_problems(compiled.problems)
    for warning in compiled.warnings:
        click.echo(f"warning: {warning}", err=True)


def print_problems(problems: Iterable[Problem]) -> None:
    for problem in problems:
        click.echo(f"error: {problem}", err=True)


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
