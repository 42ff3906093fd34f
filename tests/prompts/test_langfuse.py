"""Prompts out of Langfuse and back."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.prompts.making import rendered, sent
from tests.prompts.prompts import prompts

from tidegate.core.prompt import Input, Pin, Prompt, Turn
from tidegate.prompts.imported import Imported, ImportProblem, whole
from tidegate.prompts.langfuse import export_prompts, read_export
from tidegate.prompts.render import Renderer

# As `GET /api/public/v2/prompts/movie-critic` gives it.
TEXT: dict[str, Any] = {
    "id": "abc",
    "name": "movie-critic",
    "version": 3,
    "type": "text",
    "prompt": "As a {{criticLevel}} critic, do you like {{ movie }}? {% raw %} {",
    "config": {"model": "gpt-4o", "temperature": 0.5, "supported_languages": ["en"]},
    "labels": ["production", "latest", "Team A"],
    "tags": ["movies"],
    "commitMessage": "first",
    "createdAt": "2026-01-01T00:00:00Z",
}
CHAT: dict[str, Any] = {
    **TEXT,
    "name": "Support/Chat",
    "type": "chat",
    "prompt": [
        {"type": "chatmessage", "role": "system", "content": "You help {{name}}."},
        {"type": "placeholder", "name": "history"},
        {"role": "user", "content": "{{question}}"},
    ],
    "config": {"tools": [{"type": "function", "function": {"name": "f"}}]},
    "labels": ["canary"],
    "tags": [],
}


def read(data: Any) -> list[Imported | ImportProblem]:
    return read_export(data if isinstance(data, bytes) else msgspec.json.encode(data), "x.json")


def one(data: Any) -> Imported:
    [found] = read(data)
    assert isinstance(found, Imported), str(found)
    return found


def test_a_text_with_its_labels_and_config() -> None:
    found = one(TEXT)
    prompt = found.prompt
    assert (prompt.name, prompt.version, found.tags) == ("movie-critic", "v3", ("stable",))
    assert prompt.inputs == (Input("criticLevel"), Input("movie"))
    assert prompt.pins == (Pin("gpt-4o"),)
    assert prompt.parameters == (("temperature", "0.5"),)
    assert Renderer(prompt).render(sent(criticLevel="kind", movie="it"))[0].text == (
        "As a kind critic, do you like it? {% raw %} {"
    )
    told = " ".join(found.notes)
    assert "supported_languages" in told
    assert "movies" in told
    assert "Team A" in told


def test_a_chat_with_a_place_for_messages() -> None:
    found = one([CHAT])
    assert found.prompt.name == "support-chat"
    assert [it.role for it in found.prompt.turns] == ["system", "user", "user"]
    history = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    messages = Renderer(found.prompt).render(sent(name="A", history=history, question="?"))
    assert [it.text for it in messages] == ["You help A.", "user: a\nassistant: b", "?"]
    assert len(Renderer(found.prompt).render(sent(name="A", question="?"))) == 2


def test_lists_objects_pages_and_lines() -> None:
    lines = b"\n".join(map(msgspec.json.encode, [TEXT, CHAT]))
    for data in ([TEXT, CHAT], {"data": [TEXT, CHAT], "meta": {"page": 1}}, lines):
        assert [isinstance(it, Imported) for it in read(data)] == [True, True]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"not json", "x.json: this is no export of Langfuse's"),
        ([TEXT, {"name": "x"}], "x.json [1]: Object missing required field `prompt`"),
        ([{**TEXT, "name": "///"}], "x.json [0]: nothing of"),
        ([{**TEXT, "prompt": "{{if}}"}], 'x.json [0]: "if" cannot be a variable\'s name'),
        ([{**CHAT, "prompt": [{"role": "tool", "content": "x"}]}], "prompt[0]: expected a message"),
        ([{**CHAT, "prompt": []}], "prompt: it has no message"),
        ([{**TEXT, "config": {"tools": 3}}], "config.tools: expected a list"),
        ([{**TEXT, "version": "x"}], "Expected `int`, got `str` - at `$.version`"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(data: Any, told: str) -> None:
    problems = [it for it in read(data) if isinstance(it, ImportProblem)]
    assert len(problems) == 1
    assert told in str(problems[0])


@given(st.lists(prompts(), min_size=1, max_size=3), st.lists(st.sampled_from(["stable", "beta"])))
def test_what_was_exported_is_imported_the_same(found: list[Prompt], tags: list[str]) -> None:
    exported = export_prompts([(it, tuple(tags)) for it in found])
    imported = read(exported)
    assert [it.prompt for it in imported if isinstance(it, Imported)] == found
    assert all(isinstance(it, Imported) and it.tags == tuple(tags) for it in imported)


def test_what_langfuse_can_say_itself_it_says() -> None:
    imported = one(CHAT)
    [record] = msgspec.json.decode(export_prompts([(imported.prompt, ("stable", "canary"))]))
    assert record["prompt"] == [
        {"role": "system", "content": "You help {{name}}."},
        {"type": "placeholder", "name": "history"},
        {"role": "user", "content": "{{question}}"},
    ]
    assert (record["version"], record["type"]) == (3, "chat")
    assert record["labels"] == ["production", "canary"]
    assert one([record]).prompt == imported.prompt
    plain = whole(Prompt("p", "v2", "", (Turn("system", "Hi {{ a }}."),), (Input("a"),)))
    [record] = msgspec.json.decode(export_prompts([(plain, ())]))
    assert (record["type"], record["prompt"], record["version"]) == ("text", "Hi {{a}}.", 2)
    assert rendered("Hi {{ a }}.", a="b") == "Hi b."
