"""`tidegate route explain`: where a request would go. Nothing is sent."""

import msgspec
import pytest
from click.testing import CliRunner

from tidegate.cli.route import plug

PLAN = """\
providers:
  engine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1"}
  openai: {api_key: "${OPENAI_API_KEY}"}
  anthropic: {api_key: "${OPENAI_API_KEY}"}
  gemini: {api_key: "${OPENAI_API_KEY}"}
targets:
  small: {provider: engine, model: s, price: free, context_tokens: 64, tokenizer: o200k}
  probed:
    provider: engine
    model: r
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}
    replicas: ["http://127.0.0.1:8/v1", "http://127.0.0.1:9/v1"]
    breaker: {failures: 2}
    probe: {every_s: 20s, usd_per_hour: 0.5}
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
  watched: {target: probed, fallbacks: {unavailable: [small]}, contract: {json: true}}
  claude: anthropic/claude-haiku-4-5
  vectors: {target: gemini/gemini-embedding-001}
  dropping: {target: gemini/gemini-embedding-001, unsupported: drop}
  mixed: {targets: {anthropic/claude-haiku-4-5: 1, spare: 1}}
  lenient: {target: anthropic/claude-haiku-4-5, unsupported: drop}
limits:
  each: {kind: concurrency, scope: key, amount: 5}
  other: {kind: concurrency, amount: 5, only: {route: cheap}}
  short: {kind: max_input_tokens, amount: 300}
  rate: {kind: tokens, amount: 5000, per: minute, scope: team}
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


MESSAGES = {"messages": SHORT, "max_tokens": 10}
WEATHER = {"name": "weather", "input_schema": {"type": "object"}}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"messages": SHORT}, "/v1/chat/completions (chat, whole)"),
        ({"prompt": "hi", "stream": True}, "/v1/completions (completions, streamed)"),
        ({"input": ["hi", "ho"], "dimensions": 8}, "/v1/embeddings (embeddings, whole)"),
        ({"input": "hi"}, "/v1/embeddings (embeddings, whole)"),
        ({"input": "hi", "store": False}, "/v1/responses (chat, whole)"),
        ({"input": SHORT}, "/v1/responses (chat, whole)"),
        ({**MESSAGES, "system": "be short"}, "/v1/messages (chat, whole)"),
        ({**MESSAGES, "tools": [WEATHER], "stream": True}, "/v1/messages (chat, streamed)"),
    ],
)
def test_every_api_s_requests_are_explained(ask, body, path):
    result = ask({"model": "alone", **body})
    assert result.exit_code == 0, result.output
    assert f": {path}, at most" in result.stdout.splitlines()[0]
    assert "engine/s first" in rows(result)["small"]


def test_embeddings_in_a_provider_s_own_wire_are_explained_too(ask):
    result = ask({"model": "vectors", "input": "hi", "dimensions": 64})
    assert result.exit_code == 0, result.output
    assert "gemini/gemini-embedding-001 first" in rows(result)["gemini/gemini-embedding-001"]
    result = ask({"model": "dropping", "input": "hi", "user": "u"})
    assert "left out at gemini/gemini-embedding-001: user" in result.stdout
    result = ask({"model": "vectors", "input": [[1, 2]]})
    assert result.exit_code == 1
    assert "refused: " in result.stdout


def test_a_path_says_what_a_body_does_not(ask):
    result = ask({"model": "alone", "input": "hi"}, "--path", "/v1/responses")
    assert ": /v1/responses (chat, whole)" in result.stdout
    result = ask({"model": "claude", **MESSAGES}, "--path", "/v1/messages")
    assert "anthropic/claude-haiku-4-5 first" in rows(result)["anthropic/claude-haiku-4-5"]
    wrong = ask({"model": "alone", "input": "hi"}, "--path", "/v1/mesages")
    assert wrong.exit_code == 2
    assert "takes no requests; one of: /v1/chat/completions" in wrong.output


def test_what_a_target_cannot_do_is_told_as_the_route_s_rule_has_it(ask):
    body = {"messages": SHORT, "logprobs": True}
    result = ask({"model": "claude", **body})
    assert result.exit_code == 1
    assert "refused: " in result.stdout and "`logprobs`" in result.stdout
    result = ask({"model": "lenient", **body})
    assert result.exit_code == 0
    assert "left out at anthropic/claude-haiku-4-5: logprobs" in result.stdout
    result = ask({"model": "mixed", **body})
    assert result.exit_code == 0, "the other may serve it"
    found = rows(result)
    assert "first passed over: " in found["anthropic/claude-haiku-4-5"]
    assert "first 0" in found["spare"]


def test_tokens_are_told_by_a_target_or_counted_here(ask):
    path = ("--path", "/v1/messages/count_tokens")
    result = ask({"model": "claude", **MESSAGES}, *path)
    assert result.exit_code == 0, result.output
    assert "(tokens counted, whole)" in result.stdout
    assert " first 0.00 " in rows(result)["anthropic/claude-haiku-4-5"]
    result = ask({"model": "alone", **MESSAGES}, *path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].startswith("counted here: ")


def test_a_limit_that_refuses_it_by_itself_says_why(ask):
    result = ask({"model": "alone", "messages": SHORT, "max_tokens": 10})
    assert "limit short: max_input_tokens 300" in result.stdout
    assert "this request is refused" not in result.stdout
    long = ask({"model": "cheap", "messages": LONG})
    [short] = [line for line in long.stdout.splitlines() if line.startswith("limit short")]
    assert "this request is refused: the input has by its length up to 1," in short
    [rate] = [line for line in long.stdout.splitlines() if line.startswith("limit rate")]
    assert "this request is refused: it may come to 5255 tokens" in rate


def test_an_answer_that_is_stored_somewhere_is_told(ask):
    stored = {"model": "alone", "input": "go on", "previous_response_id": "resp_1"}
    assert "only the replica that keeps it is asked" in ask(stored).stdout
    assert "only the replica" not in ask({"model": "alone", "input": "go on"}).stdout


def test_probes_contracts_and_each_target_s_breaker_are_told(ask):
    result = ask({"model": "watched", "messages": SHORT})
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "contract: json, at most 1000000 characters; when it is broken: mark" in lines
    assert [line for line in lines if line.startswith("breaker of probed: open after 2 failures")]
    assert [line for line in lines if line.startswith("breaker of small: open after 5 failures")]
    [probe] = [line for line in lines if line.startswith("probe of")]
    assert probe.startswith(
        "probe of probed: chat every 20 s, each of 2 parts, within 10 s, at most $0.00"
    )
    assert probe.endswith(" each and $0.50 an hour, a gateway process")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "no JSON object"),
        (b"", "no JSON object"),
        (b"[]", "no JSON object"),
        (b'{"model": "\xff"}', "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (b'{"model": "chat", "model": "cheap", "messages": []}', "appears twice"),
        ({"model": "chat", "messages": "hi"}, "`messages` must be an array"),
        ({"model": "chat", "messages": SHORT, "max_tokens": "9"}, "`max_tokens` must be"),
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


def test_what_a_release_would_do_is_explained_from_its_file(ask, tmp_path):
    file = tmp_path / "releases" / "alone" / "brief.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "owner: ana\n"
        "change: {target: spare, parameters: {temperature: 0.2}, system_prompt: Be brief.}\n"
    )
    body = {"model": "alone", "messages": SHORT}
    before, after = ask(body), ask(body, "--release", "alone/brief")
    assert before.exit_code == after.exit_code == 0
    assert "small " in before.stdout and "spare " in after.stdout and "small " not in after.stdout
    assert "added where the caller says nothing else: temperature 0.2, the system prompt " in (
        after.stdout
    )


def test_a_release_that_cannot_be_started_is_not_explained(ask, tmp_path):
    body = {"model": "alone", "messages": SHORT}
    lost = ask(body, "--release", "alone/lost")
    assert lost.exit_code == 2 and "cannot be read" in lost.stderr
    assert ask(body, "--release", "alone").exit_code == 2


def test_a_ladder_is_told_with_what_this_request_would_be_there(ask, tmp_path):
    plan = (
        "  laddered:\n    target: large\n    ladder:\n"
        "      - {name: cheap, target: spare, output: {max_tokens: 10}, "
        "when: {failure: [unavailable]}}\n"
        "      - {name: sorry, apology: Sorry., when: {failure: [any]}}\n"
    )
    (tmp_path / "tidegate.yaml").write_text(PLAN.replace("limits:\n", plan + "limits:\n"))
    said = ask({"model": "laddered", "messages": SHORT}).output
    assert 'rung 1, cheap: unavailable: asks "spare", at most 10 tokens of answer; at most' in said
    assert 'rung 2, sorry: any failure: says "Sorry."' in said
