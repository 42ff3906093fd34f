"""What makes two versions the same."""

import pytest

from tidegate.core.prompt import Prompt
from tidegate.prompts.canonical import Changed, canonical_json, changed_versions
from tidegate.prompts.read import build, read_version

PLAIN = """---
inputs: {a: string, b: {type: number, default: 1.5}}
parameters: {temperature: 1, top_p: 0.5}
tools: [{type: function, function: {name: f, x: 1}}]
models: [m, {model: n, snapshot: s}]
output: {json: true}
---
{# role: system #}
Hi {{ a }} {{ b }}.
"""


def digest(text: str, partials: dict[str, str] | None = None) -> str:
    read = read_version(text.encode(), "f")
    assert not read.problems, [str(it) for it in read.problems]
    return build("p", "v1", read, partials or {}).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n", "\r\n"),
        ("inputs:", "# why\ninputs:"),
        (
            "{a: string, b: {type: number, default: 1.5}}",
            "{b: {default: 1.5, type: number}, a: {}}",
        ),
        ("{temperature: 1, top_p: 0.5}", "{top_p: 0.50, temperature: 1.0}"),
        ("[m, {model: n, snapshot: s}]", "\n  - {snapshot: s, model: n}\n  - model: m"),
        ("Hi {{", "Hi{# nobody sees this #} {{"),
        ("\nHi", "\n\n\nHi"),
        ("{a: string,", "{a: {type: string, description: who},"),
        ("output:", "owner: ada\nsuites: [golden]\noutput:"),
    ],
)
def test_what_does_not_count(old: str, new: str) -> None:
    assert old in PLAIN
    first = digest(PLAIN.replace("Hi {{", "Hi{##} {{") if "{#" in new else PLAIN)
    assert digest(PLAIN.replace(old, new)) == first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Hi", "hi"),
        ("Hi ", "Hi  "),
        ("Hi", "Hi\u0301"),
        ("system", "user"),
        ("temperature: 1", "temperature: 0.9"),
        ("top_p: 0.5", "seed: 1"),
        ("{name: f, x: 1}", "{x: 1, name: f}"),
        ("snapshot: s", "snapshot: t"),
        ("{json: true}", "{json: false, tools: true}"),
        ("default: 1.5", "default: 1.25"),
        ("type: number, default: 1.5", "type: number"),
        ("{a: string,", "{a: object,"),
    ],
)
def test_what_counts(old: str, new: str) -> None:
    assert old in PLAIN
    assert digest(PLAIN.replace(old, new)) != digest(PLAIN)


def test_accents_in_another_form_are_another_prompt() -> None:
    composed, apart = PLAIN.replace("Hi", "H\u00ed"), PLAIN.replace("Hi", "Hi\u0301")
    assert digest(composed) != digest(apart)


def test_partials_count_with_their_names() -> None:
    digests = {digest(PLAIN, it) for it in ({}, {"p/v1": "x"}, {"p/v1": "y"}, {"p/v2": "x"})}
    assert len(digests) == 4
    assert digest(PLAIN, {"p/v1": "x{# y #}"}) == digest(PLAIN, {"p/v1": "x{##}"})


def test_the_name_and_the_digest_itself_do_not_count() -> None:
    read = read_version(PLAIN.encode(), "f")
    assert build("p", "v1", read, {}).digest == build("q", "v2", read, {}).digest
    assert len(build("p", "v1", read, {}).digest) == 64
    assert isinstance(build("p", "v1", read, {}), Prompt)


def test_numbers_are_one_way_of_writing() -> None:
    assert canonical_json(' {"a": 1.0, "b": [1e2, 0.10]}') == '{"a":1,"b":[100,0.1]}'


def test_a_version_that_says_something_else_is_told() -> None:
    known = {("p", "v1"): "one", ("p", "v2"): "two"}
    now = {("p", "v1"): "one", ("p", "v2"): "other", ("q", "v1"): "new"}
    assert changed_versions(known, now) == (Changed("p", "v2", "two", "other"),)
    assert changed_versions({}, now) == ()
