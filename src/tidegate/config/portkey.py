"""Portkey's config JSON to a plan file of ours: one config is one route. Every key of it is
carried, or told of."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from tidegate.config.litellm_wires import Wire, wire_of
from tidegate.config.moving import Findings
from tidegate.config.their_file import Their, nobody, read_json
from tidegate.config.their_secrets import Secrets
from tidegate.config.written_plan import Converted, Draft, literal, written

_HEADING: Final = (
    "Imported from Portkey's {name} by `tidegate import portkey`.",
    "`tidegate check` says whether it may be served, docs/plan-file.md what each key means.",
)
# Their names of providers, as LiteLLM's.
_PROVIDERS: Final[Mapping[str, str]] = {
    "azure-openai": "azure",
    "together-ai": "together_ai",
    "fireworks-ai": "fireworks_ai",
    "vertex-ai": "vertex_ai",
    "google": "gemini",
    "mistral-ai": "mistral",
    "x-ai": "xai",
    "perplexity-ai": "perplexity",
    "nvidia-nim": "nvidia_nim",
    "workers-ai": "cloudflare",
}
_MOST_FALLBACKS: Final = 5
_MOST_DEPTH: Final = 8
_FAILURES: Final = ("unavailable", "rate_limited", "malformed")
_ADVICE: Final[Mapping[str, str]] = {
    "conditions": "no route is chosen by what a request says: give each its own",
    "default": "no route is chosen by what a request says: give each its own",
    "input_guardrails": "write `guardrails` below the route",
    "output_guardrails": "write `guardrails` below the route",
    "before_request_hooks": "write `guardrails` below the route",
    "after_request_hooks": "write `guardrails` below the route",
    "virtual_key": "its secret stays at Portkey: set the variable that the plan names",
    "forward_headers": "headers of callers are not passed on",
    "custom_host": "write it as `base_url`",
    "on_status_codes": "fallbacks go by the class of failure: docs/resilience.md",
    "strict_open_ai_compliance": "answers keep OpenAI's shapes",
    "metadata": "keys have attributes: docs/plan-file.md, `keys`",
    "prompt_id": "write `prompt` below the route",
    "openai_project": "write the header below the provider",
    "aws_access_key_id": "each gateway takes its machine's own key",
    "aws_secret_access_key": "each gateway takes its machine's own key",
    "aws_session_token": "each gateway takes its machine's own key",
    "vertex_service_account_json": "write it into a file, and `identity: {google: {credentials: "
    "file:/path}}` of the provider",
}
_OTHERWISE: Final = "nothing here does that"
_ENGINES: Final = frozenset({"vllm", "llama_cpp", "ollama", "openai_compatible"})
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")


class _Asked(Struct):
    """What a part of the config asks: targets with their weights, then others in their order."""

    weights: dict[str, float] = field(default_factory=dict)
    then: list[str] = field(default_factory=list)


class _Above(Struct, frozen=True):
    """What the parts above say of a target."""

    model: str | None = None
    total_s: float | None = None


def convert_portkey(path: Path, kinds: Collection[str], route: str) -> Converted:
    """The plan that the config comes to, with the route of that name. FileRefused."""
    found, draft = Findings(), Draft()
    reading = _Reading(draft, kinds, found)
    whole = Their(read_json(path), "", found)
    asked = reading.part(whole, _Above(), 0)
    if asked.weights:
        draft.routes[route] = {**_route(asked, found), **reading.route}
        draft.unpriced = "allow"
    else:
        found.left("the whole config", "it names no target that could be asked here")
    findings = found.all()
    heading = [line.format(name=path.name) for line in _HEADING]
    return Converted(written(draft, heading, findings), reading.secrets.files, {}, findings)


def _route(asked: _Asked, found: Findings) -> dict[str, Any]:
    route: dict[str, Any] = {}
    if len(asked.weights) == 1:
        route["target"] = next(iter(asked.weights))
    else:
        route["targets"] = dict(asked.weights)
    then = [it for it in dict.fromkeys(asked.then) if it not in asked.weights]
    if len(then) > _MOST_FALLBACKS:
        said = f"a route has {_MOST_FALLBACKS} fallbacks of a class at most"
        found.changed("targets", f"the first {_MOST_FALLBACKS} fallbacks", said)
    if then:
        route["fallbacks"] = dict.fromkeys(_FAILURES, then[:_MOST_FALLBACKS])
    return route


class _Reading:
    """One config, read from its top down. `route` is what holds for the whole route."""

    def __init__(self, draft: Draft, kinds: Collection[str], found: Findings) -> None:
        self._draft = draft
        self._kinds = kinds
        self._found = found
        self.secrets = Secrets()
        self.route: dict[str, Any] = {}

    def part(self, part: Their, above: _Above, depth: int) -> _Asked:
        """A config, or one of its targets, which may be a config as well."""
        above = self._held(part, above)
        strategy = part.mapping("strategy")
        mode = strategy.take("mode")
        targets = part.items("targets")
        asked = _Asked()
        if not targets:
            name = self._target(part, above)
            if name is not None:
                asked.weights[name] = 1.0
        elif mode == "conditional" or depth > _MOST_DEPTH:
            self._found.left("strategy.mode: conditional", _ADVICE["conditions"])
            for one in targets:
                one.rest(nobody, "it is asked by a condition")
        else:
            self._several(mode, targets, above, asked, depth)
        strategy.rest(_ADVICE.get, _OTHERWISE)
        part.rest(_ADVICE.get, _OTHERWISE)
        return asked

    def _several(
        self, mode: object, targets: list[Their], above: _Above, asked: _Asked, depth: int
    ) -> None:
        shares = mode == "loadbalance"
        ours = "routes.NAME.targets" if shares else "routes.NAME.fallbacks"
        self._found.carried("strategy.mode", ours)
        for index, one in enumerate(targets):
            weight = one.take("weight")
            share = float(weight) if isinstance(weight, int | float) else 1.0
            found = self.part(one, above, depth + 1)
            total = sum(found.weights.values()) or 1.0
            if weight is not None and shares:
                self._found.carried("targets[].weight", "routes.NAME.targets, its weight")
            if shares and share > 0:
                for name, part in found.weights.items():
                    asked.weights[name] = asked.weights.get(name, 0) + share * part / total
            elif not shares and (index == 0 or not asked.weights):
                asked.weights.update(found.weights)
            elif not shares:
                asked.then += list(found.weights)
            asked.then += found.then

    def _held(self, part: Their, above: _Above) -> _Above:
        """What holds for all below this part."""
        retry = part.mapping("retry")
        attempts = retry.carry("attempts", "routes.NAME.retry.attempts")
        if isinstance(attempts, int) and attempts >= 0:
            self.route["retry"] = {"attempts": min(attempts + 1, 10)}
        retry.rest(_ADVICE.get, _OTHERWISE)
        self._cache(part)
        timeout = part.carry("request_timeout", "targets.NAME.deadlines.total_s")
        total_s = above.total_s
        if isinstance(timeout, int | float) and timeout > 0:
            total_s = min(timeout / 1000, 86_400.0)
        params = part.mapping("override_params")
        model = params.carry("model", "targets.NAME.model") or above.model
        given = {name: params.carry(name, "routes.NAME.parameters") for name in params.names()}
        if given:
            said = "the caller's own value goes before the route's, there the config's does"
            self._found.changed("override_params", "routes.NAME.parameters", said)
            self.route.setdefault("parameters", {}).update(given)
        return _Above(model, total_s)

    def _cache(self, part: Their) -> None:
        cache = part.take("cache")
        settings = cache if isinstance(cache, dict) else {"mode": cache} if cache else {}
        their = Their(settings, "cache", self._found)
        mode, age_s = their.take("mode"), their.carry("max_age", "routes.NAME.cache.exact.ttl")
        if mode == "simple":
            self._found.carried("cache.mode", "routes.NAME.cache.exact")
            exact = {"ttl": float(age_s)} if isinstance(age_s, int | float) and age_s > 0 else {}
            self.route["cache"] = {"exact": exact}
        elif mode is not None:
            self._found.left(f"cache.mode: {str(mode)[:40]}", "see docs/semantic-cache.md")
        their.rest(_ADVICE.get, _OTHERWISE)

    def _target(self, part: Their, above: _Above) -> str | None:
        """The target that a part comes to which has none below it."""
        theirs = part.take("provider") or part.take("virtual_key")
        key, host = part.take("api_key"), part.take("custom_host")
        if theirs is None:
            return None
        slug = str(theirs).lstrip("@")
        self._found.carried("provider or virtual_key", "targets.NAME.provider")
        prefix = _PROVIDERS.get(slug, slug)
        if above.model is None:
            said = "the caller's model goes to it there: name one, as `override_params.model`"
            self._found.left(f"provider: {slug[:60]}", said)
            return None
        params = {"model": above.model, "custom_llm_provider": prefix, "api_base": host}
        wire = wire_of(params, self._kinds)
        if isinstance(wire, str):
            self._found.left(f"provider: {slug[:60]}", wire)
            return None
        return self._put(wire, slug, key, above)

    def _put(self, wire: Wire, slug: str, key: object, above: _Above) -> str:
        provider = _UNFIT.sub("-", slug)
        account: dict[str, Any] = {} if provider == wire.kind else {"kind": wire.kind}
        if wire.base_url:
            account["base_url"] = literal(wire.base_url.rstrip("/"))
        if key:
            account["api_key"] = self.secrets.put(provider, str(key))
            self._found.carried("api_key", "providers.NAME.api_key")
        elif wire.kind in _ENGINES and wire.key_variable is None:
            account["api_key"] = "none"
        elif wire.kind == "vertex":
            account["identity"] = {"google": {}}
        elif wire.kind != "bedrock":
            account["api_key"] = f"${{{_UNFIT.sub('_', slug).replace('-', '_').upper()}_API_KEY}}"
        while self._draft.providers.get(provider, account) != account:
            provider += "-2"
        self._draft.providers[provider] = account
        target: dict[str, Any] = {"provider": provider, "model": literal(wire.model)}
        if above.total_s is not None:
            target["deadlines"] = {"total_s": above.total_s}
            for name, usual_s in (("first_token_s", 60.0), ("gap_s", 30.0)):
                if above.total_s < usual_s:
                    target["deadlines"][name] = above.total_s
        name = _UNFIT.sub("-", f"{provider}-{wire.model}")[:60]
        while self._draft.targets.get(name, target) != target:
            name += "-2"
        self._draft.targets[name] = target
        return name
