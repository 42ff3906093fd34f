"""The turns of a conversation in Gemini's wire: roles, calls and their results, what was signed."""

from typing import Any

import msgspec
import pytest

from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refused,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.core.outcome import Refusal
from tidegate.providers._gemini_contents import Contents

UNPROVEN = "skip_thought_signature_validator"


def written(
    *turns: Turn, model: str = "gemini-2.5-flash", drop: bool = False, **more: Any
) -> tuple[list[Any], list[Any], list[str]]:
    """(contents, instructions, what is left out), as they stand in the body."""
    said = Conversation(list(turns), names={"turns": "messages"}, **more)
    losses = Losses(said, "gemini", drop=drop)
    contents = Contents(said, model, losses)
    body = msgspec.json.encode([contents.contents, contents.instructions])
    return (*msgspec.json.decode(body), losses.names)


def user(*parts: Part) -> Turn:
    return Turn("user", parts)


def model(*parts: Part) -> Turn:
    return Turn("assistant", parts)


def only(part: Part, **more: Any) -> Any:
    ((content,), _, _) = written(user(part), **more)
    (block,) = content["parts"]
    return block


def test_roles_alternate_and_a_text_of_nothing_is_left_out() -> None:
    contents, instructions, names = written(
        user(Text("a")),
        user(Text(""), Text("b")),
        model(Text("")),
        model(Refused("no")),
        Turn("system", (Text("be brief"),)),
        user(Text("c")),
        instructions=[Text("be kind"), Text("")],
    )
    assert contents == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        {"role": "model", "parts": [{"text": "no"}]},
        {"role": "user", "parts": [{"text": "c"}]},
    ]
    assert instructions == [{"text": "be kind"}, {"text": "be brief"}]
    assert names == []


def test_results_answer_their_calls_all_together() -> None:
    contents, _, _ = written(
        model(ToolCall("c1", "look", '{"at": 1.50}'), ToolCall("c2", "hear", "")),
        user(ToolResult("c2", (Text("x"), Text("y")))),
        user(ToolResult("c1", (Text("broken"),), is_error=True), Text("go on")),
    )
    assert contents == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {"id": "c1", "name": "look", "args": {"at": 1.5}}},
                {"functionCall": {"id": "c2", "name": "hear", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c2",
                        "name": "hear",
                        "response": {"output": ["x", "y"]},
                    }
                },
                {
                    "functionResponse": {
                        "id": "c1",
                        "name": "look",
                        "response": {"error": "broken"},
                    }
                },
            ],
        },
        {"role": "user", "parts": [{"text": "go on"}]},
    ]


def test_a_result_brings_its_images_and_no_guess_of_its_text() -> None:
    image = Image("aWE=", "image/png")
    result = ToolResult("c", (Text('{"a":1}'), image, Document(text="page")))
    contents, _, _ = written(model(ToolCall("c", "f", "{}")), user(result))
    assert contents[1]["parts"][0]["functionResponse"] == {
        "id": "c",
        "name": "f",
        "response": {"output": ['{"a":1}', "page"]},
        "parts": [{"inlineData": {"mimeType": "image/png", "data": "aWE="}}],
    }


def test_a_result_of_no_call_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        written(user(ToolResult("c9", (Text("x"),))))
    assert (refused.value.code.name, refused.value.param) == ("invalid_parameter", "messages")


def test_a_name_that_was_used_twice_answers_the_later_call() -> None:
    contents, _, _ = written(
        model(ToolCall("c", "first", "{}")),
        user(ToolResult("c")),
        model(ToolCall("c", "second", "{}")),
        user(ToolResult("c")),
    )
    names = [contents[at]["parts"][0]["functionResponse"]["name"] for at in (1, 3)]
    assert names == ["first", "second"]


@pytest.mark.parametrize("arguments", ["[1]", '"x"', "{", '{"a":1} x', "null", '{"a":"\\ud800"}'])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    with pytest.raises(Refusal) as refused:
        written(model(ToolCall("c", "f", arguments)))
    assert (refused.value.code.name, refused.value.param) == ("invalid_parameter", "messages")


def test_arguments_keep_their_bytes() -> None:
    said = Conversation([model(ToolCall("c", "f", ' {"a": 1e3, "b": 1.50}\n'))])
    contents = Contents(said, "gemini-2.5-pro", Losses(said, "gemini", drop=False)).contents
    assert b'"args":{"a": 1e3, "b": 1.50}' in msgspec.json.encode(contents)


def test_what_gemini_signed_goes_back_where_it_stood() -> None:
    signed = ToolCall("c1", "f", "{}", "c2ln", "gemini")
    contents, _, names = written(
        model(
            Reasoning("hm", "dGg=", None, "gemini"),
            Text("so"),
            Reasoning("", "dHh0", None, "gemini"),
            signed,
            ToolCall("c2", "f", "{}"),
        ),
        model="gemini-3-pro-preview",
    )
    assert contents[0]["parts"] == [
        {"text": "hm", "thought": True, "thoughtSignature": "dGg="},
        {"text": "so"},
        {"text": "", "thoughtSignature": "dHh0"},
        {
            "functionCall": {"id": "c1", "name": "f", "args": {}},
            "thoughtSignature": "c2ln",
        },
        {"functionCall": {"id": "c2", "name": "f", "args": {}}},
    ]
    assert names == []


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning("hm"),
        Reasoning("hm", wire="gemini"),
        Reasoning("hm", "c2ln", None, "anthropic"),
        Reasoning("", None, "gAAA", "openai_responses"),
    ],
)
def test_reasoning_that_it_cannot_check_is_left_out_and_named(thought: Reasoning) -> None:
    contents, _, names = written(model(thought, Text("a")))
    assert contents == [{"role": "model", "parts": [{"text": "a"}]}]
    assert names == ["reasoning"]


@pytest.mark.parametrize(
    ("name", "signatures"),
    [
        ("gemini-2.5-pro", [None, None, None]),
        ("gemini-2.0-flash", [None, None, None]),
        ("gemini-3-pro-preview", [UNPROVEN, None, UNPROVEN]),
        ("models/gemini-3.8-flash", [UNPROVEN, None, UNPROVEN]),
        ("gemini-flash-latest", [UNPROVEN, None, UNPROVEN]),
        ("gemma-4-31b-it", [None, None, None]),
    ],
)
def test_calls_of_another_model_say_so_to_models_that_want_proof(
    name: str, signatures: list[str | None]
) -> None:
    calls = [ToolCall(f"c{at}", "f", "{}", "c2ln", "anthropic") for at in range(3)]
    contents, _, names = written(
        model(Text("a"), calls[0], calls[1]), user(ToolResult("c0")), model(calls[2]), model=name
    )
    blocks = [block for content in contents for block in content["parts"]]
    found = [block.get("thoughtSignature") for block in blocks if "functionCall" in block]
    assert found == signatures
    assert names == ["reasoning"]


def test_media_go_as_bytes_or_as_an_address() -> None:
    pdf = Document("JVBERg==", "application/pdf")
    assert only(Image("aWE=", "image/png")) == {
        "inlineData": {"mimeType": "image/png", "data": "aWE="}
    }
    assert only(Image(url="https://x/a.JPG?b=.png")) == {
        "fileData": {"mimeType": "image/jpeg", "fileUri": "https://x/a.JPG?b=.png"}
    }
    assert only(Image(url="https://x/a")) == {"fileData": {"fileUri": "https://x/a"}}
    assert only(pdf) == {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}}
    assert only(Document(url="https://x/a", media_type="text/csv")) == {
        "fileData": {"mimeType": "text/csv", "fileUri": "https://x/a"}
    }
    assert only(Document(text="page")) == {"text": "page"}


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Image(file_id="file-1"), "file_id"),
        (Document(file_id="file-1"), "file_id"),
        (Document(text="a", context="of a book"), "context"),
    ],
)
def test_what_has_no_place_is_refused_or_left_out(part: Image | Document, name: str) -> None:
    with pytest.raises(Refusal) as refused:
        written(user(part))
    assert refused.value.param == name
    assert written(user(Text("a"), part), drop=True)[2] == [name]


def test_what_changes_no_answer_is_left_out_and_named() -> None:
    cached = Text("a", CacheMark())
    image = Image("aWE=", "image/png", detail="low", cache=CacheMark("1h"))
    contents, _, names = written(user(cached, image, Document(text="b", title="b.txt")))
    assert contents[0]["parts"] == [
        {"text": "a"},
        {"inlineData": {"mimeType": "image/png", "data": "aWE="}},
        {"text": "b"},
    ]
    assert names == ["cache", "detail", "title"]
    marked = ToolResult("c", (Text("a"),), cache=CacheMark())
    assert written(model(ToolCall("c", "f", "{}")), user(marked))[2] == ["cache"]


def test_a_participants_name_has_no_place() -> None:
    with pytest.raises(Refusal) as refused:
        written(Turn("user", (Text("a"),), "alice"))
    assert refused.value.param == "name"
