"""`tidegate models`: what is known of those of a plan, and of all that is published. Offline."""

import os
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click
from msgspec import Struct
from msgspec.structs import replace

from tidegate.cli._plan_file import plan_file
from tidegate.cli._words import table
from tidegate.cli.check import print_findings
from tidegate.config.load import compile_file
from tidegate.config.published import model_facts, model_table, published
from tidegate.config.show import price_text, short_price_text
from tidegate.core import clock, plugs
from tidegate.core.facts import Facts, PriceOf
from tidegate.core.model_facts import UNKNOWN, ModelFacts
from tidegate.core.price import Price
from tidegate.core.retirement import day_of
from tidegate.prompts.reading import Reading

_UNTOLD: Final = "-"
_HEAD: Final = ("PROVIDER", "MODEL", "CONTEXT", "OUTPUT", "TAKES", "MAKES", "TOOLS", "SCHEMA")
_MORE: Final = ("REASONS", "IN / OUT $/Mtok", "RETIRES")
_MOST_MATCHES: Final = 20


class _Model(Struct, frozen=True):
    """`routes` are those of a plan that reach it."""

    provider: str
    model: str
    facts: ModelFacts
    price: Price | None
    routes: tuple[str, ...] = ()


@click.group(name="models")
def plug() -> None:
    """See what models take, can do and cost, and when they are retired. Nothing is asked."""


@plug.command("list")
@plan_file
@click.option("--all", "every", is_flag=True, help="All that is published, not those of the plan.")
@click.option("--provider", metavar="NAME", help="Only those of this provider; implies --all.")
@click.option("--retiring", "days", type=click.IntRange(0), metavar="DAYS", help="Only these.")
def list_models(file: Path, every: bool, provider: str | None, days: int | None) -> None:
    """List the models of the plan FILE with their routes, or all that is published.

    `-` is what nobody has told. TAKES and MAKES are kinds of content; a plan's own `facts` go
    before what is published.
    """
    now_s = clock.wall_s()
    if every or provider is not None:
        found = list(_published(provider, now_s))
        if provider is not None and not found:
            known = sorted({seller for seller, _, _ in model_table().every()})
            message = f"nothing is published of {provider!r}; one of: {', '.join(known)}"
            raise click.BadParameter(message, param_hint="--provider")
    else:
        found = list(_of_plan(file, now_s))
    today = day_of(now_s)
    if days is not None:
        found = [it for it in found if _goes_within(it.facts, today, days)]
    of_plan = not (every or provider)
    head = (*_HEAD, *_MORE, *(("ROUTES",) if of_plan else ()))
    click.echo(table(head, [_row(it, of_plan) for it in found]))
    click.echo(f"\n{len(found)} models; from {', '.join(model_table().sources)}", err=True)


@plug.command("show")
@click.argument("model")
@click.option("--provider", metavar="NAME", help="As this provider serves it.")
def show(model: str, provider: str | None) -> None:
    """Show all that is published of MODEL, at each provider that has one of that name.

    MODEL may be written as a target is: PROVIDER/MODEL.
    """
    now_s = clock.wall_s()
    wanted = model.lower()
    every = list(_published(provider, now_s))
    found = [
        it for it in every if wanted in (it.model.lower(), f"{it.provider}/{it.model}".lower())
    ]
    found = found or [it for it in every if it.model.lower().rpartition("/")[2] == wanted]
    if not found:
        near = sorted({it.model for it in every if wanted in it.model.lower()})[:_MOST_MATCHES]
        hint = f"; there are: {', '.join(near)}" if near else ""
        click.echo(f"nothing is published of {model}{hint}", err=True)
        sys.exit(1)
    click.echo("\n\n".join(_shown(it, day_of(now_s)) for it in found))


def _published(provider: str | None, now_s: float) -> Iterator[_Model]:
    quote = published(now_s)
    for seller, model, facts in model_table().every():
        if provider in (None, seller):
            yield _Model(seller, model, facts, _price(quote, seller, model))


def _price(quote: PriceOf, seller: str, model: str) -> Price | None:
    return quote(seller, "", model).price


def _of_plan(file: Path, now_s: float) -> Iterator[_Model]:
    """Exit 1 where the plan is refused."""
    facts = Facts(published(now_s), prompts=Reading().at, model_of=model_facts)
    compiled = compile_file(file, os.environ, 0, now_s, facts)
    if compiled.plan is None:
        print_findings(compiled)
        sys.exit(1)
    routes: dict[str, list[str]] = {}
    for route in compiled.plan.routes.values():
        for target in route.reachable:
            routes.setdefault(target.name, []).append(route.name)
    for name, target in sorted(compiled.plan.targets.items()):
        told = replace(target.facts or UNKNOWN, context_tokens=target.context_tokens)
        reached = tuple(routes.get(name, ()))
        yield _Model(target.provider, target.model, told, target.price, reached)


def _goes_within(facts: ModelFacts, today: date, days: int) -> bool:
    left = facts.days_left(today)
    return left is not None and left <= days


def _row(it: _Model, of_plan: bool) -> tuple[str, ...]:
    facts = it.facts
    row = (
        it.provider,
        it.model,
        _number(facts.context_tokens),
        _number(facts.output_tokens),
        _kinds(facts.inputs, more=facts.more_inputs),
        _kinds(facts.outputs),
        _said(facts.tools),
        _said(facts.json_schema),
        _said(facts.reasoning),
        short_price_text(it.price) if it.price is not None else _UNTOLD,
        _retires(facts),
    )
    return (*row, ", ".join(it.routes)) if of_plan else row


def _shown(it: _Model, today: date) -> str:
    facts = it.facts
    left = facts.days_left(today)
    when = "" if left is None else f" (in {left} days)" if left > 0 else " (it is past)"
    lines = (
        ("context", _tokens(facts.context_tokens)),
        ("output", _tokens(facts.output_tokens)),
        ("serves", facts.serves or _UNTOLD),
        ("takes", _kinds(facts.inputs, more=facts.more_inputs)),
        ("makes", _kinds(facts.outputs)),
        ("tools", _said(facts.tools)),
        ("JSON Schema", _said(facts.json_schema)),
        ("reasoning", _said(facts.reasoning)),
        ("price", price_text(it.price)),
        ("retires", _retires(facts) + when),
        ("served by", _served(it.provider)),
    )
    told = (f"  {name:<12} {value}" for name, value in lines)
    return "\n".join((f"{it.provider}/{it.model}", *told))


def _served(provider: str) -> str:
    has = provider in plugs.names("providers")
    return f"`{provider}:` below `providers:`" if has else "no provider of Tidegate's"


def _kinds(kinds: Iterable[str] | None, *, more: bool = False) -> str:
    return _UNTOLD if kinds is None else " ".join(kinds) + (" ..." if more else "")


def _number(value: int | None) -> str:
    return _UNTOLD if value is None else str(value)


def _tokens(value: int | None) -> str:
    return "unknown" if value is None else f"{value} tokens"


def _said(value: bool | None) -> str:
    return _UNTOLD if value is None else "yes" if value else "no"


def _retires(facts: ModelFacts) -> str:
    if facts.retires_on is not None:
        return facts.retires_on.isoformat()
    return "deprecated" if facts.deprecated else _UNTOLD
