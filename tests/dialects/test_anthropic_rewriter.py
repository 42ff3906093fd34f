"""Blocks of Messages: their order, their stops and what is signed stay what they are."""

from typing import Any

import msgspec
from tests.dialects.rewritten import rewriter, through

STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def told(kind: str, **members: Any) -> bytes:
    body = msgspec.json.encode({"type": kind, **members})
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), body)


def delta(index: int, kind: str, **members: Any) -> bytes:
    return told("content_block_delta", index=index, delta={"type": kind, **members})


def test_what_is_held_goes_before_the_stop_of_its_block() -> None:
    block = {"type": "text", "text": ""}
    events = through(
        rewriter("anthropic_messages"),
        [
            told("content_block_start", index=0, content_block=block),
            delta(0, "text_delta", text="a@"),
            told("ping"),
            delta(0, "text_delta", text="x.org"),
            told("content_block_stop", index=0),
        ],
        STOP,
    )
    kinds = [it["type"] for it in events]
    assert kinds == [
        *("content_block_start", "ping", "content_block_delta"),
        *("content_block_stop", "message_stop"),
    ]
    assert events[2]["delta"] == {"type": "text_delta", "text": "<EMAIL_1>"}


def test_thinking_that_was_changed_loses_its_signature_and_other_keeps_it() -> None:
    for said, signed in (("see a@x.org now", False), ("see him now", True)):
        events = through(
            rewriter("anthropic_messages"),
            [
                told("content_block_start", index=0, content_block={"type": "thinking"}),
                delta(0, "thinking_delta", thinking=said),
                delta(0, "signature_delta", signature="sig"),
                told("content_block_stop", index=0),
            ],
            STOP,
        )
        assert ("sig" in str(events)) is signed and "a@x.org" not in str(events)
        assert events[-2]["type"] == "content_block_stop"


def test_a_tool_s_input_waits_for_its_block_s_stop() -> None:
    block = {"type": "tool_use", "id": "t", "name": "send", "input": {}}
    events = through(
        rewriter("anthropic_messages"),
        [
            told("content_block_start", index=0, content_block=block),
            delta(0, "input_json_delta", partial_json='{"to":"a@'),
            delta(0, "input_json_delta", partial_json='x.org"}'),
            told("content_block_stop", index=0),
            told("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 3}),
        ],
        STOP,
    )
    assert events[1]["delta"]["partial_json"] == '{"to":"<EMAIL_1>"}'
    assert [it["type"] for it in events[2:]] == [
        "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip


def test_what_a_block_begins_with_is_looked_through() -> None:
    result = {"type": "web_search_tool_result", "content": [{"title": "mail a@x.org"}]}
    text = {"type": "text", "text": "a@x.org "}
    for block in (result, text):
        made = rewriter("anthropic_messages")
        [start, *_] = through(
            made, [told("content_block_start", index=0, content_block=block)], STOP
        )
        assert "a@x.org" not in str(start)


def test_a_delta_that_nobody_has_heard_of_is_looked_through() -> None:
    events = through(
        rewriter("anthropic_messages"),
        [
            told("content_block_start", index=0, content_block={"type": "compaction"}),
            delta(0, "compaction_delta", content="so far: a@x.org"),
            told("content_block_stop", index=0),
        ],
        STOP,
    )
    assert events[1]["delta"]["content"] == "so far: <EMAIL_1>"
