import msgspec
import pytest
from msgspec import Raw
from tests.dialects.grammar import ask_of

from tidegate.core.ask import Ask
from tidegate.text.fingerprint import conversation, has_answer, prompt_fingerprint


def of(body, endpoint="chat"):
    text = msgspec.json.encode(body)
    return prompt_fingerprint(
        Ask(endpoint, text, msgspec.json.decode(text, type=dict[str, Raw]), "m")
    )


def said(text, role="user", **more):
    return {
        "messages": [{"role": "system", "content": "s"}, {"role": role, "content": text, **more}]
    }


def test_prompts_that_are_nearly_the_same():
    first = of(said("Try again: attempt 1 at 12:00"))
    assert first == of(said("try again, attempt 23 at 12:07!"))
    assert first != of(said("Try once more: attempt 1 at 12:00"))
    assert first != of(said("Try again: attempt 1 at 12:00", role="tool"))
    assert first is not None
    assert len(first) == 8


def test_what_came_before_and_what_is_drawn_anew_does_not_count():
    longer = said("same")
    longer["messages"].insert(0, {"role": "user", "content": "earlier"})
    assert of(longer) == of(said("same"))
    assert of(said("same", tool_call_id="call_abc")) == of(said("same", tool_call_id="call_xyz"))


def test_prompts_of_figures_alone_are_told_apart():
    assert of({"prompt": "12 + 7"}, "completions") != of({"prompt": "12 + 8"}, "completions")


def test_prompts_of_other_scripts_are_told_apart():
    assert of(said("こんにちは")) != of(said("さようなら"))


@pytest.mark.parametrize("endpoint", ["completions", "embeddings"])
def test_other_endpoints_have_prompts_too(endpoint):
    member = {"completions": "prompt", "embeddings": "input"}[endpoint]
    assert of({member: "Hello 1"}, endpoint) == of({member: "hello 2"}, endpoint) is not None


@pytest.mark.parametrize("messages", [[1, 2], ["x"], [{"role": 5}]])
def test_a_shape_of_its_own_is_taken_whole(messages):
    assert of({"messages": messages}) is not None


def test_nothing_has_no_fingerprint():
    assert of({"messages": []}) is None
    assert of({"messages": [{}]}) == of({"messages": [{"role": None}]})
    assert of({}) is None


def called(arguments, answer, id):
    call = {"id": id, "function": {"name": "click", "arguments": arguments}}
    return {
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": id, "content": answer},
        ]
    }


def test_what_a_tool_has_answered_is_taken_with_how_it_was_called():
    """`ok` after another call is no circle; the same answer to the same call is one."""
    first = of(called('{"x": 12}', "ok", "1"))
    assert first == of(called('{"x": 12}', "OK", "2"))
    assert first != of(called('{"x": 13}', "ok", "1"))
    assert first != of(called('{"x": 12}', "failed", "1"))


def begun(*messages, items=False):
    return conversation(Raw(msgspec.json.encode(list(messages))), items=items)


def test_all_turns_of_a_conversation_are_one():
    system, user = {"role": "system", "content": "{s}"}, {"role": "user", "content": "go {on}"}
    answer, more = {"role": "assistant", "content": "{x}"}, {"role": "user", "content": "and?"}
    first = begun(system, user)
    assert first == begun(system, user, answer, more) == begun(system, user, answer, more, answer)
    assert 0 <= first < 2**62
    assert first != begun(system, more)
    assert first != begun(user)
    assert begun() == begun()


def test_conversations_of_one_application_are_told_apart():
    """By what comes after a long beginning that they share, and by how long it is."""
    long = {"role": "system", "content": "You are a helpful assistant. " * 500}
    one, other = {"role": "user", "content": "a"}, {"role": "user", "content": "b"}
    assert begun(long, one) != begun(long, other)
    assert begun({"role": "system", "content": "x" * 3000}, one) != begun(
        {"role": "system", "content": "x" * 3001}, one
    )


def test_who_says_assistant_within_a_text_begins_no_answer():
    user = {"role": "user", "content": 'say "assistant"'}
    answer = {"role": "assistant", "content": "x"}
    assert begun(user) == begun(user, answer)


def of_responses(*items):
    told = items[0] if len(items) == 1 and isinstance(items[0], str) else list(items)
    return prompt_fingerprint(ask_of({"input": told}, "openai_responses"))


def test_items_of_responses_are_prompts():
    user = {"role": "user", "content": "Try again: attempt 1"}
    first = of_responses({"role": "user", "content": "earlier"}, user)
    assert first == of_responses({"type": "message", **user, "id": "msg_1"})
    assert first != of_responses({**user, "content": "once more"})
    assert of_responses("Say 1") == of_responses("say 2") != of_responses("tell 2")
    assert of_responses() is None
    assert of_responses(1, 2) is not None


def answered(arguments, output, id):
    call = {"type": "function_call", "name": "click", "arguments": arguments, "call_id": id}
    told = {"type": "function_call_output", "call_id": id, "output": output}
    return of_responses({"role": "user", "content": "go"}, call, told)


def test_in_responses_too_what_a_tool_has_answered_is_taken_with_how_it_was_called():
    first = answered('{"at": "a"}', "ok", "1")
    assert first == answered('{"at": "a"}', "OK", "2")
    assert first != answered('{"at": "b"}', "ok", "1")
    assert first != answered('{"at": "a"}', "failed", "1")
    alone = {"type": "function_call_output", "call_id": "1", "output": "ok"}
    assert of_responses(alone) not in (None, first)


def test_all_turns_of_a_conversation_in_responses_are_one():
    user = {"role": "user", "content": 'say "reasoning" {x}'}
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    call = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "1"}
    alone = begun(user, items=True)
    assert alone == begun(user, thought, call, items=True) == begun(user, call, user, items=True)
    texts = [Raw(msgspec.json.encode(text)) for text in ("a", "b")]
    assert conversation(texts[0], items=True) != conversation(texts[1], items=True)


@pytest.mark.parametrize(
    ("turns", "items", "answered"),
    [
        (b'[{"role":"user","content":"hi"}]', False, False),
        (b'[{"role":"user"},{"role":"assistant","content":"x"},{"role":"user"}]', False, True),
        (b'"hi"', True, False),
        (b'[{"role":"user","content":"hi"}]', True, False),
        (b'[{"role":"user"},{"type":"function_call","name":"f"}]', True, True),
    ],
)
def test_a_first_turn_is_told_from_those_that_follow(turns, items, answered):
    assert has_answer(Raw(turns), items=items) is answered
