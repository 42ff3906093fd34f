"""`tidegate route`: what a route would do with a request. Nothing is sent."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
from msgspec import Struct

from tidegate.cli._plan_file import plan_file
from tidegate.cli.check import print_findings
from tidegate.config.load import compile_file
from tidegate.config.show import deadlines_text, limit_text, table, usd_text
from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.limit import Demand, reaches
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Plan
from tidegate.core.receipt import Receipt
from tidegate.core.words import nearest, quoted
from tidegate.gateway.accept import accept
from tidegate.gateway.balance import balanced
from tidegate.gateway.demand import demand_of
from tidegate.gateway.entry import CHAT, COMPLETIONS, EMBEDDINGS, Entry
from tidegate.gateway.fit import fit
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.places import Places
from tidegate.gateway.prepared import PlanProblem, PreparedPlan, Preparer
from tidegate.gateway.prepared_route import PreparedRoute, PreparedShare
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.size import size
from tidegate.stores.memory_counters import memory_counters
from tidegate.text.strict_json import JsonProblem, read_object

_HEAD = ("TARGET", "MODEL", "ASKED", "WHY NOT", "AT MOST $", "DEADLINES s")
# Which member tells what kind of request a body is.
_ENTRIES: Final[Mapping[str, Entry]] = {
    "messages": CHAT,
    "prompt": COMPLETIONS,
    "input": EMBEDDINGS,
}
# What of a balance depends on the moment, and what does not.
_FIRST: Final = {
    "least_in_flight": "first, when it has the least in flight",
    "fastest": "first, when it is the fastest",
}


class Asked(Struct):
    """One request as a gateway would read it."""

    ask: Ask
    receipt: Receipt
    route: PreparedRoute
    assumed_output_tokens: int

    def demand(self, target: PreparedTarget) -> Demand:
        return demand_of(self.ask, self.receipt, target, self.assumed_output_tokens)


@click.group("route")
def plug() -> None:
    """Explain routes, offline, on files."""


@plug.command("explain")
@click.argument("request", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@plan_file
def explain(request: Path, file: Path) -> None:
    """Say where the request in REQUEST, a JSON body, would go, and why. Nothing is sent.

    What has failed lately, rests, is full or is used up is known to gateways only. Exit 1 when no
    target could serve the request.
    """
    compiled = compile_file(file, os.environ, 0, clock.wall_s())
    print_findings(compiled)
    if compiled.plan is None:
        sys.exit(2)
    asked = _read(request.read_bytes(), compiled.plan)
    for line in _lines(asked, compiled.plan):
        click.echo(line)
    if all(_why_not(asked, target) for target in asked.route.targets()):
        sys.exit(1)


def _read(body: bytes, plan: Plan) -> Asked:
    """The request, as a gateway that obeys the plan would read it; stops where it would refuse."""
    try:
        members = read_object(body, frozenset())
    except JsonProblem as problem:
        raise click.ClickException(f"the request is no JSON object: {problem}") from problem
    entry = next((entry for name, entry in _ENTRIES.items() if name in members), CHAT)
    receipt = Receipt("", clock.wall_s(), "", entry.endpoint)
    try:
        ask = accept(Incoming(Head(), 0.0, body), entry, receipt)
        prepared = asyncio.run(_prepare(plan))
    except (Refusal, PlanProblem) as no:
        raise click.ClickException(str(no)) from no
    route = prepared.routes.get(ask.model)
    if route is None:
        near = nearest(ask.model, prepared.routes)
        raise click.ClickException(f"there is no route {quoted(ask.model)}{near}")
    size(ask, receipt)
    return Asked(ask, receipt, route, plan.assumed_output_tokens)


async def _prepare(plan: Plan) -> PreparedPlan:
    return await Preparer(os.environ, memory_counters).prepare(plan)


def _lines(asked: Asked, plan: Plan) -> list[str]:
    ask, route = asked.ask, asked.route
    demand = asked.demand(route.target)
    how = "streamed" if ask.stream else "whole"
    lines = [
        f"route {route.route.name}, release {route.release.name}: {ask.endpoint}, {how}, at most "
        f"{demand.input_tokens} tokens of input and {demand.total_output_tokens} of output",
        table(_HEAD, [_row(asked, target) for target in route.targets()]),
    ]
    lines += [
        f"limit {limit.name}: {limit_text(limit)}"
        for limit in plan.limits
        if reaches(limit, route.route)
    ]
    return [*lines, *_retry_lines(route)]


def _row(asked: Asked, target: PreparedTarget) -> tuple[str, ...]:
    it = target.target
    cost = asked.demand(target).cost_nanousd
    return (
        it.name,
        f"{it.provider}/{it.model}",
        _when(asked, target),
        _why_not(asked, target),
        "unknown" if cost is None else usd_text(cost),
        deadlines_text(it.deadlines),
    )


def _when(asked: Asked, target: PreparedTarget) -> str:
    """When it is asked: its share of the route's requests, or after which failures."""
    route = asked.route
    serving = [s for s in route.pool if not _why_not(asked, s.target)]
    for share in route.pool:
        if share.target is target:
            paid_for = [s for s in serving if s.target.target.provisioned]
            if paid_for and not target.target.provisioned:
                return "when what is provisioned is full"
            return _share(asked, target, [share] if share not in serving else paid_for or serving)
    places = [
        f"{number} for {failure}"
        for failure, chain in route.fallbacks.items()
        for number, one in enumerate(chain, start=1)
        if one is target
    ]
    return f"fallback {', '.join(places)}"


def _share(asked: Asked, target: PreparedTarget, serving: list[PreparedShare]) -> str:
    by = asked.route.route.balance
    if len(serving) == 1:
        return "first"
    if by in _FIRST:
        return _FIRST[by]
    if by == "weighted":
        total = sum(share.weight for share in serving)
        weight = next(share.weight for share in serving if share.target is target)
        return f"first, {100 * weight / total:.3g} % of requests"
    first = balanced(by, serving, asked.receipt, _idle) is target
    why = "the cheapest" if by == "cheapest" else "for this session or key"
    return f"first, {why}" if first else "when the first has failed"


def _idle(target: PreparedTarget) -> Places:
    return Places(target.target.queueing, target.target.max_connections)


def _why_not(asked: Asked, target: PreparedTarget) -> str:
    """Why it could not serve the request; empty where it could."""
    it, ask = target.target, asked.ask
    if ask.endpoint not in target.provider.endpoints:
        return f"it does not serve {ask.endpoint}"
    if not target.may_be_priced:
        return "nobody knows its price"
    if target.missing is not None:
        return f"the credential {target.missing} is not set here"
    if it.context_tokens is not None:
        try:
            fit(ask, it, it.context_tokens)
        except Refusal:
            return f"it is longer than the context of {it.context_tokens} tokens"
    return ""


def _retry_lines(route: PreparedRoute) -> list[str]:
    retry, breaker = route.route.retry, route.target.target.breaker
    return [
        f"retry: {retry.attempts} attempts at a target, pauses up to {retry.base_s:g} s, doubled "
        f"up to {retry.cap_s:g} s; of a minute's requests {retry.budget_percent} %, at least "
        f"{retry.budget_least}, and ${usd_text(retry.wasted_nanousd_per_hour)} an hour",
        f"breaker: open after {breaker.failures} failures in a row within {breaker.window_s:g} s, "
        f"for {breaker.open_s:g} s; when nothing else is left: {breaker.when_all_open}",
    ]
