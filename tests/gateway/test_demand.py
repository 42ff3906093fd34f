"""The most that a request can come to."""

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.gateway.rig import target

from tidegate.core.ask import Ask
from tidegate.core.price import Price, Rate
from tidegate.core.pricing import Ceiling
from tidegate.core.receipt import Receipt
from tidegate.gateway import demand as demands
from tidegate.gateway.prepared_route import Dearest

PRICE = Price("x", "plan", input=Rate(1_000_000), output=Rate(2_000_000), request_nanousd=7)


def prepared(price: Price | None = PRICE, tokenizer: str | None = None) -> Dearest:
    plain = target(1, price=price, tokenizer=tokenizer)
    ceiling = None if price is None else Ceiling(price)
    return Dearest(plain, ceiling, (price,))


def ask(endpoint: str = "chat", **members: object) -> Ask:
    body = msgspec.json.encode({"model": "m", **members})
    raw = msgspec.json.decode(body, type=dict[str, Raw])
    return Ask(endpoint, body, raw, "m")  # type: ignore[arg-type]


def demand(it: Ask, to: Dearest | None = None) -> demands.Demand:
    return demands.demand_of(it, Receipt("id", 1.0, "g", it.endpoint), to or prepared(), 4096)


def test_bytes_bound_the_input_and_the_ceiling_the_output() -> None:
    it = ask(messages=[{"role": "user", "content": "hello"}])
    it.output_ceiling_tokens, it.choices = 20, 3
    found = demand(it)
    assert (found.input_tokens, found.total_output_tokens) == (len(it.body), 60)
    assert found.cost_nanousd == 7 + len(it.body) + 120


def test_who_sets_no_ceiling_is_assumed_to_want_the_plan_s() -> None:
    assert demand(ask(messages=[])).output_tokens == 4096
    assert demand(ask("embeddings", input="x")).total_output_tokens == 0


def test_what_a_change_caps_is_held_for_no_more() -> None:
    it = ask(messages=[])
    it.output_cap_tokens = 50
    assert demand(it).output_tokens == 50, "of the plan's assumption"
    it.output_ceiling_tokens = 400
    assert demand(it).output_tokens == 50
    it.output_ceiling_tokens = 20
    assert demand(it).output_tokens == 20


@pytest.mark.parametrize(
    ("prompt", "choices"),
    [("one", 1), (["one", "two"], 2), ([1, 2, 3], 1), ([[1], [2], [3]], 3), ([], 1)],
)
def test_a_completion_answers_each_prompt(prompt: object, choices: int) -> None:
    assert demand(ask("completions", prompt=prompt)).choices == choices


@pytest.mark.parametrize(("best_of", "choices"), [(20, 20), (2, 3), (None, 3)])
def test_drafts_that_are_not_shown_are_produced_too(best_of: object, choices: int) -> None:
    it = ask("completions", prompt="one", best_of=best_of)
    it.choices = 3
    assert demand(it).choices == choices
    it = ask("chat", messages=[], best_of=best_of)
    assert demand(it).choices == 1


def test_an_exact_count_brings_the_bound_down_once() -> None:
    to = prepared(tokenizer="o200k")
    found = demand(ask(messages=[{"role": "user", "content": "hello there " * 50}]), to)
    before = found.cost_nanousd
    assert demands.count(found, to)
    assert found.input_tokens < 120
    assert before is not None
    assert found.cost_nanousd is not None
    assert found.cost_nanousd < before
    assert not demands.count(found, to)
    unknown = prepared()
    assert not demands.count(demand(ask(messages=[]), unknown), unknown)


def test_an_answer_is_as_long_as_can_be_paid() -> None:
    it = ask(messages=[])
    found = demand(it)
    assert demands.afford(found, prepared(), 7 + len(it.body) + 2 * 100)
    assert found.output_tokens == 100
    assert not demands.afford(found, prepared(), 7 + len(it.body) + 2 * 15)
    assert found.output_tokens == 100
    assert not demands.afford(found, prepared(None), 10**9)


HEARD = [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]
DEAR = Price("", "plan", input=Rate(5_000_000), output=Rate(5_000_000))
MANY = replace(
    PRICE,
    audio_input=Rate(30_000_000),
    audio_output=Rate(60_000_000),
    service_tiers=(("priority", DEAR),),
)


@pytest.mark.parametrize(
    ("members", "input_rate", "output_rate"),
    [
        ({}, 5, 5),  # any class may serve it
        ({"service_tier": "auto"}, 5, 5),
        ({"service_tier": "default"}, 1, 2),
        ({"service_tier": "priority"}, 5, 5),
        ({"service_tier": "default", "modalities": ["text", "audio"]}, 1, 60),
        ({"service_tier": "default", "modalities": ["text"]}, 1, 2),
        ({"service_tier": "default", "audio": {"voice": "alloy"}}, 1, 60),
        ({"service_tier": "default", "messages": [{"content": "an audio file"}]}, 1, 2),
        ({"service_tier": "default", "messages": [{"content": HEARD}]}, 30, 2),
    ],
)
def test_what_is_held_is_at_the_dearest_rate_that_may_be_charged(
    members: dict[str, object], input_rate: int, output_rate: int
) -> None:
    it = ask(**members)
    it.output_ceiling_tokens = 10
    found = demand(it, prepared(MANY))
    assert found.cost_nanousd == 7 + len(it.body) * input_rate + 10 * output_rate


def test_which_member_the_price_has_no_rates_for() -> None:
    wants: list[tuple[dict[str, object], str | None, str | None]] = [
        ({"service_tier": "priority"}, "service_tier", None),
        ({"service_tier": "scale"}, "service_tier", "service_tier"),
        ({"service_tier": "flex"}, None, None),
        ({"modalities": ["text", "audio"]}, "modalities", None),
        ({"web_search_options": {}}, "web_search_options", "web_search_options"),
        ({"speed": "fast"}, "speed", "speed"),
        ({"speed": "standard"}, None, None),
        ({"inference_geo": "us"}, "inference_geo", "inference_geo"),
        ({"inference_geo": None}, None, None),
        ({"service_tier": "standard_only"}, None, None),
    ]
    for members, of_plain, of_many in wants:
        assert demands.uncovered_member(ask(**members), PRICE) == of_plain
        assert demands.uncovered_member(ask(**members), MANY) == of_many
        for free in (None, Price("free", "free"), replace(PRICE, source="gpu_hour")):
            assert demands.uncovered_member(ask(**members), free) is None


def test_what_makes_each_token_dearer_leaves_the_cost_unknown() -> None:
    receipt = Receipt("id", 1.0, "g", "chat")
    assert demands.is_told(ask(speed="standard", inference_geo="global"), receipt, PRICE)
    assert not demands.is_told(ask(speed="fast"), receipt, PRICE)
    assert not demands.is_told(ask(inference_geo="us"), receipt, PRICE)
    assert demands.is_told(ask(speed="fast"), receipt, Price("free", "free"))


def test_where_nobody_knows_a_price_none_is_left_of_another_s() -> None:
    found = demand(ask(messages=[]))
    assert found.cost_nanousd is not None
    demands.price(found, prepared(None))
    assert found.cost_nanousd is None


def test_what_its_route_has_kept_for_an_hour_is_held_as_such() -> None:
    to = prepared(replace(PRICE, cache_write_1h=Rate(3_000_000)))
    plain, kept = ask(messages=[]), ask(messages=[])
    kept.prefix_ttl = "1h"
    found, more = demand(plain, to).cost_nanousd, demand(kept, to).cost_nanousd
    assert found is not None and more is not None
    assert more - found == 2 * len(plain.body)
