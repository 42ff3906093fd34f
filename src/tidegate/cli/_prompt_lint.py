"""`tidegate prompt lint`: what is wrong with versions of prompts."""

import os
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from tidegate.cli._prompt_source import Prompts, Where, in_order, open_prompts, source_options
from tidegate.config.load import DEFAULT_FILE, load
from tidegate.config.problem import Problem
from tidegate.config.published import published
from tidegate.core import clock
from tidegate.core.model_name import plain_name
from tidegate.core.price import Price
from tidegate.prompts.lint import Asked, Finding, Prices, lint_partials, lint_version
from tidegate.text.tokens import ENCODINGS

# Under whose name the price table may know a model.
_SELLERS = ("openai", "anthropic", "gemini", "mistral")
_NANO = 1_000_000_000


@click.command("lint")
@click.argument("names", nargs=-1)
@click.option("--tagged", is_flag=True, help="Only versions that a tag points at.")
@click.option("--tokenizer", type=click.Choice(list(ENCODINGS)), help="Count by this one.")
@click.option(
    "--price",
    nargs=2,
    type=float,
    metavar="IN CACHED",
    help="Dollars a million tokens of input, and of cached input. Default: the published ones.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@source_options
def lint(
    where: Where,
    names: tuple[str, ...],
    tagged: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Check the prompts NAMES, or all: templates, variables, partials, secrets, models, and how
    much of their beginning providers can keep.

    Exit 1 when there is an error; warnings do not count.
    """
    prompts = open_prompts(where)
    asked = _asked(where, how["tokenizer"], how["price"])
    found: list[Finding] = [Finding("error", it) for it in _listing_problems(prompts, names)]
    count = 0
    for name in names or prompts.index.prompts:
        listed = prompts.listed(name)
        versions = set(listed.tags.values()) if tagged else set(listed.versions)
        for version in in_order(versions):
            found += lint_version(prompts.source, prompts.index, name, version, asked)
            count += 1
    found += lint_partials(prompts.source, prompts.index)
    errors = sum(it.level == "error" for it in found)
    if as_json:
        told = [{"level": it.level, "problem": str(it.problem)} for it in found]
        out = {"versions": count, "errors": errors, "findings": told}
        click.echo(msgspec.json.format(msgspec.json.encode(out), indent=2).decode())
    else:
        for finding in found:
            click.echo(str(finding), err=True)
        warnings = len(found) - errors
        click.echo(f"{count} versions, {errors} errors, {warnings} warnings")
    sys.exit(1 if errors else 0)


def _listing_problems(prompts: Prompts, names: tuple[str, ...]) -> list[Problem]:
    if not names:
        return list(prompts.index.all_problems())
    return [it for name in names for it in prompts.listed(name).problems]


def _asked(where: Where, tokenizer: str | None, price: tuple[float, float] | None) -> Asked:
    quote = published(clock.wall_s())
    models = _models(where.plan or Path(DEFAULT_FILE))

    def price_listed(model: str) -> Price | None:
        quotes = (quote(seller, "", model).price for seller in _SELLERS)
        return next((it for it in quotes if it is not None), None)

    def price_of(model: str) -> Prices | None:
        if price is not None:
            return Prices(*price)
        found = price_listed(model)
        if found is None or found.input is None or found.cache_read is None:
            return None
        return Prices(
            found.input.nanousd_per_mtok / _NANO, found.cache_read.nanousd_per_mtok / _NANO
        )

    def knows(model: str) -> bool:
        return plain_name(model) in models or price_listed(model) is not None

    return Asked(knows, price_of, tokenizer)


def _models(plan: Path) -> frozenset[str]:
    """The models of the plan's targets, where there is a plan."""
    if not plan.exists():
        return frozenset()
    declared = load(plan, os.environ).declared
    targets = {} if declared is None else declared.targets
    return frozenset(plain_name(it.model) for it in targets.values())
