"""Where each value that a route obeys comes from: a line, a variable, a default, a table."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct, structs
from msgspec.structs import asdict

from tidegate.config.problem import Path
from tidegate.config.show import (
    credential_text,
    limit_text,
    price_text,
    unsupported_text,
    url_text,
    usd_text,
)
from tidegate.config.show_ladder import rung_text, when_text
from tidegate.config.walk import Origin
from tidegate.core.declared import Declared
from tidegate.core.declared_targets import DeclaredTarget, adapters_of
from tidegate.core.limit import reaches
from tidegate.core.plan import Plan, Route, Target
from tidegate.core.words import quoted

DEFAULT = "default"


class Row(NamedTuple):
    """One value: what it is, what it is set to, and where that comes from."""

    what: str
    value: str
    source: str


class _Sources:
    """Finds where a value of one route is written."""

    def __init__(self, file: str, declared: Declared, origins: Mapping[Path, Origin]) -> None:
        self.file = file
        self.declared = declared
        self.origins = origins

    def first(self, *paths: Path, otherwise: str = DEFAULT) -> str:
        """The first of `paths` that is written, as `file:line`, or `otherwise`."""
        for path in paths:
            origin = self.origins.get(path)
            if origin is not None:
                variables = f", {', '.join(origin.sources)}" if origin.sources else ""
                return f"{self.file}:{origin.mark.line}{variables}"
        return otherwise

    def target_path(self, route: str) -> Path:
        """Where the route's target is written out, or where it is named by provider/model."""
        below, wanted = next(self.declared.routes[route].wanted())
        if not isinstance(wanted, DeclaredTarget) and wanted in self.declared.targets:
            return ("targets", wanted)
        adapters = adapters_of(self.declared.targets)
        if not isinstance(wanted, DeclaredTarget) and wanted in adapters:
            return ("targets", adapters[wanted][0])
        return ("routes", route, *below)


def _adapter_rows(target: Target, sources: _Sources) -> list[Row]:
    adapter = target.adapter
    if adapter is None or adapter.of == target.name:
        return []
    at = ("targets", adapter.of, "adapters", target.name)
    return [Row("adapter", f"{adapter.name} of {adapter.of}", sources.first(at))]


def explain(
    route: str, plan: Plan, declared: Declared, origins: Mapping[Path, Origin], file: str
) -> list[Row]:
    """Every value that requests of `route` obey. KeyError when the plan has no such route."""
    found = plan.routes[route]
    target = found.release.target
    sources = _Sources(file, declared, origins)
    at = sources.target_path(route)
    above: Path = ("providers", target.provider)
    line = sources.first(at)
    credentials = ", ".join(map(credential_text, target.credentials or (None,)))
    rows = [
        Row("route", route, sources.first(("routes", route))),
        Row("release", found.release.name, "digest of the target"),
        Row("target", target.name, line),
        Row("provider", target.provider, sources.first((*at, "provider"), otherwise=line)),
        Row("kind", target.dialect, sources.first((*above, "kind"), otherwise="its name")),
        Row("model", target.model, sources.first((*at, "model"), otherwise=line)),
        *_adapter_rows(target, sources),
        *_address_rows(target, sources, at),
        Row(
            "credential",
            credentials,
            sources.first((*at, "api_keys"), (*at, "api_key"), (*above, "api_key")),
        ),
        _price_row(target, sources, at),
    ]
    for name, value in asdict(target.deadlines).items():
        written = [(*p, "deadlines", name) for p in (at, above)]
        rows.append(Row(name, f"{value:g}", sources.first(*written)))
    for name in ("context_tokens", "tokenizer", "image_tokens", "file_tokens", "max_connections"):
        value = getattr(target, name)
        rows.append(Row(name, "none" if value is None else str(value), sources.first((*at, name))))
    thinks = "yes" if target.hides_reasoning else "no"
    rows.append(Row("hidden_reasoning", thinks, sources.first((*at, "hidden_reasoning"))))
    rows += _setting_rows("queueing", target.queueing, sources, (*at, "queueing"))
    rows += [
        Row(f"header {name}", value, sources.first((*above, "headers")))
        for name, value in target.headers
    ]
    if target.tls.ca_file is not None:
        rows.append(Row("ca_file", target.tls.ca_file, sources.first((*above, "ca_file"))))
    rows.append(
        Row("provisioned", str(target.provisioned).lower(), sources.first((*at, "provisioned")))
    )
    rows += _setting_rows("breaker", target.breaker, sources, (*at, "breaker"))
    rows += _probe_rows(target, plan, sources, at)
    rows += _other_rows(found, sources)
    rows += _contract_rows(found, sources)
    rows += _rung_rows(found, sources)
    return rows + _limit_rows(route, plan, sources)


def _other_rows(route: Route, sources: _Sources) -> list[Row]:
    """What else may answer, and how often a request is sent again."""
    at: Path = ("routes", route.name)
    rows = []
    if route.release.others:
        rows.append(Row("balance", route.balance, sources.first((*at, "balance"))))
        for share in route.release.shares:
            name = share.target.name
            rows.append(
                Row(f"weight {name}", f"{share.weight:g}", sources.first((*at, "targets", name)))
            )
    for failure, targets in route.fallbacks:
        names = ", ".join(target.name for target in targets)
        rows.append(Row(f"fallbacks.{failure}", names, sources.first((*at, "fallbacks", failure))))
    unsupported = unsupported_text(route)
    rows.append(Row("unsupported", unsupported, sources.first((*at, "unsupported"))))
    written = sources.first((*at, "parameters"))
    rows += [Row(f"parameters.{name}", value, written) for name, value in route.parameters]
    if route.system_prompt is not None:
        prompt, written = quoted(route.system_prompt), sources.first((*at, "system_prompt"))
        rows.append(Row("system_prompt", prompt, written))
    return rows + _setting_rows("retry", route.retry, sources, (*at, "retry"))


def _probe_rows(target: Target, plan: Plan, sources: _Sources, at: Path) -> list[Row]:
    """What its target is asked by gateways themselves, where it is."""
    own: Path = (*at, "probe")
    probe = plan.probes.get(target.name)
    if probe is None:
        return [Row("probe", "none", sources.first(own))]
    path: Path = own if own in sources.origins else ("providers", target.provider, "probe")
    if probe.expect is None:
        return _setting_rows("probe", probe, sources, path)
    rows = _setting_rows("probe", structs.replace(probe, expect=None), sources, path)[:-1]
    return rows + _setting_rows("probe.expect", probe.expect, sources, (*path, "expect"))


def _setting_rows(name: str, settings: Struct, sources: _Sources, at: Path) -> list[Row]:
    rows = []
    for field, value in asdict(settings).items():
        money = "nanousd" in field
        key, shown = (field.replace("nanousd", "usd"), usd_text(value)) if money else (field, value)
        rows.append(Row(f"{name}.{key}", _setting_text(shown), sources.first((*at, key))))
    return rows


def _setting_text(value: object) -> str:
    match value:
        case None | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(f"{name}: {number:g}" for name, number in value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _contract_rows(route: Route, sources: _Sources) -> list[Row]:
    """What its answers must be, where anything is asked of them."""
    if route.contract is None:
        return []
    at = ("routes", route.name, "contract")
    told = {"max_length": route.contract.max_chars, **asdict(route.contract)}
    del told["max_chars"]
    return [
        Row(f"contract.{name}", _setting_text(value), sources.first((*at, name)))
        for name, value in told.items()
    ]


def _rung_rows(route: Route, sources: _Sources) -> list[Row]:
    """What serves instead when it cannot."""
    return [
        Row(
            f"rung {index + 1} {rung.name}",
            f"{when_text(rung.when)}: {rung_text(rung)}",
            sources.first(("routes", route.name, "ladder", str(index))),
        )
        for index, rung in enumerate(route.ladder)
    ]


def _limit_rows(route: str, plan: Plan, sources: _Sources) -> list[Row]:
    """The limits that can hold a request of the route, whichever key it comes with."""
    rows = []
    for limit in plan.limits:
        if reaches(limit, plan.routes[route]):
            budget = limit.name in sources.declared.budgets
            section, what = ("budgets", "budget") if budget else ("limits", "limit")
            source = sources.first((section, limit.name))
            rows.append(Row(f"{what} {limit.name}", limit_text(limit), source))
    return rows


def _address_rows(target: Target, sources: _Sources, at: Path) -> list[Row]:
    above: Path = ("providers", target.provider)
    rows = []
    for index, replica in enumerate(target.replicas):
        source = sources.first(
            (*at, "replicas", replica.name),
            (*at, "replicas", str(index)),
            (*above, "base_url"),
            otherwise=f"default of {target.dialect}",
        )
        rows.append(Row(f"replica {replica.name}", url_text(replica), source))
    return rows


def _price_row(target: Target, sources: _Sources, at: Path) -> Row:
    price = target.price
    if price is None:
        allowed = sources.first((*at, "unpriced"), ("unpriced",), otherwise="self-hosted")
        return Row("price", price_text(None), f"nobody knows it; allowed: {allowed}")
    found = sources.first((*at, "price"), otherwise=price.version)
    suffix = f" ({price.version})" if found != price.version else ""
    return Row("price", price_text(price), found + suffix)
