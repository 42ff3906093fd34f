"""`tidegate route`: what a route would do with a request. Nothing is sent."""

import os
import sys
from pathlib import Path
from typing import Final

import click
from msgspec.structs import replace

from tidegate.cli._asked import Asked, read_asked
from tidegate.cli._plan_file import plan_file
from tidegate.cli._rungs import rung_lines
from tidegate.cli.check import print_findings, print_problems
from tidegate.config.load import compile_file
from tidegate.config.published import model_facts, published
from tidegate.config.releases import read_release, release_file, with_release
from tidegate.config.show import deadlines_text, limit_text, prompt_text, table, usd_text
from tidegate.core import clock
from tidegate.core.declared import Declared
from tidegate.core.facts import Facts
from tidegate.core.limit import reaches
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Contract, Plan, Route
from tidegate.core.resilience import Breaker
from tidegate.gateway.balance import balanced
from tidegate.gateway.places import Places
from tidegate.gateway.prepared_probe import PreparedProbe
from tidegate.gateway.prepared_route import PreparedRoute, PreparedShare
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.prompts.reading import Reading

_HEAD = ("TARGET", "MODEL", "ASKED", "WHY NOT", "AT MOST $", "DEADLINES s")
# What of a balance depends on the moment, and what does not.
_FIRST: Final = {
    "least_in_flight": "first, when it has the least in flight",
    "fastest": "first, when it is the fastest",
}


@click.group("route")
def plug() -> None:
    """Explain routes, offline, on files."""


@plug.command("explain")
@click.argument("request", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--path",
    help="Where it is sent to, such as `/v1/messages`. Default: by what is in it.",
)
@click.option(
    "--release", metavar="ROUTE/NAME", help="As those are served who get this release, by its file."
)
@plan_file
def explain(request: Path, path: str | None, release: str | None, file: Path) -> None:
    """Say where the request in REQUEST, a JSON body, would go, and why. Nothing is sent.

    What has failed lately, rests, is full or is used up is known to gateways only, and so is whose
    key comes with it. Exit 1 when no target could serve the request.
    """
    now_s = clock.wall_s()
    facts = Facts(published(now_s), prompts=Reading().at, model_of=model_facts)
    compiled = compile_file(file, os.environ, 0, now_s, facts)
    print_findings(compiled)
    plan = compiled.plan
    if release is not None and compiled.declared is not None:
        plan = _with_release(release, file, compiled.declared, (facts, now_s))
    if plan is None:
        sys.exit(2)
    asked = read_asked(request.read_bytes(), plan, path)
    for line in _lines(asked, plan):
        click.echo(line)
    nowhere = all(asked.why_not(it) or asked.refused(it) for it in asked.route.targets())
    if nowhere and not asked.counted_here:
        sys.exit(1)


def _with_release(
    name: str, file: Path, declared: Declared, by: tuple[Facts, float]
) -> Plan | None:
    """The plan whose route is as the release has it; None, and why, where it cannot be started."""
    try:
        where = release_file(file, name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--release") from None
    read = read_release(where, file, os.environ)
    plan, problems = with_release(read, declared, *by)
    print_problems(problems)
    if plan is None or read.rollout is None:
        return None
    coming = plan.routes[read.rollout.route].candidate
    return None if coming is None else replace(plan, routes={coming.route.name: coming.route})


def _lines(asked: Asked, plan: Plan) -> list[str]:
    ask, route = asked.ask, asked.route
    demand = asked.demand(route.bound)
    what = "tokens counted" if ask.counts else ask.endpoint
    how = "streamed" if ask.stream else "whole"
    lines = [
        f"route {route.route.name}, release {route.release.name}: {asked.path} ({what}, {how}), "
        f"at most {demand.input_tokens} tokens of input and {demand.total_output_tokens} of output"
    ]
    if asked.counted_here:
        return [*lines, "counted here: not every target of the route tells tokens in this API"]
    lines.append(table(_HEAD, [_row(asked, target) for target in route.targets()]))
    lines += _dropped_lines(asked)
    if b'"previous_response_id"' in ask.body:
        lines.append("stored answer: only the replica that keeps it is asked, with no fallback")
    for limit in plan.limits:
        if reaches(limit, route.route):
            over = asked.over(limit)
            refused = f"; this request is refused: {over}" if over else ""
            lines.append(f"limit {limit.name}: {limit_text(limit)}{refused}")
    if route.addition is not None:
        lines.append(_addition_line(route.route))
    if route.route.contract is not None:
        lines.append(_contract_line(route.route.contract))
    return [*lines, *rung_lines(asked), *_retry_lines(route), *_probe_lines(asked)]


def _dropped_lines(asked: Asked) -> list[str]:
    """What each target has no place for, where the route has it left out."""
    lines = []
    for target in asked.route.targets():
        try:
            dropped = asked.written(target).dropped
        except Refusal:
            continue
        if dropped:
            lines.append(f"left out at {target.target.name}: {', '.join(dropped)}")
    return lines


def _contract_line(contract: Contract) -> str:
    asks = ("json", "json_schema", "tools", "regex")
    named = [name for name in asks if getattr(contract, name)]
    asked = ", ".join([*named, f"at most {contract.max_chars} characters"])
    return f"contract: {asked}; when it is broken: {contract.on_violation}"


def _addition_line(route: Route) -> str:
    """What the route adds, as far as its caller leaves it open."""
    added = [f"{name} {value}" for name, value in route.parameters]
    if route.system_prompt is not None:
        added.append(f"the system prompt {prompt_text(route.system_prompt)}")
    return f"added where the caller says nothing else: {', '.join(added)}"


def _row(asked: Asked, target: PreparedTarget) -> tuple[str, ...]:
    it = target.target
    cost = 0 if asked.ask.counts else asked.demand(target).cost_nanousd
    return (
        it.name,
        f"{it.provider}/{it.model}",
        _when(asked, target),
        asked.why_not(target) or asked.refused(target),
        "unknown" if cost is None else usd_text(cost),
        deadlines_text(it.deadlines),
    )


def _when(asked: Asked, target: PreparedTarget) -> str:
    """When it is asked: its share of the route's requests, or after which failures."""
    route = asked.route
    able = [s for s in route.pool if not asked.why_not(s.target)]
    serving = [s for s in able if not asked.refused(s.target)] or able
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


def _retry_lines(route: PreparedRoute) -> list[str]:
    retry = route.route.retry
    breakers: dict[Breaker, list[str]] = {}
    for target in route.targets():
        breakers.setdefault(target.target.breaker, []).append(target.target.name)
    return [
        f"retry: {retry.attempts} attempts at a target, pauses up to {retry.base_s:g} s, doubled "
        f"up to {retry.cap_s:g} s; of a minute's requests {retry.budget_percent} %, at least "
        f"{retry.budget_least}, and ${usd_text(retry.wasted_nanousd_per_hour)} an hour",
        *(
            f"breaker of {', '.join(names)}: open after {it.failures} failures in a row within "
            f"{it.window_s:g} s, for {it.open_s:g} s; when nothing else is left: {it.when_all_open}"
            for it, names in breakers.items()
        ),
    ]


def _probe_lines(asked: Asked) -> list[str]:
    found = ((it, asked.probes.get(it.target.name)) for it in asked.route.targets())
    return [_probe_line(target, probe) for target, probe in found if probe is not None]


def _probe_line(target: PreparedTarget, found: PreparedProbe) -> str:
    probe, parts = found.probe, len(target.replicas)
    each = "" if parts == 1 else f", each of {parts} parts"
    cost = "unknown" if found.most_nanousd is None else f"${usd_text(found.most_nanousd)}"
    return (
        f"probe of {target.target.name}: {probe.endpoint} every {probe.every_s:g} s{each}, within "
        f"{probe.timeout_s:g} s, at most {cost} each and ${usd_text(probe.nanousd_per_hour)} an "
        "hour, a gateway process"
    )
