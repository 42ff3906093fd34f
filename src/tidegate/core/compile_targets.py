"""The targets of a plan, from what is declared: each built once, however many routes reach it.

What is wrong is said through `say(path, message)`, and the rest is built all the same, so that one
run finds every mistake.
"""

from datetime import date
from typing import Final

from msgspec.structs import asdict, replace

from tidegate.core import assemble, plugs
from tidegate.core.assemble import Dialect, Path, Place, Say
from tidegate.core.compile_adapters import adapter_target, without_adapters
from tidegate.core.declared import Declared
from tidegate.core.declared_targets import DeclaredTarget, adapters_of
from tidegate.core.facts import Facts
from tidegate.core.media import UNKNOWN_FILE_TOKENS, image_tokens
from tidegate.core.model_facts import UNKNOWN, ModelFacts
from tidegate.core.plan import Target, Tls
from tidegate.core.price import Price
from tidegate.core.pricing import declared_price
from tidegate.core.reasoning import hides_reasoning, sums_up_reasoning
from tidegate.core.resilience import Breaker
from tidegate.core.words import nearest, quoted

# The dialect of whoever is told by an address alone.
OPENAI_COMPATIBLE: Final = "openai_compatible"


class Targets:
    """Those of one compilation, by their names."""

    def __init__(self, declared: Declared, facts: Facts, say: Say) -> None:
        self.declared = declared
        self.say = say
        self.price_of = facts.price_of
        self.model_of = facts.model_of
        self.dialects = facts.dialects
        self._known = facts.dialects.names()
        self._dialects: dict[str, tuple[str, Dialect] | None] = {}
        self._declared: dict[str, DeclaredTarget] = {}
        self._targets: dict[str, Target | None] = {}
        self._adapters = adapters_of(declared.targets)

    def check_named(self) -> None:
        """Every provider and target, whether a route reaches it or not."""
        for name in self.declared.providers:
            self._dialect(name)
        for name, target in self.declared.targets.items():
            self._declared_target(name)
            for adapter in target.adapters:
                if adapter in self.declared.targets or self._adapters[adapter][0] != name:
                    path = ("targets", name, "adapters", adapter)
                    self.say(path, f"another target is called {quoted(adapter)} too")
        for name in self._adapters:
            self._adapter(name)

    def built(self) -> dict[str, Target]:
        """All that have been built."""
        return {name: target for name, target in self._targets.items() if target is not None}

    def means_another(self, name: str, declared: DeclaredTarget) -> bool:
        """Whether the name has been given to a target that is not this one."""
        return self._declared.get(name, declared) != declared

    def wanted(self, route: str, wanted: str | DeclaredTarget, path: Path) -> Target | None:
        """The target that is written out on this route, or that has the name."""
        if isinstance(wanted, DeclaredTarget):
            return self._once(route, wanted, path)
        if wanted in self.declared.targets:
            return self._declared_target(wanted)
        if wanted in self._adapters:
            return self._adapter(wanted)
        if "/" in wanted:
            provider, model = wanted.split("/", 1)
            if not model:
                self.say(path, "the model is missing after the slash; write provider/model")
                return None
            if provider not in self.declared.providers:
                self._no_provider(path, provider)
                return None
            return self._once(wanted, DeclaredTarget(provider, model), path)
        near = nearest(wanted, (*self.declared.targets, *self._adapters))
        if wanted in self.declared.providers:
            near = f"; that is a provider, so write {quoted(f'{wanted}/MODEL')}"
        self.say(path, f"there is no target {quoted(wanted)}{near}")
        return None

    def _declared_target(self, name: str) -> Target | None:
        return self._once(name, self.declared.targets[name], ("targets", name))

    def _adapter(self, name: str) -> Target | None:
        """The target that is an adapter, built the first time."""
        of, adapter = self._adapters[name]
        self._declared.setdefault(name, self.declared.targets[of])
        if name not in self._targets:
            self._targets[name] = None
            base = self._declared_target(of)
            known = None if base is None else self._dialect(base.provider)
            if base is not None and known is not None:
                path = ("targets", of, "adapters", name)
                form = known[1].adapters
                self._targets[name] = adapter_target(base, adapter, form, path, self.say)
        return self._targets[name]

    def _once(self, name: str, declared: DeclaredTarget, path: Path) -> Target | None:
        """The target, built the first time; the same name must mean the same target."""
        first = self._declared.setdefault(name, declared)
        if first != declared:
            self.say(
                path, f"another target is called {quoted(name)} too; name this one in `targets`"
            )
        if name not in self._targets:
            self._targets[name] = self._target(name, declared, path)
        return self._targets[name]

    def _no_provider(self, path: Path, name: str) -> None:
        near = nearest(name, self.declared.providers)
        if not near and name in self._known:
            credential = f"api_key: ${{{name.upper()}_API_KEY}}"
            near = f"; write `{name}:` below `providers:`, and below that `{credential}`"
        self.say(path, f"there is no provider {quoted(name)}{near}")

    def _dialect(self, name: str) -> tuple[str, Dialect] | None:
        """The provider's dialect and its name; None, and one complaint, where it has none."""
        if name in self._dialects:
            return self._dialects[name]
        self._dialects[name] = None
        kind = self.declared.providers[name].kind
        path: Path = ("providers", name, "kind") if kind is not None else ("providers", name)
        wanted = name if kind is None else kind
        if wanted not in self._known:
            known = ", ".join(self._known)
            what = f"there is no provider kind {quoted(wanted)}{nearest(wanted, self._known)}"
            self.say(path, f"{what}; write `kind:` with one of: {known}")
            return None
        try:
            self._dialects[name] = wanted, self.dialects.get(wanted)
        except plugs.PlugError as error:
            self.say(path, " ".join(str(error).split()))
        return self._dialects[name]

    def _target(self, name: str, declared: DeclaredTarget, path: Path) -> Target | None:
        provider = self.declared.providers.get(declared.provider)
        if provider is None:
            self._no_provider((*path, "provider"), declared.provider)
            return None
        known = self._dialect(declared.provider)
        if known is None:
            return None
        place = assemble.Place(path, declared, provider, known[1])
        replicas = assemble.replicas(place, self.say)
        deadlines = assemble.deadlines(place, self.say)
        credential, more_credentials = assemble.credentials(place, self.say)
        if not replicas:
            return None
        if declared.adapters and path[:1] != ("targets",):
            self.say((*path, "adapters"), "only a target in `targets` has adapters; write it there")
        queueing = assemble.queueing(place, len(replicas), self.say)
        address = assemble.base_url(replicas[0])
        price, allowed = self._price(place, known[0], address)
        facts = self._facts(place, known[0], address)
        context_tokens = declared.context_tokens or facts.context_tokens
        target = Target(
            name=name,
            provider=declared.provider,
            dialect=known[0],
            model=declared.model,
            replicas=replicas,
            credential=credential,
            price=price,
            unpriced_allowed=allowed,
            context_tokens=context_tokens,
            tokenizer=declared.tokenizer,
            image_tokens=declared.image_tokens or image_tokens(declared.model),
            file_tokens=declared.file_tokens or context_tokens or UNKNOWN_FILE_TOKENS,
            hides_reasoning=(
                hides_reasoning(declared.model)
                if declared.hidden_reasoning is None
                else declared.hidden_reasoning
            ),
            sums_up_reasoning=(
                declared.hidden_reasoning is None and sums_up_reasoning(declared.model)
            ),
            deadlines=deadlines,
            headers=tuple(sorted(provider.headers.items())),
            tls=Tls(ca_file=provider.ca_file),
            max_connections=declared.max_connections,
            queueing=queueing,
            more_credentials=more_credentials,
            breaker=Breaker(**asdict(declared.breaker)),
            provisioned=declared.provisioned,
            identity=provider.identity,
            batches=assemble.batches(place, price, self.say),
            facts=None if facts == UNKNOWN else facts,
        )
        return without_adapters(target, declared.adapters, known[1].adapters)

    def _facts(self, place: Place, dialect: str, base_url: str) -> ModelFacts:
        """What is declared of the model, beside what is published of it where it is sold."""
        declared = place.target.facts
        told = {name: value for name, value in asdict(declared).items() if value is not None}
        if declared.retires_on is not None:
            try:
                told["retires_on"] = date.fromisoformat(declared.retires_on)
            except ValueError:
                what = f"{quoted(declared.retires_on)} is no day: write it as 2027-03-31"
                self.say((*place.path, "facts", "retires_on"), what)
                del told["retires_on"]
        if declared.inputs is not None:
            told["more_inputs"] = False
        published = UNKNOWN
        if place.dialect.hosted or dialect == OPENAI_COMPATIBLE:
            published = self.model_of(dialect, base_url, place.target.model)
        return replace(published, **told)

    def _price(self, place: Place, dialect: str, base_url: str) -> tuple[Price | None, bool]:
        """The price, and whether this target may be served although nobody knows it."""
        target = place.target
        allowed = (target.unpriced or self.declared.unpriced) == "allow"
        if target.price is not None:
            try:
                return declared_price(target.price), allowed
            except ValueError as error:
                self.say((*place.path, "price"), str(error))
                return None, allowed
        quote = self.price_of(dialect, base_url, target.model)
        if quote.price is not None:
            return quote.price, allowed
        hosted = place.dialect.hosted or quote.sold
        if hosted and not allowed:
            self.say(
                (*place.path, "model"),
                f"nobody knows the price of {quoted(target.model)}; write it below the target as "
                "`price:`, or `unpriced: allow` to store its cost as unknown",
            )
        return None, allowed or not hosted
