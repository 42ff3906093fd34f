"""`tidegate route explain`: where a request would go. Nothing is sent."""

import msgspec
import pytest
from click.testing import CliRunner

from tidegate.cli.route import plug

PLAN = """\
providers:
  engine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1"}
  openai: {api_key: "${OPENAI_API_KEY}"}
targets:
  small: {provider: engine, model: s, price: free, context_tokens: 64, tokenizer: o200k}
  large:
    provider: engine
    model: l
    context_tokens: 100000
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 10}
  spare: {provider: engine, model: p, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}
  paid: {provider: engine, model: q, price: free, provisioned: true}
routes:
  chat:
    targets: {small: 3, spare: 1}
    fallbacks: {unavailable: [openai/gpt-4o-mini], overflow: [large]}
  cheap: {targets: {large: 1, spare: 1}, balance: cheapest}
  full: {targets: {paid: 1, spare: 1}, balance: least_in_flight}
  alone: {target: small}
limits:
  each: {kind: concurrency, scope: key, amount: 5}
  other: {kind: concurrency, amount: 5, only: {route: cheap}}
"""
SHORT = [{"role": "user", "content": "hi"}]
LONG = [{"role": "user", "content": "many words " * 100}]


@pytest.fixture
def ask(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hush")
    (tmp_path / "tidegate.yaml").write_text(PLAN)

    def ask(body, *options):
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        (tmp_path / "request.json").write_bytes(data)
        return CliRunner().invoke(plug, ["explain", "request.json", *options])

    return ask


def rows(result):
    """The lines of the table by their targets, one space between columns."""
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()[2:]]
    return {line.partition(" ")[0]: line for line in lines}


def test_shares_fallbacks_limits_and_deadlines_are_told(ask):
    result = ask({"model": "chat", "messages": SHORT, "max_tokens": 10, "stream": True})
    assert result.exit_code == 0, result.output
    first = result.stdout.splitlines()[0]
    assert first.startswith("route chat, release chat@") and "chat, streamed" in first
    found = rows(result)
    assert "engine/s first, 75 % of requests" in found["small"]
    assert "first, 25 % of requests" in found["spare"]
    assert "fallback 1 for overflow" in found["large"]
    assert " 0.000" in found["large"] and "2 / 60 / 30 / 600" in found["large"]
    assert "fallback 1 for unavailable" in found["openai/gpt-4o-mini"]
    assert "limit each: concurrency 5" in result.stdout and "limit other" not in result.stdout
    assert "10 %, at least 20, and $10.00 an hour" in result.stdout
    assert "sk-hush" not in result.output


def test_what_cannot_serve_it_says_why(ask):
    found = rows(ask({"model": "chat", "messages": LONG}))
    assert "longer than the context of 64 tokens" in found["small"]
    assert "engine/p first 0" in found["spare"], "it is the only one left"


def test_nothing_that_could_serve_it_is_exit_1(ask):
    assert ask({"model": "alone", "messages": LONG}).exit_code == 1
    assert ask({"model": "alone", "messages": SHORT}).exit_code == 0


def test_a_credential_that_is_not_set_is_named(ask, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    found = rows(ask({"model": "chat", "messages": SHORT}))
    assert "the credential ${OPENAI_API_KEY} is not set here" in found["openai/gpt-4o-mini"]


def test_the_cheapest_and_what_is_provisioned_come_first(ask):
    found = rows(ask({"model": "cheap", "messages": SHORT}))
    assert "first, the cheapest" in found["spare"]
    assert "when the first has failed" in found["large"]
    found = rows(ask({"model": "full", "messages": SHORT}))
    assert "engine/q first 0" in found["paid"]
    assert "when what is provisioned is full" in found["spare"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "no JSON object"),
        ({"model": "chta", "messages": SHORT}, 'there is no route "chta"; did you mean "chat"?'),
        ({"messages": SHORT}, "`model` is missing"),
        ({"model": "chat"}, "`messages` is missing"),
    ],
)
def test_what_is_no_request_is_told(ask, body, said):
    result = ask(body)
    assert result.exit_code == 1
    assert said in result.output


def test_a_plan_that_does_not_compile_is_exit_2(ask, tmp_path):
    (tmp_path / "other.yaml").write_text("routes: {}\n")
    result = ask({"model": "chat", "messages": SHORT}, "other.yaml")
    assert result.exit_code == 2
    assert "a plan needs a route" in result.output
