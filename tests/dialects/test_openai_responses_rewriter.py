"""Events of Responses: numbered without a gap, and every telling of a text says what went out."""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from tests.dialects.rewritten import rewriter, spoken, texts_of, through, written
from tests.gateway.test_guarded_texts import SIZES, TEXTS, cut

NAME = "openai_responses"


@settings(max_examples=25)
@given(TEXTS, SIZES)
def test_numbers_have_no_gap_and_all_tellings_agree(text: str, sizes: Sequence[int]) -> None:
    reads, end = written(NAME, spoken(cut(text, sizes), [], ['{"to":', '"a@x.org"}']))
    made = rewriter(NAME)
    events = through(made, reads, end)
    assert [it["sequence_number"] for it in events] == list(range(len(events)))
    assert made.sequence == len(events)
    told = texts_of(NAME, events)
    [last] = [it for it in events if it["type"] == "response.completed"]
    assert _texts(last["response"]["output"]) == ([told["content"]] if text else [])
    done = [it for it in events if it["type"] == "response.output_text.done"]
    assert [it["text"] for it in done] == ([told["content"]] if text else [])
    called = [it["arguments"] for it in last["response"]["output"] if it["type"] == "function_call"]
    assert called == [told["arguments"]] and "a@x.org" not in str(events)


def _texts(output: list[dict[str, Any]]) -> list[str]:
    return [part["text"] for it in output if it["type"] == "message" for part in it["content"]]


def event(kind: str, **more: Any) -> bytes:
    told = {"type": kind, "sequence_number": 0, **more}
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(told))


def test_events_that_nobody_has_heard_of_are_looked_through() -> None:
    place = {"item_id": "i", "output_index": 0}
    raw = {"output": [], "output_messages": [{"message": "a@x.org"}], "instructions": "b@x.org"}
    reads = [
        event("response.monologue.delta", **place, delta="a@"),
        event("response.monologue.delta", **place, delta="x.org "),
        event("response.monologue.done", **place, text="a@x.org "),
        event("response.output_text.annotation.added", **place, annotation={"title": "a@x.org"}),
        event("response.audio.delta", delta="QQ=="),
        event("response.completed", response=raw),
    ]
    events = through(rewriter(NAME), reads, b"")
    assert [it["sequence_number"] for it in events] == list(range(len(events)))
    assert "a@x.org" not in str(events) and "QQ==" not in str(events)
    assert events[-1]["response"] == {"output": [], "instructions": "b@x.org"}
