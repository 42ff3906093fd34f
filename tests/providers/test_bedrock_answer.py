"""A whole answer of Converse, and what its figures and words mean."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.bedrock_wire import BYTES, operation, read_by_botocore

from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Text, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.spoken import Choice, Spoken
from tidegate.providers._bedrock_answer import REASONS, Tokens, read_spoken, reason_of, usage_of

WHOLE = sorted(p for p in BYTES.glob("*.json") if p.stem not in ("error", "overflow"))


def test_text_and_usage() -> None:
    assert read_spoken((BYTES / "chat.json").read_bytes()) == Spoken(
        None, None, Usage(11, 1024, 16, 7), [Choice([Text('Hello 🌊 "there"\n')], "stop")]
    )


def test_calls_keep_their_arguments_as_they_came() -> None:
    spoken = read_spoken((BYTES / "tools.json").read_bytes())
    assert spoken.choices[0].reason == "tool_calls"
    assert spoken.choices[0].parts[1:] == [
        ToolCall("tooluse_a1", "weather", '{"city": "Paris"}'),
        ToolCall("tooluse_b2", "now", "{}"),
    ]


def test_reasoning_and_the_stop_that_ended_it() -> None:
    (choice,) = read_spoken((BYTES / "reasoning.json").read_bytes()).choices
    assert choice.parts[:2] == [
        Reasoning("Let me see.", "EqoBCkgIARABGAIiQL8k+/=", None, "anthropic"),
        Reasoning("", None, "RW13S0FoZ0I=", "anthropic"),
    ]
    assert (choice.reason, choice.stop_sequence) == ("stop_sequence", "END")


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_botocore_reads_in_these_bytes_what_we_read(path: object) -> None:
    body = (BYTES / str(path)).read_bytes()
    theirs = read_by_botocore(body, stream=False)
    texts = [block["text"] for block in theirs["output"]["message"]["content"] if "text" in block]
    (choice,) = read_spoken(body).choices
    assert texts == [part.text for part in choice.parts if isinstance(part, Text)] != []


def test_cited_text_is_text() -> None:
    body = (
        b'{"output":{"message":{"role":"assistant","content":[{"citationsContent":{"content":'
        b'[{"text":"a"},{"text":"b"}],"citations":[]}},{"image":{}}]}},"stopReason":"end_turn"}'
    )
    assert read_spoken(body) == Spoken(None, None, None, [Choice([Text("ab")], "stop")])


def test_every_reason_that_aws_knows_has_a_meaning() -> None:
    shape = operation("Converse").output_shape.members["stopReason"]  # type: ignore[union-attr]
    failures = {word for word in shape.enum if isinstance(reason_of(word), Failure)}
    assert failures == {"malformed_model_output", "malformed_tool_use"}
    assert set(REASONS) == set(shape.enum) - failures
    assert REASONS["guardrail_intervened"] == REASONS["content_filtered"] == "refusal"
    assert REASONS["model_context_window_exceeded"] == "context_full"


@pytest.mark.parametrize(
    ("tokens", "usage"),
    [
        (Tokens(10, 5, 15), Usage(10, None, None, 5)),
        (Tokens(10, 5), Usage(10, None, None, 5)),
        (Tokens(0, 5, 105, 100), Usage(0, 100, None, 5)),
        (Tokens(10, 5, 15, 100, 0), Usage(10, 100, 0, 5)),
        (Tokens(10, 5, 16), Usage(conflict=True)),
        (Tokens(-1, 5, 4), Usage(conflict=True)),
        (Tokens(10, 5, 14, -1), Usage(conflict=True)),
        (Tokens(0, 0, 0), Usage(conflict=True)),
        (Tokens(10, 10**12, 10 + 10**12), Usage(conflict=True)),
    ],
)
def test_figures_are_disjoint_or_a_conflict(tokens: Tokens, usage: Usage) -> None:
    assert usage_of(tokens) == usage


BAD = {
    "HTML": b"<html></html>",
    "nothing": b"",
    "an array": b"[]",
    "no output": b'{"stopReason":"end_turn"}',
    "no reason": b'{"output":{"message":{"content":[]}}}',
    "a text for content": b'{"output":{"message":{"content":"a"}},"stopReason":"end_turn"}',
    "deep": b'{"output":' + b"[" * 100_000,
    "no UTF-8": b'{"output":{"message":{"content":[{"text":"\xff"}]}},"stopReason":"end_turn"}',
    "an error": b'{"message":"boom"}',
    "arguments that are no UTF-8": b'{"output":{"message":{"content":[{"toolUse":{"toolUseId":"a",'
    b'"name":"f","input":{"p":"\xff"}}}]}},"stopReason":"tool_use"}',
}


@pytest.mark.parametrize("bad", BAD)
def test_an_answer_that_is_none_is_malformed(bad: str) -> None:
    with pytest.raises(Failure) as no:
        read_spoken(BAD[bad])
    assert no.value.kind == "malformed"


@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["output", "message", "content", "stopReason"]), inner),
    max_leaves=8,
).map(msgspec.json.encode))  # fmt: skip
def test_hostile_bytes_are_a_failure(body: bytes) -> None:
    with pytest.raises(Failure):
        read_spoken(body)


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (b'{"inputTokens":3,"outputTokens":0,"totalTokens":3}', Usage(conflict=True)),
        (b'{"inputTokens":3,"outputTokens":2.5}', Usage(conflict=True)),
        (b'{"outputTokens":2}', Usage(conflict=True)),
        (b'"much"', Usage(conflict=True)),
        (b"null", None),
    ],
)
def test_an_answer_whose_usage_is_odd_is_one_all_the_same(told: bytes, usage: Usage | None) -> None:
    body = b'{"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"end_turn","usage":%b}'
    assert read_spoken(body % told) == Spoken(None, None, usage, [Choice([Text("a")], "stop")])
