"""LoRA adapters as targets of their own, on the places of their model's."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.plans import URL, compiled, complaints, declared

from tidegate.core.assemble import Dialect
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.declared_prices import TokenPrice
from tidegate.core.declared_probes import DeclaredProbe
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredAdapter, DeclaredQueueing, DeclaredTarget
from tidegate.core.plan import Adapter, AdapterForm, Plan
from tidegate.core.price import Rate


class Dialects:
    def __init__(self, form: AdapterForm | None) -> None:
        self.form = form

    def names(self) -> list[str]:
        return ["engine"]

    def get(self, name: str) -> Dialect:
        return Dialect(None, False, adapters=self.form)


def plan_with(
    form: AdapterForm | None, routes: tuple[str, ...] = ("llama", "law"), **more: Any
) -> Any:
    adapters = {"law": DeclaredAdapter("law-v3"), "sql": DeclaredAdapter("2")}
    fields: dict[str, Any] = {"price": "free", "adapters": adapters, **more}
    target = DeclaredTarget("engine", "meta/llama", **fields)
    return declared(
        providers={"engine": DeclaredProvider(base_url=URL)},
        targets={"llama": target},
        routes={name: DeclaredRoute(name) for name in routes},
    )


def made(form: AdapterForm, **more: Any) -> Plan:
    return compiled(plan_with(form, **more), dialects=Dialects(form))


@pytest.mark.parametrize(("form", "model"), [("model", "law-v3"), ("suffix", "meta/llama:law-v3")])
def test_an_adapter_is_its_model_s_target_under_another_name(form: AdapterForm, model: str) -> None:
    queueing = DeclaredQueueing(max_in_flight=4)
    plan = made(form, context_tokens=4096, tokenizer="llama3", queueing=queueing)
    base, law = plan.targets["llama"], plan.targets["law"]
    assert (law.model, law.pool, base.pool) == (model, "llama", "llama")
    assert law.adapter == Adapter("law-v3", "llama") and base.adapter is None
    for name in ("replicas", "context_tokens", "tokenizer", "price", "queueing", "provider"):
        assert getattr(law, name) == getattr(base, name)


def test_files_of_requests_are_its_model_s() -> None:
    class Batching(Dialects):
        def get(self, name: str) -> Dialect:
            return replace(super().get(name), takes_batches=True, batch_share=0.5)

    plan = compiled(plan_with("model"), dialects=Batching("model"))
    assert plan.targets["llama"].batches is not None
    assert plan.targets["law"].batches is None


def test_an_adapter_by_its_number() -> None:
    sql = DeclaredAdapter("2", scale=0.5)
    plan = made("number", routes=("sql",), adapters={"sql": sql})
    target = plan.targets["sql"]
    assert (target.model, target.adapter) == ("meta/llama", Adapter("2", "llama", 0.5))


def test_a_model_of_numbered_adapters_is_asked_for_without_them() -> None:
    plan = made("number", routes=("llama", "sql"), adapters={"sql": DeclaredAdapter("2")})
    base = plan.targets["llama"]
    assert (base.adapter, base.pool) == (Adapter("2", "llama", 0.0), "llama")
    assert plan.targets["sql"].adapter == Adapter("2", "llama", 1.0)
    alone = made("number", routes=("llama",), adapters={})
    assert alone.targets["llama"].adapter is None


def test_an_adapter_may_have_a_price_of_its_own() -> None:
    dear = DeclaredAdapter("law-v3", price=TokenPrice(Decimal(3), Decimal(5)))
    plan = made("model", adapters={"law": dear})
    price = plan.targets["law"].price
    assert price is not None and price.input == Rate(3_000_000_000)
    assert plan.targets["llama"].price != price


@pytest.mark.parametrize(
    ("form", "adapter", "path", "message"),
    [
        (None, DeclaredAdapter("a"), "", "serves no adapters"),
        ("number", DeclaredAdapter("a"), "", "by numbers"),
        ("number", DeclaredAdapter("99999"), "", "by numbers"),
        ("model", DeclaredAdapter("a", scale=2.0), ".scale", "is not told how much"),
        ("model", DeclaredAdapter("a", price=TokenPrice()), ".price", "price"),
    ],
)
def test_what_an_engine_cannot_do_is_said(
    form: AdapterForm | None, adapter: DeclaredAdapter, path: str, message: str
) -> None:
    plan = plan_with(form, adapters={"law": adapter})
    found = complaints(plan, dialects=Dialects(form))
    assert message in found[f"targets.llama.adapters.law{path}"]


def test_names_are_one_target_s_each() -> None:
    twice = {"law": DeclaredAdapter("a"), "other": DeclaredAdapter("b")}
    plan = declared(
        providers={"engine": DeclaredProvider(base_url=URL)},
        targets={
            "llama": DeclaredTarget("engine", "m", adapters=twice),
            "other": DeclaredTarget("engine", "n", adapters={"law": DeclaredAdapter("c")}),
        },
        routes={"llama": DeclaredRoute("llama")},
    )
    found = complaints(plan, dialects=Dialects("model"))
    assert set(found) == {"targets.llama.adapters.law", "targets.llama.adapters.other"}


def test_a_route_s_own_target_has_none() -> None:
    own = DeclaredTarget("engine", "m", adapters={"law": DeclaredAdapter("a")})
    plan = declared(routes={"chat": DeclaredRoute(own)})
    assert (
        "write it there"
        in complaints(plan, dialects=Dialects("model"))["routes.chat.target.adapters"]
    )


def test_a_near_name_is_found_among_adapters() -> None:
    plan = plan_with("model", routes=("lawn",))
    assert (
        'did you mean "law"?' in complaints(plan, dialects=Dialects("model"))["routes.lawn.target"]
    )


def test_an_engine_has_one_page_and_each_adapter_its_probe() -> None:
    plan = compiled(
        plan_with("model", routes=("law", "sql"), probe=DeclaredProbe(), metrics=None),
        dialects=Dialects("model"),
        engines=OneEngine(),
    )
    assert set(plan.probes) == {"law", "sql"} and set(plan.engines) == {"law"}
    both = compiled(plan_with("model"), dialects=Dialects("model"), engines=OneEngine())
    assert set(both.engines) == {"llama"}


class OneEngine:
    def names(self) -> list[str]:
        return ["engine"]


def test_limits_know_adapters() -> None:
    plan = plan_with("model")
    limit = DeclaredLimit(kind="calls", amount=5, only={"target": "law", "model": "law-v3"})
    assert compiled(replace(plan, limits={"one": limit}), dialects=Dialects("model")).limits
