import pytest

from tidegate.config.explain import explain
from tidegate.config.load import compile_file, load

PLAN = b"""\
providers:
  openai: {api_key: "${OPENAI_API_KEY}"}
  engine:
    kind: openai_compatible
    base_url: http://${HOST:-localhost}:8000/v1
    headers: {x-team: blue}
    deadlines: {gap_s: 7}
targets:
  llama:
    provider: engine
    model: llama-3
    price: {input_usd_per_mtok: 1}
    deadlines: {total_s: 90}
routes:
  chat: {target: llama}
  mini: {target: openai/gpt-4o-mini, contract: {json: true, max_length: 2k}}
  open: engine/other
  own:
    target:
      provider: engine
      model: m
      replicas: {east: "http://a/v1"}
limits:
  chat-only: {kind: concurrency, amount: 3, only: {target: llama}}
  # one for each key
  each: {kind: concurrency, scope: key, amount: 5}
budgets:
  # all together
  month: {amount: $5, per: month, only: {team: growth}}
"""


def rows(route, environ=None):
    environ = {"OPENAI_API_KEY": "sk-x"} | (environ or {})
    found = compile_file(PLAN, environ, 1, 1_795_000_000.0)
    assert found.plan is not None and found.declared is not None
    origins = load(PLAN, environ).origins
    said = explain(route, found.plan, found.declared, origins, "t.yaml")
    return {row.what: (row.value, row.source) for row in said}


def test_values_come_from_their_lines():
    found = rows("chat")
    assert found["route"] == ("chat", "t.yaml:15")
    assert found["provider"] == ("engine", "t.yaml:10")
    assert found["kind"] == ("openai_compatible", "t.yaml:4")
    assert found["gap_s"] == ("7", "t.yaml:7")
    assert found["total_s"] == ("90", "t.yaml:13")
    assert found["connect_s"] == ("2", "default")
    assert found["header x-team"] == ("blue", "t.yaml:6")
    assert found["price"][0] == "in 1.00 USD/Mtok" and found["price"][1].startswith("t.yaml:12 (")


def test_values_come_from_variables_or_their_defaults():
    assert rows("chat")["replica localhost:8000"][1] == "t.yaml:5, default of $HOST"
    assert rows("chat", {"HOST": "gpu"})["replica gpu:8000"][1] == "t.yaml:5, $HOST"


def test_values_come_from_the_dialect_and_the_published_prices():
    found = rows("mini")
    assert found["kind"] == ("openai", "its name")
    assert found["replica api.openai.com:443"][1] == "default of openai"
    assert found["price"][1].startswith("genai-prices ")
    assert found["credential"] == ("${OPENAI_API_KEY}", "t.yaml:2")


def test_an_unknown_price_says_why_it_is_allowed():
    assert rows("open")["price"] == ("unknown", "nobody knows it; allowed: self-hosted")


def test_a_target_written_on_its_route():
    found = rows("own")
    assert found["model"] == ("m", "t.yaml:21")
    assert found["replica east"] == ("http://a/v1", "t.yaml:22")


def test_limits_and_budgets_that_can_hold_the_route_are_told_with_their_lines():
    found = rows("mini")
    assert found["limit each"] == ("concurrency 5, each key; beyond it: refuse", "t.yaml:26")
    assert found["budget month"][1] == "t.yaml:29"
    assert "limit chat-only" not in found and "limit chat-only" in rows("chat")


def test_there_must_be_such_a_route():
    with pytest.raises(KeyError):
        rows("nowhere")


def test_what_else_may_answer_is_told_with_its_lines():
    text = PLAN.replace(
        b"  chat: {target: llama}\n",
        b"""\
  chat:
    targets: {llama: 3, engine/other: 1}
    fallbacks:
      unavailable: [openai/gpt-4o-mini]
    retry:
      wasted_usd_per_hour: 0.5
""",
    )
    compiled = compile_file(text, {"OPENAI_API_KEY": "sk-x"}, 1, 1_795_000_000.0)
    origins = load(text, {"OPENAI_API_KEY": "sk-x"}).origins
    assert compiled.plan is not None and compiled.declared is not None
    said = explain("chat", compiled.plan, compiled.declared, origins, "t.yaml")
    found = {row.what: (row.value, row.source) for row in said}
    assert found["target"] == ("llama", "t.yaml:9")
    assert found["weight engine/other"] == ("1", "t.yaml:16")
    assert found["fallbacks.unavailable"] == ("openai/gpt-4o-mini", "t.yaml:18")
    assert found["retry.wasted_usd_per_hour"] == ("0.50", "t.yaml:20")
    assert found["unsupported"] == ("refuse", "default")
    assert found["breaker.failures"] == ("5", "default")


def test_a_contract_is_told_of_where_there_is_one():
    found = rows("mini")
    assert found["contract.json"] == ("yes", "t.yaml:16")
    assert found["contract.max_length"] == ("2000", "t.yaml:16")
    assert found["contract.on_violation"] == ("mark", "default")
    assert found["contract.regex"] == ("none", "default")
    assert not any(what.startswith("contract") for what in rows("chat"))


def test_what_a_route_adds_is_told_with_its_line():
    text = (
        b"providers: {engine: {kind: openai_compatible, base_url: http://h/v1}}\n"
        b"routes:\n"
        b"  chat:\n"
        b"    target: engine/m\n"
        b"    parameters: {temperature: 0.2}\n"
        b"    system_prompt: Be brief.\n"
    )
    compiled = compile_file(text, {}, 1, 1_795_000_000.0)
    assert compiled.plan is not None and compiled.declared is not None
    origins = load(text, {}).origins
    said = explain("chat", compiled.plan, compiled.declared, origins, "t.yaml")
    found = {row.what: (row.value, row.source) for row in said}
    assert found["parameters.temperature"] == ("0.2", "t.yaml:5")
    assert found["system_prompt"] == ('"Be brief."', "t.yaml:6")
