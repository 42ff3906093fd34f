"""Declared plans and stand-ins for the outside world, for tests of compiling."""

from typing import Any

import pytest

from tidegate.core.assemble import Dialect
from tidegate.core.compile import PlanRefused, compile_plan
from tidegate.core.declared import Declared
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.facts import Facts, Quote
from tidegate.core.limit import Rolling, Shape
from tidegate.core.plan import Limit, Plan
from tidegate.core.plugs import PlugError
from tidegate.core.secret import SecretRef

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


class FixedKind:
    """A kind of limit that is only compiled: it reads `fields`, and dislikes an amount of 13."""

    noun = "requests"

    def __init__(self, *fields: str, rolls: bool = False) -> None:
        self.fields = frozenset(fields)
        self.rolls = rolls

    def complaint(self, limit: Limit) -> str | None:
        return "thirteen cannot be enforced" if limit.amount == 13 else None

    def shape(self, limit: Limit) -> Shape | None:
        return Rolling(limit.amount, limit.per_s or 3600.0) if self.rolls else None


class FixedKinds:
    """`calls` in a time, `share` at once, `turns` in an hour, and `spend`. `broken` fails."""

    def names(self) -> list[str]:
        return ["broken", "calls", "share", "spend", "turns"]

    def get(self, name: str) -> FixedKind:
        if name == "broken":
            raise PlugError("limits: broken does not load: no such module")
        if name == "turns":
            return FixedKind("per_s", rolls=True)
        calls = ("per_s", "burst", "on_excess")
        return FixedKind(*(calls if name == "calls" else ()))


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
    """The plan at these facts; `changes` are of the facts, the version and the time."""
    said: dict[str, Any] = {"version": 1, "now_s": NOW_S}
    facts: dict[str, Any] = {
        "price_of": no_price,
        "dialects": FixedDialects(),
        "kinds": FixedKinds(),
    }
    said |= {name: value for name, value in changes.items() if name in said}
    facts |= {name: value for name, value in changes.items() if name not in said}
    return compile_plan(plan, **said, facts=Facts(**facts))


def complaints(plan: Declared, **changes: Any) -> dict[str, str]:
    """What `compiled` has against the plan, by where it stands."""
    with pytest.raises(PlanRefused) as refused:
        compiled(plan, **changes)
    return {".".join(c.path): c.message for c in refused.value.complaints}
