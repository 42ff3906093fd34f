"""Rungs as one request would meet them."""

import msgspec
import pytest

from tidegate.cli._asked import read_asked
from tidegate.cli._rungs import rung_lines
from tidegate.config.load import compile_file

PLAN = """
providers:
  vllm: {base_url: "http://127.0.0.1:8000/v1"}
targets:
  small: {provider: vllm, model: s, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}
routes:
  chat:
    target: vllm/m
    ladder:
      - {name: cheap, target: small, output: {max_tokens: 10}, when: {budget: 90%}}
      - {name: sorry, apology: Sorry., when: {failure: [any]}}
  plain: vllm/m
budgets:
  all: {amount: 5, per: day, degrade: true}
"""


@pytest.fixture(scope="module")
def lines():
    plan = compile_file(PLAN.encode(), {}, 1, 1.0).plan

    def lines(model, path=None, **more):
        said = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        return rung_lines(read_asked(msgspec.json.encode(said), plan, path))

    return lines


def test_each_rung_says_what_leads_there_and_what_it_would_be(lines):
    cheap, sorry = lines("chat")
    assert cheap.startswith('rung 1, cheap: 90 % of a budget: asks "small", at most 10 tokens')
    assert "tokens of input and $0.0000" in cheap
    assert sorry.startswith('rung 2, sorry: any failure: says "Sorry."')


def test_what_has_no_ladder_has_no_rungs(lines):
    assert lines("plain") == []
    assert lines("chat", "/v1/messages/count_tokens", max_tokens=5) == []
