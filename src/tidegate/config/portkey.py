"""Portkey's config JSON to a plan file of ours: one config is one route. Every key of it is
carried, or told of."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from tidegate.config.litellm_headers import reference_of
from tidegate.config.litellm_wires import Wire, wire_of
from tidegate.config.moving import Findings
from tidegate.config.portkey_addresses import address_of, provider_of, version_of
from tidegate.config.portkey_routes import Above, Asked, Leaf, route_of
from tidegate.config.their_file import UNNEEDED, Their, nobody, read_json
from tidegate.config.their_secrets import Secrets
from tidegate.config.their_values import seconds, share
from tidegate.config.their_values import weight as share_of
from tidegate.config.written_plan import Converted, Draft, literal, written
from tidegate.core.declared_scalars import MAX_SECONDS

_HEADING: Final = (
    "Imported from Portkey's {name} by `tidegate import portkey`.",
    "`tidegate check` says whether it may be served, docs/plan-file.md what each key means.",
)
_MOST_DEPTH: Final = 8
_ADVICE: Final[Mapping[str, str]] = {
    "conditions": "no route is chosen by what a request says: applications call it by its name",
    "input_guardrails": "write `guardrails` below the route",
    "output_guardrails": "write `guardrails` below the route",
    "before_request_hooks": "write `guardrails` below the route",
    "after_request_hooks": "write `guardrails` below the route",
    "virtual_key": "its secret stays at Portkey: set the variable that the plan names",
    "forward_headers": "headers of callers are not passed on",
    "custom_host": "write it as `base_url`",
    "on_status_codes": "fallbacks go by the class of failure: docs/resilience.md",
    "strict_open_ai_compliance": "answers keep OpenAI's shapes",
    "name": "",
    "aws_region": "write it into `base_url`",
    "metadata": "keys have attributes: docs/plan-file.md, `keys`",
    "prompt_id": "write `prompt` below the route",
    "openai_project": "write the header below the provider",
    "aws_access_key_id": "each gateway takes its machine's own key",
    "aws_secret_access_key": "each gateway takes its machine's own key",
    "aws_session_token": "each gateway takes its machine's own key",
    "vertex_service_account_json": "write it into a file, and `identity: {google: {credentials: "
    "file:/path}}` of the provider",
}
_OF_ALL: Final = "fallbacks are of the whole route, not of one of its shares"
_IN_ORDER: Final = "they are asked in their order: fallbacks have no shares"
_MODES: Final = ("loadbalance", "fallback")
_MOST_NAME: Final = 60
_ENGINES: Final = frozenset({"vllm", "llama_cpp", "ollama", "openai_compatible"})
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")


def convert_portkey(path: Path, kinds: Collection[str], route: str) -> Converted:
    """The plan that the config comes to, with the route of that name. FileRefused."""
    found, draft = Findings(), Draft()
    reading = _Reading(draft, kinds, found)
    whole = Their(read_json(path), "", found)
    asked = {route: reading.part(whole, Above(), 0)}
    for name, one in [*asked.items(), *reading.conditional.items()]:
        if name in draft.routes:
            found.left(f"the target {name}", "the whole config's route has its name: --route OTHER")
        elif one.weights:
            draft.routes[name] = route_of(one, found)
            draft.unpriced = "allow"
    if not draft.routes:
        found.left("the whole config", "it names no target that could be asked here")
    findings = found.all()
    heading = [line.format(name=path.name) for line in _HEADING]
    plan = written(draft, heading, findings)
    return Converted(plan, reading.secrets.files, {}, findings, bool(draft.routes))


class _Reading:
    """One config, read from its top down. `conditional` are further routes, by their names."""

    def __init__(self, draft: Draft, kinds: Collection[str], found: Findings) -> None:
        self._draft = draft
        self._kinds = kinds
        self._found = found
        self.secrets = Secrets()
        self.conditional: dict[str, Asked] = {}

    def part(self, part: Their, above: Above, depth: int) -> Asked:
        """A config, or one of its targets, which may be a config as well."""
        above = self._held(part, above)
        strategy = part.mapping("strategy")
        mode = strategy.take("mode")
        targets = part.items("targets", numbered=True)
        asked = Asked()
        if not targets:
            name = self._target(part, above)
            if name is not None:
                asked.weights[name] = 1.0
                asked.leaves.append(Leaf(name, above))
        elif depth > _MOST_DEPTH:
            self._found.left(part.at("targets"), "it is nested too deeply")
            for one in targets:
                one.rest(nobody, "it is nested too deeply")
        elif mode == "conditional":
            asked = self._conditional(strategy, targets, above, depth)
        elif mode in _MODES:
            self._several(mode, targets, above, asked, depth)
        else:
            asked = self.part(targets[0], above, depth + 1)
            for one in targets[1:]:
                one.rest(nobody, "the first alone is asked there")
        strategy.rest(_ADVICE.get)
        part.rest(_ADVICE.get)
        return asked

    def _conditional(
        self, strategy: Their, targets: list[Their], above: Above, depth: int
    ) -> Asked:
        """No route here is chosen by what a request says, but for its model, which is the route:
        `default` is this one, and each other target a route that applications call themselves."""
        default, named = strategy.take("default"), {}
        for one in targets:
            name = one.take("name")
            named[str(name)] = self.part(one, above, depth + 1)
        for condition in strategy.items("conditions", numbered=True):
            then, query = str(condition.take("then")), condition.take("query")
            model = _model_asked(query)
            route = model or _UNFIT.sub("-", then)[:_MOST_NAME]
            if then not in named or not named[then].weights or depth:
                self._found.left(condition.where, "its target is none, or lies within another")
            elif model is not None:
                self._found.carried(condition.where, f"the route {route}")
                self.conditional[route] = named[then]
            else:
                self._found.changed(condition.where, f"the route {route}", _ADVICE["conditions"])
                self.conditional[route] = named[then]
            condition.rest(_ADVICE.get)
        if default is not None and str(default) in named:
            self._found.carried(strategy.at("default"), "this route")
            return named[str(default)]
        if default is not None:
            self._found.left(strategy.at("default"), "there is no target of that name")
        return Asked()

    def _several(
        self, mode: object, targets: list[Their], above: Above, asked: Asked, depth: int
    ) -> None:
        shares = mode == "loadbalance"
        ours = "routes.NAME.targets" if shares else "routes.NAME.fallbacks"
        self._found.carried("strategy.mode", ours)
        for index, one in enumerate(targets):
            weight = one.take("weight")
            share = (share_of(weight) or 0.0) if isinstance(weight, int | float) else 1.0
            found = self.part(one, above, depth + 1)
            total = sum(found.weights.values()) or 1.0
            if shares and share <= 0:
                self._found.left(one.where, "its share is 0: nobody asks it")
                continue
            asked.leaves += found.leaves
            if weight is not None:
                where = "routes.NAME.targets, its weight" if shares else UNNEEDED
                self._found.carried("targets[].weight", where)
            if shares and found.then:
                self._found.changed(one.at("targets"), "routes.NAME.fallbacks", _OF_ALL)
            if shares:
                for name, part in found.weights.items():
                    asked.weights[name] = asked.weights.get(name, 0) + share * part / total
            elif index == 0 or not asked.weights:
                asked.weights.update(found.weights)
            else:
                if len(found.weights) > 1:
                    self._found.changed(one.at("targets"), "routes.NAME.fallbacks", _IN_ORDER)
                asked.then += list(found.weights)
            asked.then += found.then

    def _held(self, part: Their, above: Above) -> Above:
        """What holds for all below this part."""
        retry = part.mapping("retry")
        tries = retry.take("attempts")
        attempts = above.attempts
        if isinstance(tries, int) and not isinstance(tries, bool) and tries >= 0:
            attempts = (min(tries + 1, 10), retry.at("attempts"))
        elif tries is not None:
            self._found.left(retry.at("attempts"), "write a whole number")
        retry.rest(_ADVICE.get)
        where = "targets.NAME.deadlines.total_s"
        wait_ms = part.read("request_timeout", where, share, "write a number of milliseconds")
        total_s = above.total_s if wait_ms is None else min(max(wait_ms / 1000, 0.001), MAX_SECONDS)
        override = part.mapping("override_params")
        model = override.carry("model", "targets.NAME.model") or above.model
        params = dict(above.params)
        for name in override.names():
            value = override.take(name)
            if value is not None:
                params[name] = (value, override.at(name))
        return Above(model, total_s, params, attempts, self._cache(part) or above.cache)

    def _cache(self, part: Their) -> tuple[dict[str, Any], tuple[str, ...]] | None:
        cache = part.take("cache")
        settings = cache if isinstance(cache, dict) else {"mode": cache} if cache else {}
        their = Their(settings, part.at("cache"), self._found)
        ways = tuple(their.at(name) for name in settings)
        mode, age_s = their.take("mode"), their.take("max_age")
        their.rest(_ADVICE.get)
        if mode == "simple":
            ttl_s = seconds(age_s)
            return {} if ttl_s is None else {"ttl": ttl_s}, ways
        if mode is not None:
            self._found.left(f"{their.at('mode')}: {str(mode)[:40]}", "see docs/semantic-cache.md")
        return None

    def _target(self, part: Their, above: Above) -> str | None:
        """The target that a part comes to which has none below it."""
        theirs = part.take("provider") or part.take("virtual_key")
        key, host = part.take("api_key"), part.take("custom_host")
        named = str(above.model or "")
        if named.startswith("@") and "/" in named:
            integration, _, model = named.partition("/")
            above, theirs = replace(above, model=model), theirs or integration
        if theirs is None:
            return None
        slug = str(theirs).lstrip("@")
        self._found.carried("provider or virtual_key", "targets.NAME.provider")
        prefix = provider_of(slug, self._kinds, self._found)
        if prefix == "azure" and isinstance(deployed := part.take("deployment_id"), str):
            self._found.carried("deployment_id", "targets.NAME.model")
            above = replace(above, model=deployed)
        if above.model is None:
            said = "the caller's model goes to it there: name one, as `override_params.model`"
            self._found.left(f"provider: {slug[:60]}", said)
            return None
        params = {"model": above.model, "custom_llm_provider": prefix, "api_base": host}
        wire = wire_of(params, self._kinds)
        if isinstance(wire, str):
            said = wire.replace("an api_base", "a custom_host")
            self._found.left(f"provider: {slug[:60]}", said)
            return None
        account: dict[str, Any] = {}
        address = address_of(prefix, part) if wire.base_url is None else reference_of(wire.base_url)
        if address:
            account["base_url"] = address.rstrip("/")
        headers = version_of(prefix, part)
        if headers:
            account["headers"] = headers
        return self._put(wire, slug, key, above, account)

    def _put(self, wire: Wire, slug: str, key: object, above: Above, asked: dict[str, Any]) -> str:
        provider = _UNFIT.sub("-", slug)
        account = asked if provider == wire.kind else {"kind": wire.kind, **asked}
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
            for name, usual_s in (("first_token_s", 60.0), ("gap_s", 30.0), ("connect_s", 2.0)):
                if above.total_s < usual_s:
                    target["deadlines"][name] = above.total_s
        name = _UNFIT.sub("-", f"{provider}-{wire.model}")[:60]
        while self._draft.targets.get(name, target) != target:
            name += "-2"
        self._draft.targets[name] = target
        return name


def _model_asked(query: object) -> str | None:
    """The model whose requests a condition is for, where it asks for that alone."""
    if not isinstance(query, dict) or [*query] != ["params.model"]:
        return None
    asked = query["params.model"]
    model = asked.get("$eq") if isinstance(asked, dict) and len(asked) == 1 else asked
    return model if isinstance(model, str) and 0 < len(model) <= _MOST_NAME else None
