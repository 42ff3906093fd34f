"""What a Converse body says of a conversation; AWS's own model of the wire takes every one."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from tests.providers.bedrock_bodies import ASKED, CALL, CLAUDE, LLAMA, refused, talk, written

from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Output,
    Reasoning,
    Refused,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)


def test_the_least_body() -> None:
    assert written(talk()) == ({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}, [])


def test_what_converse_has_words_for() -> None:
    said = talk(
        instructions=[Text("Be brief."), Text(""), Text("Be kind.")],
        temperature=0.5,
        top_p=0.25,
        stop=["END", ""],
        metadata={"team": "growth", "empty": ""},
        service_tier="flex",
        top_k=5,
    )
    body, lost = written(said, "anthropic.claude-sonnet-4-20250514-v1:0", ceiling=77)
    assert lost == []
    assert body == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "system": [{"text": "Be brief."}, {"text": "Be kind."}],
        "inferenceConfig": {
            "maxTokens": 77,
            "temperature": 0.5,
            "topP": 0.25,
            "stopSequences": ["END"],
        },
        "serviceTier": {"type": "flex"},
        "requestMetadata": {"team": "growth", "empty": ""},
        "additionalModelRequestFields": {"top_k": 5},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
    }


@pytest.mark.parametrize(
    ("tier", "sent"),
    [
        ("auto", None),
        ("default", "default"),
        ("standard_only", "default"),
        ("priority", "priority"),
    ],
)
def test_service_tiers_by_their_names_here(tier: str, sent: str | None) -> None:
    body, _ = written(talk(service_tier=tier))
    assert body.get("serviceTier", {}).get("type") == sent


def test_turns_of_one_role_are_one_message_and_empty_ones_none() -> None:
    body, _ = written(
        talk(
            ASKED,
            Turn("user", (Text("you"),)),
            Turn("assistant", (Text(""), Text("\n\n"))),
            Turn("assistant", (Text("yes"), Refused("no"))),
            Turn("user", (ToolResult("a"),)),
            Turn("user", (Text("?"),)),
        )
    )
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"] == [{"text": "hi"}, {"text": "you"}]
    assert body["messages"][1]["content"] == [{"text": "yes"}, {"text": "no"}]


def test_an_instruction_in_the_middle_stays_where_the_model_takes_it() -> None:
    said = talk(ASKED, Turn("system", (Text("Now in French."),)), instructions=[Text("Be brief.")])
    body, _ = written(said, "anthropic.claude-opus-5")
    assert body["messages"][1] == {"role": "system", "content": [{"text": "Now in French."}]}
    body, _ = written(said, LLAMA)
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert body["system"] == [{"text": "Be brief."}, {"text": "Now in French."}]


def test_a_schema_is_sent_as_text_and_beside_the_effort() -> None:
    output = Output(Raw(b'{"type": "object"}'), "thing", "A thing.", True)
    body, _ = written(talk(output=output, thinking=Thinking(effort="high")))
    assert body["outputConfig"] == {
        "effort": "high",
        "textFormat": {
            "type": "json_schema",
            "structure": {
                "jsonSchema": {
                    "schema": '{"type": "object"}',
                    "name": "thing",
                    "description": "A thing.",
                }
            },
        },
    }
    assert refused(talk(output=Output())) == "output"


def test_cache_marks_stand_after_what_they_are_of() -> None:
    mark, hour = CacheMark(), CacheMark("1h")
    said = talk(
        Turn("user", (Text("long", hour), Image("AAAA", "image/png", cache=mark), Text("?"))),
        Turn("assistant", (CALL,)),
        Turn("user", (ToolResult("call_1", (Text("a", mark), Text("b"))),)),
        instructions=[Text("Be brief.", mark)],
        tools=[Tool("weather", cache=hour)],
        cache=mark,
    )
    body, lost = written(said)
    assert lost == []
    point, long_point = (
        {"cachePoint": {"type": "default"}},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
    )
    assert body["system"][1] == point
    assert body["toolConfig"]["tools"][1] == long_point
    asked, _, answered = (message["content"] for message in body["messages"])
    assert [next(iter(block)) for block in asked] == [
        "text",
        "cachePoint",
        "image",
        "cachePoint",
        "text",
    ]
    assert asked[1] == long_point
    # The result's inner mark, and the mark of the whole request behind the last of it.
    assert answered[1:] == [point, point]


def test_a_cache_mark_that_means_nothing_is_left_out_and_named() -> None:
    said = talk(Turn("user", (Text("a", CacheMark()),)), names={"cache": "cache_control"})
    body, lost = written(said, LLAMA)
    assert (body["messages"][0]["content"], lost) == ([{"text": "a"}], ["cache_control"])
    assert written(talk(Turn("user", (Text("a", CacheMark("2h")),))))[1] == ["cache"]
    assert written(talk(cache=CacheMark()), LLAMA)[1] == ["cache"]


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"choices": 2}, "choices"),
        ({"seed": 1}, "seed"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"service_tier": "scale"}, "service_tier"),
        ({"temperature": 1.5}, "temperature"),
        ({"unread": {"logprobs": Raw(b"true")}}, "logprobs"),
        ({"turns": [Turn("user", (Text("a"),), "bob")]}, "name"),
    ],
)
def test_what_has_no_place_is_refused_or_left_out_by_name(more: dict[str, Any], name: str) -> None:
    said = Conversation(**{"turns": [ASKED], **more})
    assert refused(said) == name
    body, lost = written(said, drop=True)
    assert lost == [name]
    assert set(body) == {"messages"}


def test_what_claude_is_not_told_other_models_are() -> None:
    said = talk(temperature=0.5, top_p=0.5, stop=["\n", "END"])
    body, lost = written(said, "us.anthropic.claude-opus-4-7", drop=True)
    assert lost == ["temperature", "top_p", "stop"]
    assert body["inferenceConfig"] == {"stopSequences": ["END"]}
    told = {"temperature": 0.5, "topP": 0.5, "stopSequences": ["\n", "END"]}
    assert written(said, LLAMA)[0]["inferenceConfig"] == told
    thinking = talk(temperature=0.5, thinking=Thinking(True, "low"))
    assert refused(thinking) == "temperature"


def test_an_end_user_is_left_out_and_named() -> None:
    assert written(talk(end_user="u"), drop=True)[1] == ["end_user"]


def test_top_k_has_its_own_place_in_each_family_or_none() -> None:
    said = talk(top_k=5)
    for model, own in (
        ("amazon.nova-lite-v1:0", {"inferenceConfig": {"topK": 5}}),
        ("mistral.mistral-large-2402-v1:0", {"top_k": 5}),
        ("cohere.command-r-v1:0", {"k": 5}),
    ):
        assert written(said, model)[0]["additionalModelRequestFields"] == own
    assert refused(said, LLAMA) == "top_k"


@pytest.mark.parametrize(
    "pairs",
    [
        {str(number): "x" for number in range(17)},
        {"": "x"},
        {"a": "ö"},
        {"a" * 257: "x"},
        {"a": "x" * 257},
    ],
)
def test_metadata_that_the_log_does_not_take_is_left_out(pairs: dict[str, str]) -> None:
    body, lost = written(talk(metadata=pairs))
    assert lost == ["metadata"] and "requestMetadata" not in body


TEXTS = st.builds(Text, st.text(max_size=8), st.none() | st.builds(CacheMark, st.just("5m")))
MEDIA = st.builds(Image, st.just("AAAA"), st.just("image/png")) | st.builds(
    Document, st.just("AAAA"), st.just("application/pdf"), title=st.text(max_size=30)
)
THOUGHTS = st.builds(
    Reasoning, st.text(max_size=5), st.none() | st.just("c2ln"), st.none() | st.just("AAAA"),
    st.none() | st.sampled_from(["anthropic", "gemini"]),
)  # fmt: skip
PARTS = st.one_of(
    TEXTS,
    MEDIA,
    THOUGHTS,
    st.builds(Refused, st.text(max_size=5)),
    st.builds(ToolCall, st.text(max_size=70), st.just("t"), st.sampled_from(["", "{}", '{"a":1}'])),
    st.builds(ToolResult, st.text(max_size=70), st.lists(TEXTS | MEDIA, max_size=2).map(tuple)),
)


@settings(max_examples=100, deadline=None)
@given(
    turns=st.lists(
        st.builds(
            Turn,
            st.sampled_from(["user", "assistant"]),
            st.lists(PARTS, max_size=4).map(tuple),
        ),
        max_size=4,
    ),
    model=st.sampled_from([CLAUDE, LLAMA, "amazon.nova-2-lite-v1:0", "arn:aws:bedrock:x"]),
)
def test_aws_takes_whatever_is_written(turns: list[Turn], model: str) -> None:
    body, _ = written(Conversation(turns), model, drop=True)
    roles = [message["role"] for message in body["messages"]]
    assert all(one != other for one, other in itertools.pairwise(roles))
    names = [
        block["document"]["name"].lower()
        for message in body["messages"]
        for outer in message["content"]
        for block in [outer, *outer.get("toolResult", {}).get("content", [])]
        if "document" in block
    ]
    assert len(names) == len(set(names))
