"""A guardrail that could not do what it is for fails the plan, at its place."""

import pytest

from tidegate.config.load import compile_file
from tidegate.core.guardrail import Guardrail, SentenceBuffer
from tidegate.core.plan import Plan

PLAN = """\
providers: {{mine: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}}}
targets: {{small: {{provider: mine, model: small, price: free}}}}
guardrails: {guardrails}
routes:
  chat: {{target: small, {route}}}
"""


def problems(guardrails: str, route: str = "guardrails: {input: [it]}") -> list[str]:
    text = PLAN.format(guardrails=guardrails, route=route)
    return [str(it) for it in compile_file(text.encode(), {"S": "x"}, 1, 1000.0).problems]


def compiled(guardrails: str, route: str) -> Plan:
    text = PLAN.format(guardrails=guardrails, route=route)
    found = compile_file(text.encode(), {"S": "x"}, 1, 1000.0)
    assert found.plan is not None, [str(it) for it in found.problems]
    return found.plan


@pytest.mark.parametrize(
    "guardrail",
    [
        "{kind: pii}",
        "{kind: pii, types: [email, card], locales: [US], actions: {card: block}, restore: true}",
        "{kind: secrets, action: mark}",
        "{kind: injection, threshold: 0.9, on_error: open}",
        "{kind: injection_model, types: [planted], threshold: 0.2, action: mark}",
        "{kind: words, words: [falcon], action: redact}",
        "{kind: patterns, patterns: {employee: 'EMP-\\d{6}'}, actions: {employee: mark}}",
        '{kind: http, url: "https://x.example/check", credential: "${S}", deadline: 500ms}',
        '{kind: http, url: "https://x.example/check", streams: sentence}',
    ],
)
def test_what_can_be_obeyed_compiles(guardrail: str) -> None:
    assert problems(f"{{it: {guardrail}}}") == []


@pytest.mark.parametrize(
    ("guardrail", "said"),
    [
        ("{kind: pi}", "there is no kind of guardrail"),
        ("{kind: pii, types: [emial]}", "it knows no type"),
        ("{kind: pii, locales: [XX]}", "it knows no numbers of"),
        ("{kind: pii, words: [x]}", "a guardrail of kind pii does not read this"),
        ("{kind: pii, actions: {no: mark}}", "it knows no type"),
        ("{kind: words}", "needs"),
        ("{kind: injection, action: redact}", "can only block or mark"),
        ("{kind: injection_model, action: redact}", "can only block or mark"),
        ("{kind: pii, types: [email], actions: {card: block}}", "does not look for"),
        ("{kind: pii, types: [nino], locales: [US]}", "its `locales` leave out"),
        ("{kind: pii, locales: [US], actions: {nino: block}}", "its `locales` leave out"),
        ("{kind: pii, action: mark, restore: true}", "nothing is redacted"),
        ("{kind: patterns, patterns: {a: '('}}", "is none"),
        ("{kind: http}", "needs"),
        ('{kind: http, url: "https://x.example", action: mark}', "for the address to say"),
        ('{kind: http, url: "https://x.example", restore: true}', "for the address to say"),
        ("{kind: secrets, streams: whole}", "a guardrail of kind secrets does not read this"),
    ],
)
def test_what_cannot_is_told_at_its_place(guardrail: str, said: str) -> None:
    [problem, *_] = problems(f"{{it: {guardrail}}}")
    assert said in problem and ":3:" in problem


def test_a_route_names_what_there_is_and_once() -> None:
    [problem] = problems("{it: {kind: pii}}", "guardrails: {output: [its]}")
    assert "there is no guardrail" in problem and "did you mean" in problem
    [problem] = problems("{it: {kind: pii}}", "guardrails: {output: [it, it]}")
    assert "twice" in problem
    [problem] = problems("{it: {kind: injection_model}}", "guardrails: {input: [it], output: [it]}")
    assert "cannot look at an output" in problem


def test_the_name_is_the_kind_and_routes_hold_what_they_obey() -> None:
    plan = compiled("{pii: {}}", "guardrails: {input: [pii]}, buffer: sentence")
    route = plan.routes["chat"]
    assert route.guardrails is not None
    assert route.guardrails.input == (Guardrail("pii", "pii", "redact"),)
    assert route.guardrails.output == () and route.buffer == SentenceBuffer()
    assert compiled("{pii: {}}", "guardrails: {}").routes["chat"].guardrails is None


def test_what_is_asked_by_the_sentence_needs_sentences() -> None:
    guardrail = '{it: {kind: http, url: "https://x.example/check", streams: sentence}}'
    [said] = problems(guardrail, "guardrails: {output: [it]}")
    assert "routes.chat.guardrails.output" in said and "`buffer: sentence`" in said
    plan = compiled(guardrail, "guardrails: {output: [it]}, buffer: sentence")
    guardrails = plan.routes["chat"].guardrails
    assert guardrails is not None and guardrails.output[0].by_sentence
