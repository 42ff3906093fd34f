import msgspec
import pytest

from tidegate.sim import asked, generation, text
from tidegate.sim.asked import Chat, Completion, Problem
from tidegate.sim.generation import Bounds, Job

BOUNDS = Bounds(seed=1, context_tokens=1000, block_tokens=16)
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
OTHER = {"type": "function", "function": {"name": "time"}}


def chat(bounds: Bounds = BOUNDS, **members) -> Job:
    body = {"model": "m", "messages": [{"role": "user", "content": "hello"}], **members}
    return generation.chat_job(asked.read(msgspec.json.encode(body), Chat), "id", bounds)


def completion(**members) -> Job:
    body = {"model": "m", "prompt": "hello", **members}
    read = asked.read(msgspec.json.encode(body), Completion)
    return generation.completion_job(read, "id", BOUNDS)


def said(job: Job) -> list[str]:
    return ["".join(choice.tokens) for choice in job.choices]


def test_the_same_request_gets_the_same_answer():
    assert said(chat()) == said(chat())
    assert said(chat()) != said(chat(seed=5)) != said(chat(seed=6))
    assert said(chat()) != said(chat(messages=[{"role": "user", "content": "other"}]))
    assert said(chat()) != said(chat(bounds=msgspec.structs.replace(BOUNDS, seed=2)))


def test_tokens_shown_are_tokens_generated():
    for seed in range(50):
        job = chat(seed=seed)
        (choice,) = job.choices
        assert len(text.pieces("".join(choice.tokens))) == choice.generated
        assert job.requests[0].output_tokens == choice.generated
        assert choice.finish_reason == "stop"


@pytest.mark.parametrize(
    ("members", "tokens", "reason"),
    [
        ({"max_tokens": 3}, 3, "length"),
        ({"max_completion_tokens": 4, "max_tokens": 9}, 4, "length"),
        ({"max_tokens": 700, "ignore_eos": True}, 700, "length"),
        ({"max_tokens": 900, "min_tokens": 600}, 600, "stop"),
    ],
)
def test_limits_on_length(members, tokens, reason):
    (choice,) = chat(**members).choices
    assert (choice.generated, choice.finish_reason) == (tokens, reason)


def test_the_operator_may_fix_the_length():
    bounds = msgspec.structs.replace(BOUNDS, output_tokens=7)
    assert chat(bounds).choices[0].generated == 7
    assert chat(bounds, max_tokens=5).choices[0].finish_reason == "length"


def test_a_stop_sequence_ends_the_text_and_its_tokens_count():
    whole = said(chat())[0]
    stop = whole.split()[4]
    (choice,) = chat(stop=[stop]).choices
    assert "".join(choice.tokens) == whole.split(stop)[0]
    assert choice.finish_reason == "stop"
    assert choice.generated < chat().choices[0].generated


def test_choices_differ_and_share_their_prompt():
    job = chat(n=3)
    assert len(set(said(job))) == 3
    assert len({request.id for request in job.requests}) == 3
    assert {request.prompt_tokens for request in job.requests} == {job.prompt_tokens}


def test_an_answer_sent_back_continues_the_cached_prefix():
    long = "word " * 40
    job = chat(messages=[{"role": "user", "content": long}])
    again = chat(
        messages=[
            {"role": "user", "content": long},
            {"role": "assistant", "content": said(job)[0]},
            {"role": "user", "content": "go on"},
        ]
    )
    first, second = job.requests[0], again.requests[0]
    total = first.prompt_tokens + first.output_tokens
    assert len(first.keys) == total // 16
    assert second.keys[: len(first.keys)] == first.keys


def test_models_and_salts_share_no_cache():
    messages = [{"role": "user", "content": "word " * 40}]
    keys = [
        chat(messages=messages, **members).requests[0].keys[0]
        for members in ({}, {"model": "n"}, {"cache_salt": "s"})
    ]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "weather"}}]
)
def test_a_required_tool_is_called_with_valid_arguments(choice):
    (made,) = chat(tools=[TOOL], tool_choice=choice).choices
    assert made.finish_reason == "tool_calls"
    (call,) = made.calls
    assert (call.name, msgspec.json.decode(call.arguments)) == ("weather", {"city": "tide"})
    assert "".join(made.tokens) == call.arguments


def test_auto_calls_a_tool_by_seed():
    called = [bool(chat(tools=[TOOL], seed=seed).choices[0].calls) for seed in range(40)]
    assert 8 < sum(called) < 32
    assert not chat(tools=[TOOL], tool_choice="none").choices[0].calls


def test_parallel_calls_have_ids_of_their_own():
    (made,) = chat(tools=[TOOL, OTHER], tool_choice="required", parallel_tool_calls=True).choices
    assert [call.name for call in made.calls] == ["weather", "time"]
    assert len({call.id for call in made.calls}) == 2


def test_json_is_written_to_its_schema():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    written = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert said(chat(response_format=written)) == ['{"n":0}']
    assert said(chat(response_format={"type": "json_object"})) == ["{}"]
    assert chat(response_format=written, max_tokens=2).choices[0].finish_reason == "length"


def test_completions_take_several_prompts_and_ids():
    job = completion(prompt=["hello", "there you"], n=2, max_tokens=5)
    assert (job.prompt_tokens, len(job.choices)) == (3, 4)
    assert completion(prompt=[7, 8, 9]).prompt_tokens == 3
    assert completion().choices[0].generated == 16


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"messages": []}, "must not be empty"),
        ({"max_tokens": 0, "max_completion_tokens": -1}, "at least 1"),
        ({"n": 0}, "n must be"),
        ({"n": 10**9}, "n must be"),
        (
            {"max_tokens": 1000},
            "maximum context length is 1000 tokens. However, you requested 1004",
        ),
        ({"stream_options": {"include_usage": True}}, "Stream options"),
        ({"tool_choice": "required"}, "needs `tools`"),
        ({"tools": [TOOL], "tool_choice": {"function": {"name": "no"}}}, "no tool 'no'"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#"}}}},
            "Invalid schema",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(members, says):
    with pytest.raises(Problem, match=says):
        chat(**members)


def test_an_empty_prompt_is_refused():
    with pytest.raises(Problem, match="must not be empty"):
        completion(prompt="")


def test_embeddings_compute_prompts_only():
    made = generation.embedding_requests([[1] * 32, [2]], "id", BOUNDS)
    assert [(r.prompt_tokens, r.output_tokens, len(r.keys)) for r in made] == [
        (32, 0, 2),
        (1, 0, 0),
    ]


def test_parts_and_calls_of_messages_are_counted():
    plain = chat(messages=[{"role": "user", "content": "a b"}]).prompt_tokens
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": " b"}]
    assert chat(messages=[{"role": "user", "content": parts}]).prompt_tokens == plain
    image = [*parts, {"type": "image_url", "image_url": {"url": "x"}}]
    assert chat(messages=[{"role": "user", "content": image}]).prompt_tokens > plain
    assert chat(tools=[TOOL]).prompt_tokens > chat().prompt_tokens
