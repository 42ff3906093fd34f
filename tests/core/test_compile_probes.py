from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.core.plans import URL, FixedDialects, compiled, declared, hosted

from tidegate.core.compile import PlanRefused
from tidegate.core.declared_prices import TokenPrice
from tidegate.core.declared_probes import DeclaredExpect, DeclaredProbe
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.probe import THINKING_OUTPUT_TOKENS, Expect, Probe


def target(probe=None, **fields):
    values = {"price": "free", **fields}
    return DeclaredTarget("engine", values.pop("model", "llama-3"), probe=probe, **values)


def probes(**sections):
    return compiled(declared(**sections)).probes


def complaints(probe, **fields):
    with pytest.raises(PlanRefused) as refused:
        probes(targets={"llama": target(probe, **fields)})
    return [(".".join(it.path), it.message) for it in refused.value.complaints]


def test_nothing_is_probed_that_nobody_asked_to():
    assert compiled(declared()).probes == {}


def test_a_target_s_own_goes_before_its_provider_s_and_none_is_none():
    engine = DeclaredProvider(base_url=URL, probe=DeclaredProbe(every_s=20.0))
    found = probes(
        providers={"engine": engine},
        targets={"own": target(DeclaredProbe(every_s=5.0)), "off": target("none")},
        routes={
            "a": DeclaredRoute("own"),
            "b": DeclaredRoute("off"),
            "c": DeclaredRoute("engine/other"),
            "d": DeclaredRoute(target(DeclaredProbe(every_s=7.0), model="m")),
        },
    )
    assert {name: probe.every_s for name, probe in found.items()} == {
        "own": 5.0,
        "engine/other": 20.0,
        "d": 7.0,
    }


def test_a_target_that_no_route_reaches_is_checked_and_not_probed():
    assert probes(targets={"llama": target(), "idle": target(DeclaredProbe())}) == {}
    wrong = DeclaredProbe(expect=DeclaredExpect())
    with pytest.raises(PlanRefused, match=r"targets\.idle\.probe\.expect"):
        probes(targets={"llama": target(), "idle": target(wrong)})


def test_what_is_declared_is_what_is_asked():
    asked = DeclaredProbe(
        every_s=30.0,
        timeout_s=3.0,
        prompt="so?",
        max_tokens=5,
        usd_per_hour=Decimal("0.5"),
        expect=DeclaredExpect(contains="x", max_length=9),
    )
    assert probes(targets={"llama": target(asked)})["llama"] == Probe(
        every_s=30.0,
        timeout_s=3.0,
        prompt="so?",
        max_tokens=5,
        nanousd_per_hour=500_000_000,
        expect=Expect(contains="x", max_length=9),
    )


def test_defaults_go_by_the_schedule_and_the_model():
    found = probes(targets={"llama": target(DeclaredProbe(every_s=4.0))})["llama"]
    assert (found.timeout_s, found.max_tokens) == (4.0, 16)
    thinks = target(DeclaredProbe(), hidden_reasoning=True)
    assert probes(targets={"llama": thinks})["llama"].max_tokens == THINKING_OUTPUT_TOKENS


@pytest.mark.parametrize(
    ("probe", "path", "said"),
    [
        (DeclaredProbe(every_s=0.5), "every_s", "more often than every 1 s"),
        (DeclaredProbe(every_s=5.0, timeout_s=6.0), "timeout_s", "may last longer (6 s)"),
        (DeclaredProbe(usd_per_hour=Decimal(0)), "usd_per_hour", "nothing may be spent"),
        (DeclaredProbe(endpoint="embeddings", max_tokens=5), "max_tokens", "embeddings have none"),
        (DeclaredProbe(endpoint="embeddings", system="x"), "system", "embeddings have none"),
        (DeclaredProbe(expect=DeclaredExpect()), "expect", "this asks nothing"),
        (
            DeclaredProbe(expect=DeclaredExpect(contains="a", regex="b")),
            "expect.contains",
            "`regex` is written too",
        ),
        (DeclaredProbe(expect=DeclaredExpect(regex="(")), "expect.regex", ""),
        (DeclaredProbe(expect=DeclaredExpect(json_schema='{"type":1}')), "expect.json_schema", ""),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(probe, path, said):
    [(where, message)] = complaints(probe)
    assert where == f"targets.llama.probe.{path}"
    assert said in message


def test_one_connection_leaves_none_for_a_probe():
    [(where, message)] = complaints(DeclaredProbe(), max_connections=1)
    assert where == "targets.llama.probe" and "none left for a probe" in message


def test_where_nobody_knows_what_it_costs_nothing_bounds_it():
    provider = hosted(probe=DeclaredProbe())
    with pytest.raises(PlanRefused, match="nobody knows what a probe costs here"):
        compiled(
            declared(
                providers={"engine": provider},
                targets={"llama": target(price=None, unpriced="allow")},
            )
        )


def test_an_endpoint_that_the_provider_does_not_serve_is_told():
    class Chats(FixedDialects):
        def get(self, name):
            return replace(super().get(name), endpoints=frozenset({"chat"}))

    embeds = target(DeclaredProbe(endpoint="embeddings"))
    with pytest.raises(PlanRefused, match='"engine" does not serve embeddings'):
        compiled(declared(targets={"llama": embeds}), dialects=Chats())
    compiled(declared(targets={"llama": embeds}))


def test_money_that_pays_for_no_single_probe_is_told():
    price = TokenPrice(input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(100))
    dear = DeclaredProbe(max_tokens=1000, usd_per_hour=Decimal("0.09"))
    [(where, message)] = complaints(dear, price=price)
    assert where == "targets.llama.probe.usd_per_hour"
    assert "a single probe may cost $0.1" in message
    enough = DeclaredProbe(max_tokens=1000, usd_per_hour=Decimal("0.11"))
    assert probes(targets={"llama": target(enough, price=price)})
    embeds = DeclaredProbe(endpoint="embeddings", usd_per_hour=Decimal("0.001"))
    assert probes(targets={"llama": target(embeds, price=price)})
