"""The prompts of a promptfoo configuration, whoever reads them."""

import pytest

from tidegate.config.tree import MapNode, read_tree
from tidegate.prompts.promptfoo_written import Written, read_written


def written(text: str, **files: bytes) -> tuple[list[Written], list[str]]:
    """Files by their names, with `__` for the point."""
    there = {name.replace("__", "."): data for name, data in files.items()}
    root, _ = read_tree(text.encode(), "config")
    assert isinstance(root, MapNode)
    said: list[str] = []

    def of(name: str) -> list[tuple[str, bytes]]:
        path = name.removeprefix("file://")
        if path not in there:
            raise ValueError(f"there is no {path}")
        return [(path, there[path])]

    found = read_written(
        root.pairs["prompts"][1], of, lambda mark, key, what: said.append(f"{mark} {key}: {what}")
    )
    return found, said


@pytest.mark.parametrize(
    ("text", "label", "found"),
    [
        ("prompts: 'Say {{ n }}'", "", "Say {{ n }}"),
        ("prompts: ['Say {{ n }}']", "", "Say {{ n }}"),
        ("prompts: {raw: Hi, id: x}", "x", "Hi"),
        ("prompts: [{raw: Hi, id: x, label: short}]", "short", "Hi"),
        ("prompts: {short: Hi}", "short", "Hi"),
        ("prompts: [{id: file://a.md, label: short}]", "short", "A\n---\nB"),
        ("prompts: a.md", "a", "A\n---\nB"),
        ("prompts: [{raw: 'run.py'}]", "", "run.py"),
        ("prompts: a.yaml", "a", '[{"role":"user"}]'),
    ],
)
def test_a_prompt_is_called_as_it_is_written(text: str, label: str, found: str) -> None:
    [one], said = written(text, a__md=b"A\n---\nB\n", a__yaml=b"- role: user\n")
    assert (one.label, one.text, said) == (label, found, [])


def test_a_file_may_hold_several() -> None:
    files = {"a__txt": b"one\r\n---\r\ntwo\r\n", "b__jsonl": b'[{"a":1}]\n\n[{"b":2}]\n'}
    found, _ = written("prompts: [a.txt, file://b.jsonl]", **files)
    assert [(it.label, it.text, it.is_chat) for it in found] == [
        ("a-1", "one", False),
        ("a-2", "two", False),
        ("b-1", '[{"a":1}]', True),
        ("b-2", '[{"b":2}]', True),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("prompts: [make.py:basic]", "is a program"),
        ("prompts: [{id: 'file://make.js'}]", "is a program"),
        ("prompts: ['https://x.example/p.txt']", "is not fetched"),
        ("prompts: [a.csv]", "lies in a text, JSON or YAML file"),
    ],
)
def test_what_has_no_text_says_why(text: str, why: str) -> None:
    [one], said = written(text, a__csv=b"prompt\n")
    assert one.text is None
    assert why in one.why
    assert said == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prompts: [ok, gone.txt]", "1: there is no gone.txt"),
        ("prompts: {a: gone.txt}", "a: there is no gone.txt"),
        ("prompts: [{label: x}]", "0: expected `raw` or `id`"),
        ("prompts: [[x]]", "0: expected a text"),
        ("prompts: [bad.txt]", "bad.txt is not UTF-8 text"),
        ("prompts: [bad.yaml]", "bad.yaml"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_others_are_there(text: str, told: str) -> None:
    found, said = written(text, bad__txt=b"\xff", bad__yaml=b"[")
    assert len(said) == 1
    assert told in said[0]
    assert len(found) == text.count("ok")
