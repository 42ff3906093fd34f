import msgspec

from tidegate.sim import wire
from tidegate.sim.generation import Choice, Job, ToolCall
from tidegate.sim.wire import Shape

TEXT = Choice(tokens=["tide", " gäte"], generated=3, finish_reason="stop")
CALLS = Choice(
    tokens=["", '{"a"', ":1}", "", "{}"],
    generated=5,
    finish_reason="tool_calls",
    calls=(ToolCall("c1", "one", '{"a":1}'), ToolCall("c2", "two", "{}")),
)


def read(payload: bytes):
    return msgspec.json.decode(payload)


def test_chat_events_share_one_envelope():
    shape = Shape("chat", "7", 99, 'na"me')
    events = [shape.role(0), shape.token(0, TEXT, 1), shape.finish(0, "stop"), shape.usage({})]
    for event in map(read, events):
        assert (event["id"], event["created"], event["model"]) == ("chatcmpl-7", 99, 'na"me')
        assert event["object"] == "chat.completion.chunk"
    assert read(events[0])["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert read(events[1])["choices"][0]["delta"] == {"content": " gäte"}
    assert read(events[2])["choices"][0]["finish_reason"] == "stop"
    assert read(events[3])["choices"] == []


def test_a_token_that_shows_nothing_is_an_empty_event():
    assert read(Shape("chat", "7", 99, "m").token(0, TEXT, 2))["choices"][0]["delta"] == {
        "content": ""
    }


def test_usage_is_null_before_the_end_only_when_it_was_asked_for():
    shape = Shape("chat", "7", 99, "m")
    assert "usage" not in read(shape.role(0))
    shape.expect_usage()
    assert read(shape.role(0))["usage"] is None


def test_completions_have_text():
    shape = Shape("completions", "7", 99, "m")
    event = read(shape.token(1, TEXT, 0))
    assert event["object"] == "text_completion"
    assert event["choices"][0]["text"] == "tide"
    assert read(shape.finish(1, "length"))["choices"][0]["finish_reason"] == "length"
    assert read(shape.whole([TEXT], []))["choices"][0]["text"] == "tide gäte"


def test_a_calls_id_and_name_come_once_and_its_arguments_by_index():
    shape = Shape("chat", "7", 99, "m")
    parts = [
        read(shape.token(0, CALLS, at))["choices"][0]["delta"]["tool_calls"][0] for at in range(5)
    ]
    assert [part["index"] for part in parts] == [0, 0, 0, 1, 1]
    assert [part.get("id") for part in parts] == ["c1", None, None, "c2", None]
    assert "".join(part["function"]["arguments"] for part in parts[:3]) == '{"a":1}'


def test_a_whole_answer_with_calls_has_no_content():
    body = read(Shape("chat", "7", 99, "m").whole([CALLS], [{"prompt_tokens": 1}]))
    message = body["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"][1]["function"] == {"name": "two", "arguments": "{}"}
    assert body["usage"] == {"prompt_tokens": 1}
    assert "usage" not in read(Shape("chat", "7", 99, "m").whole([TEXT], []))


def test_usage_counts_cached_tokens_as_part_of_the_prompt():
    told = wire.usage(Job(10, 1, [TEXT], []), 3, 4)
    assert told["total_tokens"] == 13
    assert told["prompt_tokens_details"] == {"cached_tokens": 4}
