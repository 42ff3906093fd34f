"""Files of versions and of partials: what they say, or where they are wrong."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.prompt import Input, Output, Pin, Prompt, Turn
from tidegate.prompts.read import MAX_FILE_BYTES, build, read_partial, read_version, wrong_with

WHOLE = b"""---
inputs:
  name: string
  docs: {type: array, default: [a, 1], description: what was found}
  tone: {type: string, default: null}
parameters: {temperature: 0.2, stop: ["\\n"]}
tools:
  - {type: function, function: {name: find}}
models: [gpt-4o, {model: claude-sonnet-4-5, snapshot: claude-sonnet-4-5-20250929}]
output: {json: true, max_length: 4k, json_schema: {type: object}}
owner: ada
suites: [golden]
---

{# role: system #}

Help {{ name }}{{ tone }}.

{# role: user #}
{{ docs }}
{#- role: assistant -#}
Sure.
"""


def test_a_version_is_the_same_bytes_from_its_file_and_from_a_plan() -> None:
    """Or no control could start again over a plan that it has published."""
    shown = WHOLE.replace(b"name: string", b"name: {type: string, description: whose}")
    first = msgspec.msgpack.encode(build("a", "v1", read_version(shown, "a/v1.jinja2"), {}))
    again = msgspec.msgpack.encode(msgspec.msgpack.decode(first, type=Prompt))
    assert again == first


def test_all_that_a_version_says() -> None:
    read = read_version(WHOLE, "a/v1.jinja2")
    assert read.problems == ()
    prompt = build("a", "v1", read, {})
    assert prompt.turns == (
        Turn("system", "Help {{ name }}{{ tone }}."),
        Turn("user", "{{ docs }}"),
        Turn("assistant", "Sure."),
    )
    assert [turn.line for turn in read.turns] == [17, 20, 22]
    assert prompt.inputs == (
        Input("name"),
        Input("docs", "array", '["a",1]', "what was found"),
        Input("tone", "string", "null"),
    )
    assert prompt.parameters == (("stop", '["\\n"]'), ("temperature", "0.2"))
    assert prompt.tools == '[{"type":"function","function":{"name":"find"}}]'
    assert prompt.pins == (
        Pin("gpt-4o"),
        Pin("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    )
    assert prompt.output == Output(json=True, json_schema='{"type":"object"}', max_chars=4000)
    assert (prompt.owner, prompt.suites) == ("ada", ("golden",))
    assert wrong_with(prompt, read) == ()


def test_a_file_without_roles_is_one_system_message() -> None:
    read = read_version("\ufeffHi.\r\nYou.\r\n".encode(), "f")
    assert [(it.role, it.source) for it in read.turns] == [("system", "Hi.\nYou.")]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "f:1:1: the system message is empty"),
        (b"a\n\xff\n", "f:2:1: this line is not UTF-8 text"),
        (b"a\x00", "f:1:1: it holds a control character"),
        (b"---\nowner: a\n", "f:1:1: the front matter that begins here is not closed"),
        (b"---\nowner: [a\n---\nx", "f:3:1: this is not YAML"),
        (b"---\nowne: a\n---\nx", 'f:2:1: owne: unknown key; did you mean "owner"?'),
        (b"---\ninputs: {a: strin}\n---\nx", "f:2:13: inputs.a.type: expected `string`"),
        (b"---\ninputs: {_a: string}\n---\nx", "f:2:10: inputs._a: a variable is called by"),
        (b"---\ninputs: {loop: string}\n---\nx", "inputs.loop: a variable is called by"),
        (
            b"---\ninputs:\n  a: {type: integer, default: x}\n---\nx",
            "f:3:31: inputs.a.default: the default is of the type string, not of the type integer",
        ),
        (b"---\nparameters: {model: a}\n---\nx", "f:2:14: parameters.model: that is no parameter"),
        (b"---\ntools: 3\n---\nx", "f:2:8: tools: write a list of tools"),
        (b"---\ntools: [{type: function}]\n---\nx", "f:2:8: tools: write a list of tools"),
        (
            b"---\nparameters: {max_tokens: lots}\n---\nx",
            "parameters.max_tokens: it must be a whole number",
        ),
        (b"---\noutput: {json_schema: {type: 3}}\n---\nx", "f:2:23: output.json_schema"),
        (b"---\noutput: {regex: '('}\n---\nx", "f:2:17: output.regex"),
        (b"---\nowner: a\nowner: b\n---\nx", 'f:3:1: the key "owner" is already on line 2'),
        (b"---\nowner: !!python/name:os.system a\n---\nx", "uses no YAML tags"),
        (b"x\n{# role: user #}\ny", "f:1:1: this text stands before the first role"),
        (b"{# role: bob #}\ny", 'f:1:1: there is no role "bob"; there are system'),
        (b"{# role: usr #}\ny", 'did you mean "user"?'),
        (b"{# role: user #} y", "f:1:1: write `{# role: user #}` on a line of its own"),
        (b"{# role: user #}\n\n{# role: user #}\ny", "f:3:1: the user message is empty"),
        (b"{# role: user #}\nx\n{{ a ~ b }}", "f:3:1: write {{ a }}{{ b }}"),
        (b"{# role: user #}\nx\n" * 101, "f:201:1: a prompt has at most 100 messages"),
        (b"x" * (MAX_FILE_BYTES + 1), "f:1:1: the file has 262,145 bytes"),
    ],
)
def test_where_a_version_is_wrong(data: bytes, told: str) -> None:
    problems = read_version(data, "f").problems
    assert any(told in str(it) for it in problems), [str(it) for it in problems]


def test_what_only_the_engine_finds_is_placed_in_the_file() -> None:
    read = read_version(b"---\nowner: a\n---\n{# role: user #}\nx\n{% if y %}\n", "f")
    [problem] = wrong_with(build("a", "v1", read, {}), read)
    assert str(problem).startswith("f:6:1: syntax error")
    read = read_version(b"{# role: user #}\n{{ y }}\n", "f")
    [problem] = wrong_with(build("a", "v1", read, {}), read)
    assert str(problem) == 'f:2:1: "y" is no input of the prompt'


def test_partials_are_text_alone() -> None:
    assert read_partial(b"\n\nBe {{ tone }}.\n", "p") == ("Be {{ tone }}.", ())
    for data, told in (
        (b"---\na: b\n---\nx", "p:1:1: a partial has no front matter"),
        (b"x\n{# role: user #}\n", "p:2:1: a partial is a part of a message"),
        (b"\n\nx\n{{ a ~ b }}", "p:4:1: write"),
    ):
        source, problems = read_partial(data, "p")
        assert source == ""
        assert str(problems[0]).startswith(told)


@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_any_bytes_give_a_version_or_problems(noise: bytes, at: int) -> None:
    for data in (noise, WHOLE[:at] + noise + WHOLE[at:], b"---\n" + noise + b"\n---\nx"):
        read = read_version(data, "f")
        if not read.problems:
            wrong_with(build("a", "v1", read, {}), read)
        assert all(it.file == "f" and it.message for it in read.problems)
