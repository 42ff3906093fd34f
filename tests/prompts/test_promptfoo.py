"""The prompts of promptfoo configurations."""

from pathlib import Path

import pytest

from tidegate.core.prompt import Input
from tidegate.prompts.imported import Imported
from tidegate.prompts.promptfoo import read_config


def read(tmp_path: Path, text: str, **files: str) -> tuple[list[Imported], list[str]]:
    for name, content in files.items():
        (tmp_path / name.replace("__", ".")).write_text(content)
    file = tmp_path / "promptfooconfig.yaml"
    found, problems = read_config(text.encode(), file)
    return found, [str(it).removeprefix(f"{file}:") for it in problems]


def test_texts_chats_and_files(tmp_path: Path) -> None:
    config = """
prompts:
  - 'Translate {{text}} to {{ language | upper }}'
  - {label: Kind One, raw: 'Be kind to {{name}}.'}
  - file://two.txt
  - {id: 'file://chat.json', label: chat}
  - file://chat.yaml
  - '[{"role": "system", "content": "{{a}}"}, {"role": "user", "content": "{{b.c}}"}]'
"""
    chat = '[{"role": "system", "content": "S"}, {"role": "user", "content": "{{q}}"}]'
    yaml = "- role: user\n  content: '{% for d in docs %}{{ d }}{% endfor %}'\n"
    files = {"two__txt": "one {{x}}\n---\ntwo\n", "chat__json": chat, "chat__yaml": yaml}
    found, problems = read(tmp_path, config, **files)
    assert problems == []
    names = [it.prompt.name for it in found]
    assert names == ["prompt-1", "kind-one", "two-1", "two-2", "chat", "chat", "prompt-7"]
    assert found[0].prompt.inputs == (Input("text"), Input("language"))
    assert found[0].prompt.turns[0].role == "user"
    assert [it.role for it in found[4].prompt.turns] == ["system", "user"]
    assert found[5].prompt.inputs == (Input("docs", "array"),)
    assert found[6].prompt.inputs == (Input("a"), Input("b", "object"))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("tests: []", "1:1: it has no `prompts:`"),
        ("prompts: [", "this is not YAML"),
        (
            "prompts:\n  - prompts.py:basic",
            '2:5: "prompts.py:basic" is a program',
        ),
        ("prompts:\n  - file://make.js", "2:5: "),
        ("prompts:\n  - file://../secret.txt", "name one file that lies beside"),
        ("prompts:\n  - file:///etc/passwd", "name one file that lies beside"),
        ("prompts:\n  - file://link.txt", "cannot be read"),
        ("prompts:\n  - file://gone.txt", "gone.txt cannot be read"),
        ("prompts:\n  - file://a.csv", "a prompt lies in a text, JSON or YAML file"),
        ("prompts:\n  - {label: x}", "2:5: expected `raw` or `id`"),
        ("prompts:\n  - [x]", "2:5: expected a text"),
        ("prompts:\n  - 'ok'\n  - '{{ a.b() }}'", "3:5: nothing is called here"),
        ("prompts:\n  - '{{ _a }}'", "2:5: names that begin with `_`"),
        ("prompts:\n  - '{% if a %}'", "2:5: message 1, line 1: syntax error"),
        ('prompts:\n  - \'[{"role": "user"}]\'', "message 1: expected `role` and a text"),
    ],
)
def test_what_cannot_be_taken_is_told_with_its_place(
    tmp_path: Path, config: str, told: str
) -> None:
    (tmp_path / "link.txt").symlink_to("/etc/passwd")
    found, problems = read(tmp_path, config, a__csv="x")
    assert len(problems) == 1
    assert told in problems[0]
    assert len(found) == config.count("ok")


@pytest.mark.evals
def test_the_published_configurations_are_read_or_told_of(repository: Path) -> None:
    folder = repository.parent / "shared/evals/formats/promptfoo"
    for file in folder.glob("*.yaml"):
        found, problems = read_config(file.read_bytes(), file)
        assert found or problems
        assert all(it.mark.line > 1 and "not executed" in it.message for it in problems)
