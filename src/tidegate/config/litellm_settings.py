"""LiteLLM's router_settings, litellm_settings and general_settings."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from tidegate.config.litellm_families import advice_of
from tidegate.config.litellm_routes import Shared
from tidegate.config.their_file import UNLIKE, Their
from tidegate.config.their_values import (
    AMOUNT,
    ANY_FAILURE,
    COUNT,
    SECONDS,
    SOME,
    attempts,
    count,
    fails_beyond,
    flag,
    seconds,
    share,
)
from tidegate.config.written_plan import Draft
from tidegate.core.declared_budgets import MAX_BUDGET_USD
from tidegate.core.declared_limits import MAX_WINDOW_S

_BALANCES: Final = {
    "simple-shuffle": "weighted",
    "least-busy": "least_in_flight",
    "latency-based-routing": "fastest",
    "cost-based-routing": "cheapest",
}
_LEAST: Final = Decimal("1e-9")
_DURATION: Final = re.compile(r"([1-9]\d{0,5})(mo|[smhdw])")
_DAYS: Final = {"d": 1, "w": 7, "mo": 30}
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CALLBACKS: Final = (
    *("callbacks", "success_callback", "failure_callback", "service_callback"),
    "service_callbacks",
)
_FALLBACKS: Final = {
    "fallbacks": ANY_FAILURE,
    "context_window_fallbacks": ("overflow",),
    "content_policy_fallbacks": ("refused_by_safety",),
}


_KEPT_FOR: Final = (
    "kept for requests with `temperature: 0` and a `seed`, for each team by itself; "
    "`deterministic: any` and `scope: route` keep as it does there"
)
_OF_CACHES: Final = {
    **dict.fromkeys(
        (
            *("host", "port", "password", "url", "redis_startup_nodes", "username", "ssl"),
            *("gcp_service_account", "gcp_ssl_ca_certs"),
        ),
        "name the Redis in `storage.limits`, and `store: shared` below `cache.exact`",
    ),
    "supported_call_types": "a route keeps answers of whatever it serves",
    "mode": "callers say `cache-control` themselves",
    "namespace": "answers are kept by route, team and customer",
}


def read_router(settings: Their, shared: Shared) -> None:
    strategy = settings.take("routing_strategy")
    if strategy in _BALANCES:
        settings.found.carried("router_settings.routing_strategy", "routes.NAME.balance")
        shared.balance = _BALANCES[strategy]
    elif strategy is not None:
        said = "limits of the targets are kept to all the same"
        settings.found.changed("router_settings.routing_strategy", "balance: weighted", said)
    _retries(settings, shared)
    aliases = settings.take("model_group_alias")
    for alias, name in aliases.items() if isinstance(aliases, dict) else ():
        target = name.get("model") if isinstance(name, dict) else name
        settings.found.carried("router_settings.model_group_alias", "routes.NAME")
        shared.aliases[str(alias)] = str(target)
    settings.rest(advice_of)


def read_litellm(settings: Their, draft: Draft, shared: Shared) -> None:
    _retries(settings, shared)
    where = "routes.NAME.unsupported"
    shared.drops = settings.read("drop_params", where, flag, "write true or false") is True
    _cache(settings, shared)
    _callbacks(settings, draft)
    most = settings.read("max_budget", "budgets.everything", _dollars, AMOUNT)
    if most is not None:
        where = "budgets.everything.per"
        per = settings.read("budget_duration", where, _per, "its budget is kept for a lifetime")
        draft.budgets["everything"] = {"amount": f"{most:f}", "per": per or "lifetime"}
    settings.rest(advice_of)


def read_general(settings: Their, draft: Draft) -> None:
    where = "gateway.http.max_body_bytes"
    most = settings.read("max_request_size_mb", where, _megabytes, "write a number of megabytes")
    if most is not None:
        draft.gateway["http"] = {"max_body_bytes": f"{most}MiB"}
    where = "limits.everything-at-once"
    at_once = settings.read("global_max_parallel_requests", where, count, SOME)
    if at_once is not None:
        draft.limits["everything-at-once"] = {"kind": "concurrency", "amount": at_once}
    settings.rest(advice_of)


def _retries(settings: Their, shared: Shared) -> None:
    """What both router_settings and litellm_settings may say."""
    tries = settings.read("num_retries", "routes.NAME.retry.attempts", attempts, COUNT)
    shared.attempts = shared.attempts if tries is None else tries
    shared.retry_after_s = _seconds(
        settings, "retry_after", "routes.NAME.retry.base_s", shared.retry_after_s
    )
    for name in ("timeout", "request_timeout"):
        shared.total_s = _seconds(settings, name, "targets.NAME.deadlines.total_s", shared.total_s)
    shared.first_token_s = _seconds(
        settings, "stream_timeout", "targets.NAME.deadlines.first_token_s", shared.first_token_s
    )
    fails = settings.read("allowed_fails", "targets.NAME.breaker.failures", fails_beyond, COUNT)
    shared.failures = shared.failures if fails is None else fails
    shared.open_s = _seconds(
        settings, "cooldown_time", "targets.NAME.breaker.open_s", shared.open_s
    )
    for name, failures in _FALLBACKS.items():
        value = settings.read(name, "routes.NAME.fallbacks", _list, "a list belongs here")
        for one in value or ():
            for group, others in one.items() if isinstance(one, dict) else ():
                for failure in failures:
                    _note(shared, failure, str(group), others, settings)
    said = "a list belongs here"
    others = settings.read("default_fallbacks", "routes.NAME.fallbacks", _list, said)
    for failure in ANY_FAILURE if others else ():
        _note(shared, failure, "*", others, settings)


def _note(shared: Shared, failure: str, group: str, others: Any, settings: Their) -> None:
    names = [it for it in others if isinstance(it, str)] if isinstance(others, list) else []
    if not isinstance(others, list) or len(names) < len(others):
        said = "a fallback is a model group's name: give what differs a group of its own"
        settings.found.left(settings.at("fallbacks with parameters"), said)
    shared.fallbacks.setdefault(failure, {})[group] = names


def _ttl(params: Their) -> float | None:
    where = "routes.NAME.cache.exact.ttl"
    value = params.take("ttl")
    ttl_s = None if value is None else seconds(value)
    if ttl_s is not None and share(value) != ttl_s:
        said = "a day is the longest that an answer is fresh here"
        params.found.changed(params.at("ttl"), f"{where}: 1d", said)
    elif ttl_s is not None:
        params.found.carried(params.at("ttl"), where)
    elif value is not None:
        params.found.left(params.at("ttl"), SECONDS)
    return ttl_s


def _list(value: object) -> list[Any] | None:
    return value if isinstance(value, list) else None


def _cache(settings: Their, shared: Shared) -> None:
    given = settings.take("cache")
    on = given is not None and flag(given)
    if on:
        settings.found.changed(settings.at("cache"), "routes.NAME.cache.exact", _KEPT_FOR)
    elif on is None:
        settings.found.left(settings.at("cache"), "write true or false")
    elif given is not None:
        settings.found.carried(settings.at("cache"), "no cache is on unless it is written")
    params = settings.mapping("cache_params")
    ttl_s = _ttl(params)
    kind = params.take("type")
    if kind is not None and "semantic" in str(kind):
        params.found.left("litellm_settings.cache_params.type", "see docs/semantic-cache.md")
    elif kind is not None:
        said = "write `store: shared` where several gateways keep them in a Redis"
        params.found.changed("litellm_settings.cache_params.type", "kept in memory", said)
    params.rest(lambda name: _OF_CACHES.get(name) or advice_of(name))
    if on:
        shared.cache = {"exact": {} if ttl_s is None else {"ttl": ttl_s}}


def _callbacks(settings: Their, draft: Draft) -> None:
    """Prometheus is served as it is; what else they name is told of, one by one."""
    for name in _CALLBACKS:
        value = settings.take(name)
        if value is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            told = one[:60] if isinstance(one, str) else "one with settings"  # it may hold a secret
            where = f"{settings.at(name)}: {told}"
            if one == "prometheus":
                settings.found.carried(where, "control.litellm_metric_names")
                draft.control["litellm_metric_names"] = True
            else:
                settings.found.left(where, advice_of(name) or UNLIKE)


def _seconds(settings: Their, name: str, ours: str, before: float | None) -> float | None:
    found = settings.read(name, ours, seconds, SECONDS)
    return before if found is None else found


def _dollars(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    if not found.is_finite() or not 0 < found <= MAX_BUDGET_USD:
        return None
    return max(found.quantize(_LEAST), _LEAST).normalize()


def _megabytes(value: object) -> int | None:
    found = seconds(value)
    return None if found is None else max(1, round(found))


def _per(duration: object) -> str | None:
    words = {"1d": "day", "24h": "day", "7d": "week", "1w": "week", "30d": "month", "1mo": "month"}
    text = str(duration).strip().lower()
    match = _DURATION.fullmatch(text)
    if match is None or text in words:
        return words.get(text)
    days = _DAYS.get(match[2])
    count, unit = int(match[1]) * (days or 1), "d" if days else match[2]
    return f"{count}{unit}" if count * _UNITS_S[unit] <= MAX_WINDOW_S else None
