"""Targets: their probes, and whether gateways can use them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from tidegate.control.feed_connection import GatewayState
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_targets import ProbeView, TargetList, TargetView
from tidegate.core.plan import Plan, Target
from tidegate.core.units import format_usd

# By label (`target=NAME`), then by gauge: a value for each gateway, or each part of it there.
_Reported = Mapping[str, Mapping[str, list[float]]]
_LABELS: Final = ("target=", "provider=")


async def _targets(call: Call) -> TargetList:
    gateways = call.desk.feed.gateways()
    plan, reported = call.desk.plans.current, _reported(gateways)
    views = [_view(target, plan, reported) for target in plan.targets.values()]
    return TargetList(sorted(views, key=lambda view: view.name), len(gateways))


ROWS = (Row("GET", "/api/targets", "viewer", _targets),)


def _reported(gateways: Iterable[GatewayState]) -> _Reported:
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for state in gateways:
        for key, value in state.gauges.items():
            name, *labels = key.split("|")
            for label in labels:
                if label.startswith(_LABELS):
                    found[label][name].append(value)
    return found


def _view(target: Target, plan: Plan, reported: _Reported) -> TargetView:
    told = reported.get(f"target={target.name}", {})
    pool = reported.get(f"target={target.pool}", {})
    provider = reported.get(f"provider={target.provider}", {})

    def values(name: str) -> list[float]:
        return told.get(name, [])

    def total(name: str, of: Mapping[str, list[float]]) -> int | None:
        return int(sum(of[name])) if of.get(name) else None

    up = values("tidegate_probe_up")
    return TargetView(
        name=target.name,
        provider=target.provider,
        model=target.model,
        routes=[name for name, route in plan.routes.items() if target in route.reachable],
        probe=_probe(plan, target.name),
        in_flight=total("tidegate_target_in_flight", pool),
        left_alone=total("tidegate_target_left_alone", told),
        parts_probed=len(up),
        parts_up=int(sum(up)),
        availability=min(values("tidegate_probe_availability"), default=None),
        last_good_at_s=max(values("tidegate_probe_last_success_timestamp_seconds"), default=None),
        ttft_s=max(values("tidegate_probe_ttft_seconds"), default=None),
        credential=_credential(target, provider.get("tidegate_identity_ready", [])),
    )


def _credential(target: Target, ready: list[float]) -> Literal["ready", "missing"] | None:
    if target.identity is None or not ready:
        return None
    return "ready" if min(ready) else "missing"


def _probe(plan: Plan, name: str) -> ProbeView | None:
    probe = plan.probes.get(name)
    if probe is None:
        return None
    usd = format_usd(probe.nanousd_per_hour)
    return ProbeView(probe.every_s, probe.timeout_s, probe.endpoint, usd)
