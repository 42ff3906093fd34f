"""Targets from what is declared: where they are looked for, and what they cost."""

import pytest
from tests.core.plans import URL, compiled, complaints, declared, hosted

from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredFacts, DeclaredTarget
from tidegate.core.facts import Quote
from tidegate.core.model_facts import ModelFacts
from tidegate.core.price import Price, Rate
from tidegate.core.secret import SecretRef

PRICE = Price("table 1", "genai-prices", input=Rate(5))


def test_provider_and_model_split_at_the_first_slash():
    routes = {"chat": DeclaredRoute("engine/meta-llama/Llama-3")}
    target = compiled(declared(routes=routes)).routes["chat"].release.target
    assert (target.provider, target.model) == ("engine", "meta-llama/Llama-3")
    assert target.name == "engine/meta-llama/Llama-3"


def test_a_target_written_on_its_route_takes_the_routes_name():
    routes = {"chat": DeclaredRoute(DeclaredTarget("engine", "m"))}
    assert compiled(declared(routes=routes)).routes["chat"].release.target.name == "chat"


def test_a_target_written_on_a_route_may_not_take_anothers_name():
    routes = {"llama": DeclaredRoute(DeclaredTarget("engine", "other"))}
    assert "another target" in complaints(declared(routes=routes))["routes.llama.target"]


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("lama", 'did you mean "llama"?'),
        ("engine", 'write "engine/MODEL"'),
        ("engin/m", 'did you mean "engine"?'),
        ("hosted/m", "write `hosted:` below `providers:`"),
        ("engine/", "write provider/model"),
    ],
)
def test_a_dangling_target_says_what_was_meant(wanted, hint):
    found = complaints(declared(routes={"chat": DeclaredRoute(wanted)}))
    assert hint in found["routes.chat.target"]


def test_a_plug_that_does_not_load_is_a_complaint():
    providers = {"engine": DeclaredProvider(base_url=URL), "broken": DeclaredProvider()}
    assert "does not load" in complaints(declared(providers=providers))["providers.broken"]


def test_a_published_price_is_taken_where_the_plan_has_none():
    asked = []

    def price_of(dialect, base_url, model):
        asked.append((dialect, base_url, model))
        return Quote(PRICE, sold=True)

    plan = declared(providers={"p": hosted()}, targets={}, routes={"chat": DeclaredRoute("p/m")})
    assert compiled(plan, price_of=price_of).routes["chat"].release.target.price == PRICE
    assert asked == [("hosted", "https://api.example.com:443/v1", "m")]


def test_a_price_in_the_plan_goes_before_the_published_one():
    target = compiled(declared(), price_of=lambda *_: Quote(PRICE)).routes["chat"].release.target
    assert target.price is not None and target.price.source == "free"


def test_a_hosted_model_without_a_price_is_refused():
    plan = declared(providers={"p": hosted()}, targets={}, routes={"chat": DeclaredRoute("p/m")})
    assert "nobody knows the price" in complaints(plan)["routes.chat.target.model"]


def test_an_engine_at_the_address_of_a_seller_counts_as_hosted():
    plan = declared(targets={}, routes={"chat": DeclaredRoute("engine/m")})
    found = complaints(plan, price_of=lambda *_: Quote(None, sold=True))
    assert "nobody knows the price" in found["routes.chat.target.model"]


@pytest.mark.parametrize("where", ["plan", "target"])
def test_unpriced_allow_stores_the_price_as_unknown(where):
    unpriced = "allow" if where == "target" else None
    plan = declared(
        providers={"p": hosted()},
        targets={"m": DeclaredTarget("p", "m", unpriced=unpriced)},
        routes={"chat": DeclaredRoute("m")},
        unpriced="allow" if where == "plan" else "refuse",
    )
    target = compiled(plan).routes["chat"].release.target
    assert target.price is None and target.unpriced_allowed


def test_a_target_may_refuse_what_the_plan_allows():
    plan = declared(
        providers={"p": hosted()},
        targets={"m": DeclaredTarget("p", "m", unpriced="refuse")},
        routes={"chat": DeclaredRoute("m")},
        unpriced="allow",
    )
    assert "targets.m.model" in complaints(plan)


def test_an_engine_of_your_own_needs_no_price():
    plan = declared(targets={}, routes={"chat": DeclaredRoute("engine/m")})
    target = compiled(plan).routes["chat"].release.target
    assert target.price is None and target.unpriced_allowed


def test_a_targets_credential_goes_before_its_providers():
    plan = declared(
        providers={"p": hosted()},
        targets={"m": DeclaredTarget("p", "m", price="free", api_key=SecretRef(env="OWN"))},
        routes={"chat": DeclaredRoute("m")},
    )
    assert compiled(plan).routes["chat"].release.target.credential == SecretRef(env="OWN")


def test_a_thousand_routes_build_their_shared_target_once():
    routes = {f"r{i}": DeclaredRoute("llama") for i in range(1000)}
    plan = compiled(declared(routes=routes))
    assert len({id(r.release.target) for r in plan.routes.values()}) == 1


PUBLISHED = ModelFacts(context_tokens=1000, inputs=("text",), more_inputs=True, tools=True)


def published(dialect, base_url, model):
    assert (dialect, base_url) == ("hosted", "https://api.example.com:443/v1")
    return PUBLISHED


def target_with(facts=None, **fields):
    facts = facts or DeclaredFacts()
    targets = {"t": DeclaredTarget("p", "m", price="free", facts=facts, **fields)}
    plan = declared(providers={"p": hosted()}, targets=targets, routes={"chat": DeclaredRoute("t")})
    return compiled(plan, model_of=published).targets["t"]


def test_published_facts_are_taken_and_the_plan_s_own_go_before_them():
    assert target_with().facts == PUBLISHED and target_with().context_tokens == 1000
    told = target_with(DeclaredFacts(tools=False, inputs=("text", "image")), context_tokens=10)
    assert (told.context_tokens, told.file_tokens) == (10, 10)
    assert told.facts == ModelFacts(context_tokens=1000, inputs=("text", "image"), tools=False)


def test_nothing_is_published_of_an_engine_of_one_s_own():
    plan = declared()
    assert compiled(plan, model_of=published).targets["llama"].facts is None


def test_a_day_that_there_is_not_is_a_complaint():
    targets = {"t": DeclaredTarget("engine", "m", facts=DeclaredFacts(retires_on="2027-02-30"))}
    found = complaints(declared(targets=targets))
    assert "no day" in found["targets.t.facts.retires_on"]
