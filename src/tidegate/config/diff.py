"""How two compiled plans differ in what requests obey."""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from tidegate.config.show import (
    credential_text,
    limit_text,
    price_text,
    prompt_text,
    rate_text,
    unsupported_text,
    url_text,
)
from tidegate.config.show_ladder import rung_text, when_text
from tidegate.core.plan import Limit, Plan, Replica, Route
from tidegate.core.plan_callers import Issuer
from tidegate.core.price import Price, Rate
from tidegate.core.secret import SecretRef

_NOT_OBEYED = frozenset({"version", "digest", "compiled_at_s"})


class Difference(Struct, frozen=True):
    """One difference. `before` is None for what is new, `after` for what is gone."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.path}: {self.after}"
        if self.after is None:
            return f"- {self.path}: {self.before}"
        return f"~ {self.path}: {self.before} -> {self.after}"


def differences(before: Plan, after: Plan) -> list[Difference]:
    """Every difference, by path; a route that is new or gone is one difference."""
    gone, new = before.routes.keys() - after.routes.keys(), after.routes.keys() - before.routes
    found = [Difference(f"routes.{n}", _route_text(before.routes[n]), None) for n in gone]
    found += [Difference(f"routes.{n}", None, _route_text(after.routes[n])) for n in new]
    old, now = _flat_plan(before, gone), _flat_plan(after, new)
    for path in old.keys() | now.keys():
        if old.get(path) != now.get(path):
            found.append(Difference(path, old.get(path), now.get(path)))
    return sorted(found, key=lambda d: d.path)


def _route_text(route: Route) -> str:
    target = route.release.target
    return f"{target.provider}/{target.model}, {price_text(target.price)}"


def _flat_plan(plan: Plan, without: set[str]) -> dict[str, str]:
    fields = {k: v for k, v in asdict(plan).items() if k not in _NOT_OBEYED}
    kept = {n: r for n, r in plan.routes.items() if n not in without}
    fields["routes"] = {n: _route_fields(r) for n, r in kept.items()}
    fields["contracts"] = {n: r.contract for n, r in kept.items() if r.contract is not None}
    fields["callers"] = {one.name: _issuer_fields(one) for one in plan.callers}
    flat: dict[str, str] = {}
    _flatten("", fields, flat)
    return flat


def _issuer_fields(issuer: Issuer) -> dict[str, Any]:
    """An issuer; each of its grants is one line, by its place."""
    fields = {k: v for k, v in asdict(issuer).items() if k != "name"}
    for name in ("audiences", "algorithms", "subject"):
        fields[name] = ", ".join(fields[name])
    grants = {str(at): msgspec.json.encode(it).decode() for at, it in enumerate(issuer.grants)}
    return {**fields, "grants": grants}


def _route_fields(route: Route) -> dict[str, Any]:
    """A route as its parts are to be named: those of its release at its own level."""
    fields = {**asdict(route.release), "balance": route.balance, "retry": route.retry}
    fields["others"] = {share.target.name: share for share in route.release.others}
    for failure, targets in route.fallbacks:
        fields[f"fallbacks.{failure}"] = {target.name: target for target in targets}
        if len(targets) > 1:
            order = ", ".join(target.name for target in targets)
            fields[f"fallbacks.{failure}.order"] = order
    fields["unsupported"] = unsupported_text(route)
    fields["parameters"] = dict(route.parameters)
    if route.system_prompt is not None:
        fields["system_prompt"] = prompt_text(route.system_prompt)
    if route.ladder:
        fields["ladder"] = {
            it.name: f"{when_text(it.when)}: {rung_text(it)}" for it in route.ladder
        }
        fields["ladder.order"] = ", ".join(it.name for it in route.ladder)
        fields["ladder.targets"] = {target.name: target for target in route.rung_targets}
    if route.kept_warm:
        fields["kept_warm"] = ", ".join(target.name for target in route.kept_warm)
    for name, coming in (("candidate", route.candidate), ("beside", route.beside)):
        if coming is not None:
            fields[name] = {
                "rollout": coming.rollout,
                "contract": coming.route.contract,
                **_route_fields(coming.route),
            }
    return fields


def _flatten(path: str, value: Any, flat: dict[str, str]) -> None:
    """Every leaf below `value`, by its dotted path."""
    below = f"{path}." if path else ""
    match value:
        case Price():
            _flatten(path, {"version": value.version, "is": price_text(value)}, flat)
        case Rate():
            flat[path] = rate_text(value)
        case Limit():
            flat[path] = limit_text(value)
        case Replica():
            flat[path] = url_text(value)
        case SecretRef():
            flat[path] = credential_text(value)
        case Struct():
            _flatten(path, asdict(value), flat)
        case dict():
            for name, inner in value.items():
                _flatten(f"{below}{name}", inner, flat)
        case tuple() if value and isinstance(value[0], Replica | Limit):
            _flatten(path, {r.name: r for r in value}, flat)
        case tuple() if value and isinstance(value[0], SecretRef):
            flat[path] = ", ".join(map(credential_text, value))
        case tuple():
            _flatten(path, dict(value), flat)
        case None:
            flat[path] = "none"
        case _:
            flat[path] = str(value)
