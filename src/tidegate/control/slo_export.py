"""Objectives as rules of Prometheus and routes of Alertmanager, for whoever has them already.

Names and labels are Sloth's, so that its dashboards show them. The rules count over control's
own counters, which judge a request exactly as its loop does.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tidegate.control.slo_metrics import BAD, REQUESTS
from tidegate.core.objective import DAY_S, Objective, RouteObjectives, bound_text
from tidegate.core.units import format_duration
from tidegate.stats.burn import LEAST_BAD, LEAST_DUE, Tier, absence_gap_s, factor, tiers

_HEAD: Final = "# Made by `tidegate slo export`; the objectives are those of the plan file.\n"
_RATIO: Final = "slo:sli_error:ratio_rate"


def prometheus_rules(declared: Sequence[RouteObjectives]) -> str:
    """A file of recording and alerting rules, in YAML."""
    groups = [
        group
        for one in declared
        for objective in one.objectives
        for group in (_recorded(one, objective), _alerts(one, objective))
    ] + [_absence(one) for one in declared]
    return _HEAD + "groups:" + ("\n" + "\n".join(groups) + "\n" if groups else " []\n")


def alertmanager_routes(declared: Iterable[RouteObjectives]) -> str:
    """Routes and receivers to be filled in, in YAML: pages first, tickets by the day."""
    owners = sorted({one.budget.owner or "slo" for one in declared})
    lines = [_HEAD + "route:", "  receiver: tickets", "  routes:"]
    for owner in owners:
        for severity, repeat in (("page", "1h"), ("ticket", "1d")):
            lines += [
                f"    - receiver: {_text(f'{owner}-{severity}')}",
                f"      matchers: ['sloth_severity=\"{severity}\"', {_text(_owned(owner))}]",
                "      group_by: [sloth_service, sloth_slo]",
                f"      group_wait: {'10s' if severity == 'page' else '5m'}",
                f"      repeat_interval: {repeat}",
            ]
    lines += ["receivers:", "  - name: tickets"]
    lines += [f"  - name: {_text(f'{o}-{s}')}" for o in owners for s in ("page", "ticket")]
    lines += [
        "inhibit_rules:",
        "  - source_matchers: ['sloth_severity=\"page\"']",
        "    target_matchers: ['sloth_severity=\"ticket\"']",
        "    equal: [sloth_id]",
    ]
    return "\n".join(lines) + "\n"


def _owned(owner: str) -> str:
    return f"owner={_text(owner)}"


def _recorded(one: RouteObjectives, objective: Objective) -> str:
    period_s = one.budget.period_s
    labels = _labels(one, objective)
    windows = sorted({w for t in tiers(period_s) for w in (t.long_s, t.short_s)} | {period_s})
    lines = [f"  - name: {_text(f'sloth-slo-sli-recordings-{_id(one, objective)}')}", "    rules:"]
    for window_s in windows:
        window = _window(window_s)
        if window_s == windows[-1]:
            short = _window(windows[0])
            by = _selector(one, objective)
            ratio = f"{_RATIO}{short}{by}"
            text = f"sum_over_time({ratio}[{window}]) / count_over_time({ratio}[{window}])"
        else:
            of = _of(one, objective)
            bad, every = f"rate({BAD}{of}[{window}])", f"rate({REQUESTS}{of}[{window}])"
            text = f"sum({bad}) / sum({every})"
        lines += _rule(f"{_RATIO}{window}", text, {**labels, "sloth_window": window})
    for name, text in _meta(one, objective, _window(windows[0]), _window(windows[-1])):
        lines += _rule(name, text, labels)
    return "\n".join(lines)


def _meta(
    one: RouteObjectives, objective: Objective, shortest: str, period: str
) -> Iterator[tuple[str, str]]:
    by = _selector(one, objective)
    budget = f"{1 - objective.target:.9g}"
    yield "slo:objective:ratio", f"vector({objective.target:.9g})"
    yield "slo:error_budget:ratio", f"vector({budget})"
    yield "slo:time_period:days", f"vector({one.budget.period_s / DAY_S:.9g})"
    yield "slo:current_burn_rate:ratio", f"{_RATIO}{shortest}{by} / {budget}"
    yield "slo:period_burn_rate:ratio", f"{_RATIO}{period}{by} / {budget}"
    yield "slo:period_error_budget_remaining:ratio", f"1 - {_RATIO}{period}{by} / {budget}"


def _alerts(one: RouteObjectives, objective: Objective) -> str:
    """A page and a ticket, each of two pairs of windows."""
    lines = [f"  - name: {_text(f'sloth-slo-alerts-{_id(one, objective)}')}", "    rules:"]
    route = _untemplated(one.route)
    name = f"Tidegate{objective.sli.title().replace('_', '')}"
    for severity in ("page", "ticket"):
        pairs = [it for it in tiers(one.budget.period_s) if it.severity == severity]
        text = "\nor\n".join(_fires(it, one, objective) for it in pairs)
        labels = {**_labels(one, objective), "sloth_severity": severity, "severity": severity}
        lines += _rule(f"{name}Burns", text, labels, alert=True)
        lines += [
            "        annotations:",
            f"          summary: {_text(f'{objective.sli} of {route} burns its error budget')}",
            f"          description: {_text(_good(objective))}",
            f"          runbook: {_text(f'tidegate slo explain {route}')}",
        ]
    return "\n".join(lines)


def _good(objective: Objective) -> str:
    """What is to be good of it, for people."""
    bound = bound_text(objective.within_s, objective.per_output_token_s)
    within = f" within {bound}" if bound else ""
    return f"{100 * objective.target:.6g} % of requests are to be good{within}"


def _absence(one: RouteObjectives) -> str:
    """That nothing is judged any more, though by this hour a week ago and by the last hours or the
    last day it should be; by both of these where nothing is known of a week ago."""
    slow = tiers(one.budget.period_s)[2]
    gap_s, of = absence_gap_s(one.budget.period_s), f"{REQUESTS}{{route={_text(one.route)}}}"
    least = f"{gap_s:g} >= {LEAST_DUE * len(one.objectives):g}"
    hours, day = (
        f"(sum(rate({of}[{_window(window_s)}])) * {least})"
        for window_s in (slow.short_s, slow.long_s)
    )
    week_ago = f"(sum(rate({of}[1h] offset 6d23h30m)) * {least})"
    known = f"(sum(increase({of}[1d] offset 6d12h)) > 0)"
    text = (
        f"(sum(increase({of}[{_window(gap_s)}])) == 0) and\n"
        f"(({week_ago} and ({hours} or {day}))\nor (({hours} and {day}) unless {known}))"
    )
    labels = {"sloth_service": one.route, "owner": one.budget.owner or "slo"}
    labels |= {"sloth_severity": "ticket", "severity": "ticket"}
    lines = [f"  - name: {_text(f'sloth-slo-absence-{one.route}')}", "    rules:"]
    return "\n".join(lines + _rule("TidegateNoRequests", text, labels, alert=True))


def _fires(tier: Tier, one: RouteObjectives, objective: Objective) -> str:
    above = factor(tier, one.budget.period_s, objective.target) * (1 - objective.target)
    by = _selector(one, objective)
    long, short = _window(tier.long_s), _window(tier.short_s)
    return (
        f"((max({_RATIO}{long}{by}) > {above:.9g}) and (max({_RATIO}{short}{by}) > {above:.9g})"
        f" and (sum(increase({BAD}{_of(one, objective)}[{long}])) >= {LEAST_BAD}))"
    )


def _rule(name: str, text: str, labels: dict[str, str], *, alert: bool = False) -> list[str]:
    return [
        f"      - {'alert' if alert else 'record'}: {name}",
        "        expr: |",
        *(f"          {line}" for line in text.splitlines()),
        "        labels:",
        *(
            f"          {key}: {_text(_untemplated(value) if alert else value)}"
            for key, value in labels.items()
        ),
    ]


def _labels(one: RouteObjectives, objective: Objective) -> dict[str, str]:
    return {
        "sloth_service": one.route,
        "sloth_slo": objective.sli,
        "sloth_id": _id(one, objective),
        "owner": one.budget.owner or "slo",
    }


def _of(one: RouteObjectives, objective: Objective) -> str:
    return f"{{route={_text(one.route)}, sli={_text(objective.sli)}}}"


def _selector(one: RouteObjectives, objective: Objective) -> str:
    return f"{{sloth_id={_text(_id(one, objective))}}}"


def _id(one: RouteObjectives, objective: Objective) -> str:
    return f"{one.route}-{objective.sli}"


def _window(window_s: float) -> str:
    return "1d" if window_s == DAY_S else format_duration(window_s)


def _untemplated(value: str) -> str:
    """A text that Prometheus, which takes an alert's labels for templates, leaves as it is."""
    return value.replace("{{", '{{"{{"}}')


def _text(value: str) -> str:
    """A text in double quotes, as YAML and PromQL both read it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
