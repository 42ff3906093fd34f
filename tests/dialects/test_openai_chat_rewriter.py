"""Chunks of chats and completions: ends, usage, calls and log probabilities stay what they are."""

from typing import Any

import msgspec
from tests.dialects.rewritten import rewriter, through

from tidegate.core.guardrail import SentenceBuffer

DONE = b"data: [DONE]\n\n"


def chunk(choices: list[dict[str, Any]], **more: Any) -> bytes:
    told = {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": choices, **more}
    return b"data: %b\n\n" % msgspec.json.encode(told)


def delta(fields: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"index": 0, "delta": fields, "finish_reason": finish, **more}


def test_what_is_held_goes_before_the_end_of_its_choice_and_usage_stays_last() -> None:
    events = through(
        rewriter("openai_chat"),
        [
            chunk([delta({"role": "assistant", "content": ""})]),
            chunk([delta({"content": "Mail a@"})]),
            chunk([delta({"content": "x.org"})]),
            chunk([delta({}, "stop")]),
            chunk([], usage={"prompt_tokens": 1}),
        ],
        DONE,
    )
    assert [it["choices"][0]["delta"] for it in events[:-1]] == [
        {"role": "assistant", "content": ""},
        {"content": "Mail "},
        {"content": "<EMAIL_1>"},
        {},
    ]
    assert [it["choices"][0]["finish_reason"] for it in events[:-1]] == [None, None, None, "stop"]
    assert events[-1]["usage"] == {"prompt_tokens": 1} and events[-1]["choices"] == []


def test_choices_and_texts_of_completions_are_told_apart() -> None:
    pieces = [(0, "a@"), (1, "b@"), (0, "x.org "), (1, "y.org ")]
    reads = [
        chunk([{"index": at, "text": text, "logprobs": None, "finish_reason": None}])
        for at, text in pieces
    ]
    ends = [chunk([{"index": at, "text": "", "finish_reason": "stop"}]) for at in (0, 1)]
    said = {0: "", 1: ""}
    for event in through(rewriter("openai_chat"), [*reads, *ends], DONE):
        for choice in event["choices"]:
            said[choice["index"]] += choice["text"]
    assert said == {0: "<EMAIL_1> ", 1: "<EMAIL_2> "}


def test_arguments_wait_for_their_end_and_stay_json() -> None:
    began = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    more = [{"index": 0, "function": {"arguments": it}} for it in ('{"to":"\\na', '@x.org","n":1}')]
    events = through(
        rewriter("openai_chat"),
        [chunk([delta({"tool_calls": [it]})]) for it in (began, *more)]
        + [chunk([delta({}, "tool_calls")])],
        DONE,
    )
    calls = [it["choices"][0]["delta"].get("tool_calls") for it in events]
    assert calls[0][0]["function"] == {"name": "f", "arguments": ""}
    assert calls[1] == [{"index": 0, "function": {"arguments": '{"to":"\\n<EMAIL_1>","n":1}'}}]
    assert calls[2] is None and len(calls) == 3


def test_log_probabilities_of_what_may_be_another_text_are_left_out() -> None:
    known = {"content": [{"token": "a"}]}
    reads = [chunk([delta({"content": it}, logprobs=known)]) for it in ("a@", "x.org ")]
    guarded = through(rewriter("openai_chat"), [*reads, chunk([delta({}, "stop")])], DONE)
    assert all(it["choices"][0].get("logprobs") is None for it in guarded)
    held = rewriter("openai_chat", SentenceBuffer(), guards=False)
    [first, _] = through(held, [*reads, chunk([delta({}, "stop")])], DONE)
    assert first["choices"][0]["logprobs"] == {"content": [{"token": "a"}, {"token": "a"}]}


def test_the_first_form_of_calls_is_looked_through_too() -> None:
    reads = [
        chunk([delta({"function_call": {"name": "f", "arguments": '{"to":"a@'}})]),
        chunk([delta({"function_call": {"arguments": 'x.org"}'}})]),
        chunk([delta({}, "function_call")]),
    ]
    events = through(rewriter("openai_chat"), reads, DONE)
    called = [it["choices"][0]["delta"].get("function_call") for it in events]
    assert called[:2] == [{"name": "f", "arguments": ""}, {"arguments": '{"to":"<EMAIL_1>"}'}]


def test_what_is_no_chunk_passes() -> None:
    made = rewriter("openai_chat")
    assert made.feed(b"data: 1\n\n") == b"data: 1\n\n"
    assert made.feed(chunk([], usage={"n": 1})) == chunk([], usage={"n": 1})


def test_what_comes_as_parts_is_looked_through_as_they_come() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "a@x.org"}]}]
    details = [{"type": "reasoning.text", "text": "b@x.org"}]
    events = through(
        rewriter("openai_chat"),
        [
            chunk([delta({"content": parts})]),
            chunk([delta({"reasoning_details": details})]),
            chunk([delta({}, "stop")]),
        ],
        DONE,
    )
    assert [it["choices"][0]["delta"] for it in events] == [
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "<EMAIL_1>"}]}]},
        {"reasoning_details": [{"type": "reasoning.text", "text": "<EMAIL_2>"}]},
        {},
    ]


def test_nothing_tells_the_tokens_of_what_may_be_another_text() -> None:
    reads = [
        chunk([delta({"role": "assistant", "content": ""})], prompt_token_ids=[1, 2]),
        *(chunk([delta({"content": it}, token_ids=[7])]) for it in ("a@", "x.org ")),
        chunk([delta({}, "stop", stop_reason=None, token_ids=[])]),
        chunk([], prompt_logprobs=[None]),
    ]
    out = through(rewriter("openai_chat"), reads, DONE)
    assert 'token_ids":[' not in str(out).replace("'", '"').replace(" ", "")
    assert "prompt_" not in str(out)
    held = rewriter("openai_chat", SentenceBuffer(), guards=False)
    [_, said, *_] = through(held, reads, DONE)
    assert said["choices"][0]["token_ids"] == [7, 7]


def test_members_that_nobody_has_heard_of_are_looked_through() -> None:
    found = [{"title": "a@x.org"}]
    reads = [
        chunk([delta({"content": "x "})], search_results=found),
        chunk([delta({"content": "y "})], search_results=found),
        chunk([delta({"monologue": "a@"})]),
        chunk([delta({"monologue": "x.org "}, details={"said": "b@x.org"})]),
        chunk([delta({"audio": {"data": "QQ==", "id": "a"}})]),
        chunk([delta({}, "stop")]),
    ]
    out = str(through(rewriter("openai_chat"), reads, DONE))
    assert "@x.org" not in out and "QQ==" not in out
    assert out.count("<EMAIL_1>") == 3 and "<EMAIL_2>" in out
