"""Declared plans and stand-ins for the outside world, for tests of compiling."""

from typing import Any

from tidegate.core.assemble import Dialect
from tidegate.core.compile import Quote, compile_plan
from tidegate.core.declared import Declared
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.plan import Plan, SecretRef
from tidegate.core.plugs import PlugError

NOW_S = 1_795_000_000.0
URL = "http://127.0.0.1:8000/v1"


class FixedDialects:
    """Two dialects: `hosted`, at an address of its own, and `engine`, at none. `broken` fails."""

    def names(self) -> list[str]:
        return ["broken", "engine", "hosted"]

    def get(self, name: str) -> Dialect:
        if name == "broken":
            raise PlugError("providers: broken does not load: no such module")
        hosted = name == "hosted"
        return Dialect("https://api.example.com/v1" if hosted else None, hosted)


def no_price(dialect: str, base_url: str, model: str) -> Quote:
    return Quote()


def declared(**changes: Any) -> Declared:
    """One engine, one target `llama`, one route `chat`; `changes` replace whole sections."""
    sections: dict[str, Any] = {
        "providers": {"engine": DeclaredProvider(base_url=URL)},
        "targets": {"llama": DeclaredTarget("engine", "llama-3", price="free")},
        "routes": {"chat": DeclaredRoute("llama")},
    }
    return Declared(**(sections | changes))


def hosted(**changes: Any) -> DeclaredProvider:
    return DeclaredProvider(**({"kind": "hosted", "api_key": SecretRef(env="KEY")} | changes))


def compiled(plan: Declared, **changes: Any) -> Plan:
    facts: dict[str, Any] = {
        "version": 1,
        "now_s": NOW_S,
        "price_of": no_price,
        "dialects": FixedDialects(),
    }
    return compile_plan(plan, **(facts | changes))
