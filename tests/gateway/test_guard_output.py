"""Whole answers of every wire pass as streams do."""

import asyncio
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace
from tests.dialects.rewritten import DIALECTS, spoken, written
from tests.gateway.guarded import PII

from tidegate.core.ask import Answer, Ask, Said
from tidegate.core.guardrail import RouteGuardrails, SentenceBuffer, Verdict
from tidegate.core.receipt import Receipt
from tidegate.gateway import guard_output
from tidegate.gateway.guard_output import GuardingOutput
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.prepared_guardrails import PreparedGuardrails, prepare_guardrails


def prepared(buffer: SentenceBuffer | None = None) -> PreparedGuardrails:
    made = prepare_guardrails(RouteGuardrails((), (PII,)), buffer, {})
    assert made is not None
    return made


def output() -> GuardingOutput:
    guarding = Guarding(Receipt("r", 0.0, "g", "chat"))
    return GuardingOutput(guarding, prepared(), DIALECTS["openai_chat"])


def whole(body: dict[str, Any]) -> Any:
    return msgspec.json.decode(output().whole(msgspec.json.encode(body)))


def test_texts_and_arguments_of_every_wire() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": '{"to":"a@x.org"}'}}
    chat = {"choices": [{"message": {"content": "a@x.org", "tool_calls": [call]}}]}
    assert "a@x.org" not in str(whole(chat)) and "<EMAIL_1>" in str(whole(chat))
    assert whole({"content": [{"type": "text", "text": "a@x.org"}], "id": "a@y.org"}) == {
        "content": [{"type": "text", "text": "<EMAIL_1>"}],
        "id": "a@y.org",
    }
    item = {"type": "message", "content": [{"type": "output_text", "text": "a@x.org"}]}
    assert whole({"output": [item]})["output"][0]["content"][0]["text"] == "<EMAIL_1>"


def test_log_probabilities_go_with_what_they_tell() -> None:
    choice = {"text": "a@x.org", "logprobs": {"tokens": ["a@x.org"]}}
    assert whole({"choices": [choice]}) == {"choices": [{"text": "<EMAIL_1>", "logprobs": None}]}
    same = {"choices": [{"text": "a", "logprobs": {"tokens": ["a"]}}]}
    assert whole(same) == same


def test_what_is_no_answer_passes() -> None:
    assert output().whole(b"no json") == b"no json"


def test_what_is_told_beside_the_body_has_the_same_and_counts_once() -> None:
    made = output()
    assert made.guarding is not None
    made.whole(b'{"choices":[{"text":"a@x.org"}]}')
    answer = Answer(None, "stop", "m", "i", b"", said=(Said("a@x.org", False, (("f", "{}"),)),))
    assert made.answer(answer).said == (Said("<EMAIL_1>", False, (("f", "{}"),)),)
    assert [hit.count for hit in made.guarding.hits] == [1]


def test_a_buffer_alone_changes_nothing_and_rewrites_streams() -> None:
    made = GuardingOutput(None, prepared(SentenceBuffer()), DIALECTS["openai_chat"])
    assert not made.changes and made.rewriter() is not None and made.max_wait_s == 2.0
    assert made.whole(b'{"choices":[{"text":"a@x.org"}]}') == b'{"choices":[{"text":"a@x.org"}]}'
    none = GuardingOutput(None, prepared(), DIALECTS["openai_chat"])
    assert none.rewriter() is None


@pytest.mark.parametrize("wire", list(DIALECTS))
def test_what_an_address_takes_out_of_a_stream_is_nowhere_told_again(wire: str) -> None:
    async def asked(
        check: Any, side: Any, guarding: Any, texts: list[str], until_s: Any
    ) -> Verdict:
        gone = tuple(it.replace("falcon", "[gone]") for it in texts)
        return Verdict("redact", (), gone)

    reads, end = written(wire, spoken(["A falcon."], [], ['{"to":', '"falcon"}']))
    body = b"".join(reads) + end
    made = asyncio.run(_checked(wire, body, asked))
    assert b"[gone]" in made and b"falcon" not in made


async def _checked(wire: str, body: bytes, asked: Any) -> bytes:
    guarding = Guarding(Receipt("r", 0.0, "g", "chat"))
    looking = prepared().output
    assert looking is not None
    asking = replace(looking, checks=(cast("Any", None),))
    made = GuardingOutput(guarding, PreparedGuardrails(None, asking, None), DIALECTS[wire])
    ask = Ask("chat", b"{}", {}, "m", stream=True, include_usage=True, dialect=wire)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard_output, "asked", asked)
        return await made.check(body, ask, None)
