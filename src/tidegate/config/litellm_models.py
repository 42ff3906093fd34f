"""LiteLLM's `model_list`: deployments, which become providers and targets, and model groups, which
become routes."""

import re
from collections.abc import Collection
from typing import Any, Final

from msgspec import Struct, field

from tidegate.config.litellm_addresses import address_of, told_of_variable
from tidegate.config.litellm_advice import HARMLESS_INFO, HARMLESS_PARAMS, PARAMETERS
from tidegate.config.litellm_families import advice_of
from tidegate.config.litellm_headers import headers_of, is_reference, reference_of
from tidegate.config.litellm_prices import Written, price_as, price_of, price_unsaid
from tidegate.config.litellm_wires import Wire, wire_of
from tidegate.config.moving import Findings
from tidegate.config.their_file import UNNEEDED, Their, nobody
from tidegate.config.their_secrets import Secrets
from tidegate.config.their_values import (
    COUNT,
    ROUTE_NAME,
    SECONDS,
    SHARE,
    SOME,
    attempts_of,
    count,
    flag,
    route_name,
    seconds,
    text,
    weight,
    whole,
)
from tidegate.config.written_plan import Draft, literal
from tidegate.core.facts import PriceOf, Quote

_OUTPUT_BOUNDS: Final = ("max_tokens", "max_completion_tokens")
_MOST_TOKENS: Final = 100_000_000
_USUAL_CONNECTIONS: Final = 512
_MOST_PLACES: Final = 10_000
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MODES: Final = frozenset(
    {
        *("chat", "completion", "embedding", "responses", "batch", "rerank", "moderation"),
        *("image_generation", "image_edit", "audio_transcription", "audio_speech"),
    }
)
_NO_KEY: Final = ("", "none", "None", "null", "fake-key", "not-needed", "EMPTY")
_ENGINES: Final = frozenset(
    {
        *("vllm", "llama_cpp", "openai_compatible", "ollama", "sglang", "tgi", "lm_studio"),
        "sim",
    }
)


class Deployment(Struct):
    """One target of a group, by its weight; those of a higher `order` are asked when the others
    have failed."""

    target: str
    weight: float | None = None
    order: int = 0
    rpm: int | None = None
    tpm: int | None = None


class Group(Struct):
    """What applications call by one name."""

    deployments: list[Deployment] = field(default_factory=list)
    parameters: list[dict[str, Any]] = field(default_factory=list)
    drops: bool = False
    attempts: int | None = None


class Known(Struct, frozen=True):
    """What is known here: providers by their kinds, and what is asked for a model."""

    kinds: Collection[str]
    quote: PriceOf


class Models:
    """Reads deployments into the draft; `groups` are routes by name, `stands_for` are the routes of
    access groups."""

    def __init__(
        self,
        draft: Draft,
        secrets: Secrets,
        known: Known,
        found: Findings,
    ) -> None:
        self._draft = draft
        self._secrets = secrets
        self._known = known
        self._found = found
        self._accounts: dict[tuple[object, ...], str] = {}
        self.groups: dict[str, Group] = {}
        self.stands_for: dict[str, list[str]] = {}

    def add(self, item: Their) -> None:
        name = item.take("model_name")
        params, info = item.mapping("litellm_params"), item.mapping("model_info")
        if not isinstance(name, str) or not name.strip():
            self._found.left(item.at("model_name"), "it has no name, so nobody can call it")
            item.rest(advice_of)
            params.rest(nobody, "its deployment is left")
            info.rest(nobody, "its deployment is left")
            return
        named = {it: params.take(it) for it in ("model", "api_base", "base_url")}
        named["custom_llm_provider"] = params.take("custom_llm_provider")
        wire = wire_of(named, self._known.kinds)
        said = _why_not(name, wire, item, info)
        item.rest(advice_of)
        if said is not None or isinstance(wire, str):
            self._found.left(f"model_list: {name[:80]}", said or "")
            params.rest(nobody, "its deployment is left")
            info.rest(nobody, "its deployment is left")
            return
        self._deployment(name, wire, params, info)

    def _deployment(self, name: str, wire: Wire, params: Their, info: Their) -> None:
        self._found.carried("model_list[].model_name", "routes.NAME")
        self._found.carried("model_list[].litellm_params.model", "targets.NAME.model")
        group = self.groups.setdefault(name, Group())
        provider = self._provider(wire, params)
        target: dict[str, Any] = {"provider": provider, "model": literal(wire.model)}
        one = Deployment(self._named(name))
        self._served(target, params)
        self._described(target, info, name)
        quoted = self._known.quote(
            wire.kind, self._draft.providers[provider].get("base_url", ""), wire.model
        )
        as_base = self._based(wire, params, info, quoted)
        price = price_of(params, info, self._found) or as_base
        if price is None:
            price = price_unsaid(name, quoted, own=wire.kind in _ENGINES, found=self._found)
        if price is not None:
            target["price"] = price
        self._shared(one, group, params, info)
        group.parameters.append(_parameters(params))
        group.deployments.append(one)
        for it in HARMLESS_PARAMS:
            params.carry(it, UNNEEDED)
        params.rest(advice_of)
        info.rest(advice_of)
        self._draft.targets[one.target] = target
        for kind, amount in (("requests", one.rpm), ("tokens", one.tpm)):
            if amount:
                only = {"target": one.target}
                limit = {"kind": kind, "amount": amount, "per": "minute", "only": only}
                self._draft.limits[f"{one.target}.{kind}"[:64]] = limit

    def _based(self, wire: Wire, params: Their, info: Their, own: Quote) -> Written:
        """The price of the model that it is said to be, by which LiteLLM counts it."""
        base = str(params.take("base_model") or info.take("base_model") or "")
        told = wire_of({"model": base}, self._known.kinds)
        kind, model = (wire.kind, base) if isinstance(told, str) else (told.kind, told.model)
        known = self._known.quote(kind, "", model).price if base else None
        return price_as((info.at("base_model"), base), known, own.price, self._found)

    def _provider(self, wire: Wire, params: Their) -> str:
        """The account that this deployment is asked with; one like it before is the same one."""
        account: dict[str, Any] = {"kind": wire.kind}
        address = address_of(wire, params)
        if address:
            self._found.carried("model_list[].litellm_params.api_base", "providers.NAME.base_url")
            account["base_url"] = address
        key = params.take("api_key")
        reference = self._key(wire, key, params)
        if reference is not None:
            self._found.carried("model_list[].litellm_params.api_key", "providers.NAME.api_key")
            account["api_key"] = reference
        elif wire.kind == "vertex":
            account["identity"] = {"google": {}}
        headers = headers_of(wire, params)
        if headers:
            account["headers"] = headers
        told = tuple(sorted((name, str(value)) for name, value in account.items()))
        if told not in self._accounts:
            base = _UNFIT.sub("-", wire.kind)
            name, number = base, 1
            while name in self._draft.providers:
                number += 1
                name = f"{base}-{number}"
            if name == wire.kind:
                del account["kind"]
            self._draft.providers[name] = account
            self._accounts[told] = name
        return self._accounts[told]

    def _key(self, wire: Wire, key: object, params: Their) -> str | None:
        if key is None:
            if wire.key_variable is not None and wire.kind not in _ENGINES:
                return f"${{{wire.key_variable}}}"
            return "none" if wire.kind in _ENGINES else None
        text = str(key)
        if text in _NO_KEY:
            return "none"
        if is_reference(text):
            if not text.startswith("os.environ/"):
                told_of_variable(params, "api_key")
            name, _, default = reference_of(text).removesuffix("}").partition(":-")
            if default:
                said = "it may be a secret, which is in no plan: set the variable"
                self._found.left(f"{params.at('api_key')}: its default", said)
            return f"{name}}}"
        return self._secrets.put(wire.kind, text)

    def _served(self, target: dict[str, Any], params: Their) -> None:
        deadlines = {}
        for theirs, ours in (("timeout", "total_s"), ("stream_timeout", "first_token_s")):
            value = params.read(theirs, f"targets.NAME.deadlines.{ours}", seconds, SECONDS)
            if value is not None:
                deadlines[ours] = value
        if deadlines:
            target["deadlines"] = deadlines
        where = "targets.NAME.queueing.max_in_flight"
        places = params.read("max_parallel_requests", where, count, SOME)
        if places is not None:
            target["queueing"] = {"max_in_flight": min(places, _MOST_PLACES)}
            if places > _USUAL_CONNECTIONS:
                target["max_connections"] = min(places, _MOST_PLACES)
        rest = params.read("cooldown_time", "targets.NAME.breaker.open_s", seconds, SECONDS)
        if rest is not None:
            target["breaker"] = {"open_s": rest}

    def _described(self, target: dict[str, Any], info: Their, name: str) -> None:
        length = info.read("max_input_tokens", "targets.NAME.context_tokens", count, SOME)
        if length is not None:
            target["context_tokens"] = min(length, _MOST_TOKENS)
        groups = info.carry("access_groups", "the routes of a key")
        for group in groups if isinstance(groups, list) else ():
            names = self.stands_for.setdefault(str(group), [])
            if name not in names:
                names.append(name)
        mode = info.take("mode")
        if mode is not None and str(mode) not in _MODES:
            said = "that is not served here: nobody can call it"
            self._found.left(f"{info.at('mode')}: {str(mode)[:40]}", said)
        elif mode is not None:
            self._found.carried(info.at("mode"), UNNEEDED)
        for it in HARMLESS_INFO:
            info.carry(it, UNNEEDED)

    def _shared(self, one: Deployment, group: Group, params: Their, info: Their) -> None:
        where = "routes.NAME.targets, its weight"
        one.weight = params.read("weight", where, weight, SHARE)
        where = "routes.NAME.fallbacks, after those before it"
        one.order = params.read("order", where, whole, COUNT) or 0
        for name in ("rpm", "tpm"):
            most = params.read(name, "a limit by target", count, SOME)
            also = info.read(name, "a limit by target", count, SOME)
            setattr(one, name, also if most is None else most)
        for name in ("max_retries", "num_retries"):
            tries = attempts_of(params, name)
            if tries is not None:
                group.attempts = max(group.attempts or 1, tries)
        where = "routes.NAME.unsupported"
        group.drops |= params.read("drop_params", where, flag, "write true or false") is True

    def _named(self, name: str) -> str:
        base = _UNFIT.sub("-", name).strip("-.")[:50] or "model"
        found, number = base, 1
        while found in self._draft.targets:
            number += 1
            found = f"{base}-{number}"
        return found


def _why_not(name: str, wire: Wire | str, item: Their, info: Their) -> str | None:
    """Why a deployment becomes no target."""
    if item.take("blocked") is True or info.take("blocked") is True:
        return "it is blocked there"
    if isinstance(wire, str):
        return wire
    if route_name(name) is None:
        return ROUTE_NAME
    if text(wire.model) is None:
        return "its model's name is not printable, or too long"
    return "write a route for each model that is called" if "*" in name else None


def _output_bound(value: object) -> int | None:
    found = count(value)
    return None if found is None else min(found, _MOST_TOKENS)


def _parameters(params: Their) -> dict[str, Any]:
    found = {}
    for name in PARAMETERS:
        where = "routes.NAME.parameters"
        if name in _OUTPUT_BOUNDS:
            value = params.read(name, where, _output_bound, SOME)
        else:
            value = params.carry(name, where)
        if value is not None:
            found[name] = value
    return found
