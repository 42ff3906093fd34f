"""What compiling asks about the world: what models cost, which plugs there are, and what operators
have added since."""

from collections.abc import Callable

from msgspec import Struct

from tidegate.core import plugs
from tidegate.core.added import Added
from tidegate.core.assemble import ADDRESS_FORM, Dialect
from tidegate.core.checks import Graders
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.guardrail import Kind
from tidegate.core.limit import LimitKind
from tidegate.core.model_facts import ModelOf, unknown
from tidegate.core.price import Price
from tidegate.core.prompt import PromptSource
from tidegate.core.ways import Way


class Quote(Struct, frozen=True):
    """What published tables say of a model. `sold` when its address sells tokens."""

    price: Price | None = None
    sold: bool = False


PriceOf = Callable[[str, str, str], Quote]  # dialect, base URL, model


class Dialects:
    """The provider plugs."""

    def names(self) -> list[str]:
        return plugs.names("providers")

    def get(self, name: str) -> Dialect:
        """PlugError when it does not load."""
        plug: plugs.Provider = plugs.load("providers", name)
        signs = plug.signer is not None
        wire: plugs.BatchWire | None = getattr(plug, "batches", None)
        return Dialect(
            plug.base_url,
            plug.hosted,
            signs,
            frozenset(plug.endpoints),
            wire is not None,
            None if wire is None else wire.price_share,
            getattr(plug, "adapters", None),
            getattr(plug, "address_form", ADDRESS_FORM),
            getattr(plug, "model_form", None),
            getattr(plug, "cloud", None),
        )


class Kinds:
    """The limit plugs."""

    def names(self) -> list[str]:
        return plugs.names("limits")

    def get(self, name: str) -> LimitKind:
        """PlugError when it does not load."""
        plug: LimitKind = plugs.load("limits", name)
        return plug


class Ways:
    """The plugs that tell people."""

    def names(self) -> list[str]:
        return plugs.names("actuators")

    def get(self, name: str) -> Way:
        """PlugError when it does not load."""
        plug: Way = plugs.load("actuators", name)
        return plug


class Engines:
    """The engine readers."""

    def names(self) -> list[str]:
        return plugs.names("engines")


class GuardrailKinds:
    """The guardrail plugs."""

    def names(self) -> list[str]:
        return plugs.names("guardrails")

    def get(self, name: str) -> Kind:
        """PlugError when it does not load."""
        plug: Kind = plugs.load("guardrails", name)
        return plug


class Checks:
    """What answers are held to, as far as a plan can get it wrong. Each says what is wrong."""

    def wrong_schema(self, text: str) -> str | None:
        wrong: str | None = plugs.load("text", "json_schema").wrong_schema(text)
        return wrong

    def wrong_regex(self, pattern: str) -> str | None:
        wrong: str | None = plugs.load("text", "json_schema").wrong_regex(pattern)
        return wrong


class Facts(Struct, frozen=True):
    """The answers that one compilation goes by. `keys_limited`: whether a key brings limits;
    `prompts` reads them, or says by ValueError why it cannot; None where nobody reads any.
    `encodes` says why there is no encoder of that name here, None where there is one or nobody has
    looked."""

    price_of: PriceOf
    dialects: Dialects = Dialects()
    kinds: Kinds = Kinds()
    engines: Engines = Engines()
    checks: Checks = Checks()
    ways: Ways = Ways()
    guardrails: GuardrailKinds = GuardrailKinds()
    graders: Graders = Graders()
    added: Added = Added()
    prompts: Callable[[DeclaredPrompts], PromptSource] | None = None
    keys_limited: Callable[[], bool] = lambda: False
    encodes: Callable[[str], str | None] = lambda _: None
    model_of: ModelOf = unknown
