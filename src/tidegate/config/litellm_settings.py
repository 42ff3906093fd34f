"""LiteLLM's router_settings, litellm_settings and general_settings."""

from typing import Any, Final

from tidegate.config.litellm_advice import ADVICE
from tidegate.config.litellm_routes import Shared
from tidegate.config.their_file import Their
from tidegate.config.written_plan import Draft

_OTHERWISE: Final = "nothing here does that"
_BALANCES: Final = {
    "simple-shuffle": "weighted",
    "least-busy": "least_in_flight",
    "latency-based-routing": "fastest",
    "cost-based-routing": "cheapest",
}
_FALLBACKS: Final = {
    "fallbacks": ("unavailable", "rate_limited", "malformed"),
    "context_window_fallbacks": ("overflow",),
    "content_policy_fallbacks": ("refused_by_safety",),
}
_ANY_FAILURE: Final = ("unavailable", "rate_limited", "malformed")
_DEFAULT_COOLDOWN_S: Final = 86_400.0


def read_router(settings: Their, draft: Draft, shared: Shared) -> None:
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
    settings.rest(ADVICE, _OTHERWISE)


def read_litellm(settings: Their, draft: Draft, shared: Shared) -> None:
    _retries(settings, shared)
    shared.drops = bool(settings.carry("drop_params", "routes.NAME.unsupported"))
    _cache(settings, shared)
    _callbacks(settings, draft)
    most = settings.carry("max_budget", "budgets.everything")
    if isinstance(most, int | float) and most > 0:
        per = _per(settings.carry("budget_duration", "budgets.everything.per"))
        draft.budgets["everything"] = {"amount": f"{most:.9f}".rstrip("0").rstrip("."), "per": per}
    settings.rest(ADVICE, _OTHERWISE)


def read_general(settings: Their, draft: Draft) -> None:
    most = settings.carry("max_request_size_mb", "gateway.http.max_body_bytes")
    if isinstance(most, int | float) and most > 0:
        draft.gateway["http"] = {"max_body_bytes": f"{max(1, round(most))}MiB"}
    at_once = settings.carry("global_max_parallel_requests", "limits.everything-at-once")
    if isinstance(at_once, int) and at_once > 0:
        draft.limits["everything-at-once"] = {"kind": "concurrency", "amount": at_once}
    settings.rest(ADVICE, _OTHERWISE)


def _retries(settings: Their, shared: Shared) -> None:
    """What both router_settings and litellm_settings may say."""
    tries = settings.carry("num_retries", "routes.NAME.retry.attempts")
    if isinstance(tries, int) and tries >= 0:
        shared.attempts = min(tries + 1, 10)
    shared.retry_after_s = _seconds(
        settings, "retry_after", "routes.NAME.retry.base_s", shared.retry_after_s
    )
    for name in ("timeout", "request_timeout"):
        shared.total_s = _seconds(settings, name, "targets.NAME.deadlines.total_s", shared.total_s)
    shared.first_token_s = _seconds(
        settings, "stream_timeout", "targets.NAME.deadlines.first_token_s", shared.first_token_s
    )
    fails = settings.carry("allowed_fails", "targets.NAME.breaker.failures")
    if isinstance(fails, int) and fails >= 0:
        shared.failures = min(fails + 1, 1000)
    shared.open_s = _seconds(
        settings, "cooldown_time", "targets.NAME.breaker.open_s", shared.open_s
    )
    for name, failures in _FALLBACKS.items():
        value = settings.carry(name, "routes.NAME.fallbacks")
        for one in value if isinstance(value, list) else ():
            for group, others in one.items() if isinstance(one, dict) else ():
                for failure in failures:
                    _note(shared, failure, str(group), others, settings)
    others = settings.carry("default_fallbacks", "routes.NAME.fallbacks")
    for failure in _ANY_FAILURE if others else ():
        _note(shared, failure, "*", others, settings)


def _note(shared: Shared, failure: str, group: str, others: Any, settings: Their) -> None:
    names = [it for it in others if isinstance(it, str)] if isinstance(others, list) else []
    if not isinstance(others, list) or len(names) < len(others):
        said = "a fallback is a model group's name: give what differs a group of its own"
        settings.found.left(settings.at("fallbacks with parameters"), said)
    shared.fallbacks.setdefault(failure, {})[group] = names


def _cache(settings: Their, shared: Shared) -> None:
    on = settings.carry("cache", "routes.NAME.cache.exact")
    params = settings.mapping("cache_params")
    ttl_s = params.carry("ttl", "routes.NAME.cache.exact.ttl")
    kind = params.take("type")
    if kind is not None and "semantic" in str(kind):
        params.found.left("litellm_settings.cache_params.type", "see docs/semantic-cache.md")
    elif kind is not None:
        said = "write `store: shared` where several gateways keep them in a Redis"
        params.found.changed("litellm_settings.cache_params.type", "kept in memory", said)
    advice = dict.fromkeys(
        ("host", "port", "password", "url", "redis_startup_nodes", "username", "ssl"),
        "name the Redis in `storage.limits`, and `store: shared` below `cache.exact`",
    )
    params.rest(
        {
            **advice,
            "supported_call_types": "a route keeps answers of whatever it serves",
            "mode": "callers say `cache-control` themselves",
            "similarity_threshold": "see docs/semantic-cache.md",
            "namespace": "answers are kept by route, team and customer",
        },
        _OTHERWISE,
    )
    if on is True:
        ttl = float(ttl_s) if isinstance(ttl_s, int | float) and ttl_s > 0 else None
        shared.cache = {"exact": {"ttl": ttl} if ttl else {}}


def _callbacks(settings: Their, draft: Draft) -> None:
    """Prometheus is served as it is; what else they name is told of, one by one."""
    for name in ("callbacks", "success_callback", "failure_callback", "service_callback"):
        value = settings.take(name)
        if value is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            where = f"{settings.at(name)}: {str(one)[:60]}"
            if one == "prometheus":
                settings.found.carried(where, "control.litellm_metric_names")
                draft.control["litellm_metric_names"] = True
            else:
                settings.found.left(where, ADVICE[name])


def _seconds(settings: Their, name: str, ours: str, before: float | None) -> float | None:
    value = settings.carry(name, ours)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return before
    return min(float(value), _DEFAULT_COOLDOWN_S)


def _per(duration: object) -> str:
    words = {"1d": "day", "24h": "day", "7d": "week", "30d": "month", "1mo": "month"}
    return "lifetime" if duration is None else words.get(str(duration), str(duration))
