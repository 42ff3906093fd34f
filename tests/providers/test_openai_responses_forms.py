"""An answer of Responses in its other form, held against the official client's own types."""

from typing import Any

import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter
from tests.providers.responses_wire import CALL, MESSAGE, response

from tidegate.core.ask import OPENAI_RESPONSES, Ask
from tidegate.providers._openai_responses_forms import stream_of, whole_of
from tidegate.providers._openai_responses_stream import OpenAIResponsesStreamReader
from tidegate.text.sse import SseSplitter, data_of

_valid: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
REASONING: dict[str, Any] = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "think"}],
    "encrypted_content": "c2VhbGVk",
}
REFUSAL = {**MESSAGE, "content": [{"type": "refusal", "refusal": "no"}]}
MARK = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}
CITED = {**MESSAGE, "content": [{**MESSAGE["content"][0], "annotations": [MARK]}]}
SEARCH = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "completed",
    "action": {"type": "search", "query": "q"},
}


@pytest.mark.parametrize(
    "output",
    [[], [MESSAGE], [REASONING, MESSAGE], [CALL, CALL], [REFUSAL], [SEARCH, CITED]],
    ids=lambda output: "-".join(item["type"] for item in output),
)
def test_a_whole_answer_is_a_stream_that_the_official_client_reads(
    output: list[dict[str, Any]],
) -> None:
    whole = msgspec.json.encode(response(output=output))
    stream = stream_of(whole)
    assert stream is not None
    events = [data_of(event) or b"" for event in SseSplitter().feed(stream)]
    numbers = [msgspec.json.decode(event)["sequence_number"] for event in events]
    assert numbers == list(range(len(events)))
    told = [_valid.validate_json(event) for event in events]
    assert isinstance(told[-1].response, openai.types.responses.Response)
    assert msgspec.json.decode(whole_of(stream) or b"") == msgspec.json.decode(whole)
    reader = OpenAIResponsesStreamReader(
        Ask("chat", b"{}", {}, "m", True, dialect=OPENAI_RESPONSES)
    )
    out = reader.feed(stream)
    assert (reader.finished, reader.failure) == (True, None)
    assert out + reader.terminal == stream


@given(st.text())
def test_what_was_said_comes_over(text: str) -> None:
    content = [{**MESSAGE["content"][0], "text": text}]
    stream = stream_of(msgspec.json.encode(response(output=[{**MESSAGE, "content": content}])))
    assert stream is not None
    events = [msgspec.json.decode(data_of(it) or b"") for it in SseSplitter().feed(stream)]
    deltas = [it["delta"] for it in events if it["type"] == "response.output_text.delta"]
    assert deltas == [text]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"status":"incomplete","output":[]}',
        b'{"status":"completed"}',
        b'{"status":"completed","output":[1]}',
        b'{"status":"completed","output":[{"type":"message"}]}',
    ],
)
def test_what_is_no_whole_answer_has_no_other_form(body: bytes) -> None:
    assert stream_of(body) is None
    assert whole_of(body) is None
    assert whole_of(b"data: {\n\n") is None
