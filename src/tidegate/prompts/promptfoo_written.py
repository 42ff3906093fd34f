"""The prompts of a promptfoo configuration as it writes them: texts, chats, and files beside it.
What is a program is never executed."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import Final

from msgspec import Struct

from tidegate.config.json_value import value_text
from tidegate.config.problem import Mark
from tidegate.config.tree import ListNode, MapNode, Node, ScalarNode, read_tree
from tidegate.core.words import quoted

CODE: Final = re.compile(
    r".*\.(?:py|js|ts|cjs|mjs|cts|mts|rb|go|sh|exe|bat|ps1)(?::.*)?", re.DOTALL
)
ELSEWHERE: Final = re.compile(r"(?:https?|huggingface|az|s3|gs|package)://|package:|exec:", re.I)
_FILE: Final = re.compile(r"(?:file://.*|[^\s{}]+\.(?:txt|jsonl?|ya?ml|md|j2|jinja2|njk|csv))")
_BETWEEN: Final = re.compile(r"^---[ \t]*$", re.MULTILINE)
_TEXTS: Final = (".txt", ".md", ".j2", ".jinja2", ".njk")
_OWN: Final = frozenset(("raw", "id", "label"))

# The files that a text names, each with its name and content. ValueError where it names none.
Files = Callable[[str], Iterable[tuple[str, bytes]]]
Say = Callable[[Mark, str, str], None]


class Written(Struct, frozen=True):
    """One prompt. `label` is empty where it is not called anything. `text` is None where none is to
    be had, and `why` says so. `is_chat`: the text is the JSON of a chat's messages."""

    label: str
    text: str | None
    mark: Mark
    is_chat: bool = False
    why: str = ""


def read_written(node: Node, files: Files, say: Say) -> list[Written]:
    """What stands under `prompts:`. `say` is told the mark, the key or number, and what is wrong of
    each that cannot be read."""
    found: list[Written] = []
    for key, label, item in _items(node):
        try:
            found += _one(item, label, files)
        except ValueError as error:
            say(item.mark, key, str(error))
    return found


def _items(node: Node) -> Iterator[tuple[str, str, Node]]:
    if isinstance(node, ListNode):
        yield from ((str(number), "", item) for number, item in enumerate(node.items))
    elif isinstance(node, MapNode) and not _OWN & node.pairs.keys():
        yield from ((name, name, item) for name, (_, item) in node.pairs.items())
    else:
        yield "", "", node


def _one(node: Node, label: str, files: Files) -> list[Written]:
    if isinstance(node, ScalarNode):
        text = node.text
        if "\n" not in text and (CODE.fullmatch(text) or ELSEWHERE.match(text)):
            what = "is a program: it is not executed" if CODE.fullmatch(text) else "is not fetched"
            why = f"{quoted(text)} {what}; write its text out"
            return [Written(label or text, None, node.mark, why=why)]
        return _texts(text, label, node.mark, files)
    if not isinstance(node, MapNode):
        raise ValueError("expected a text, or a mapping with `raw` or `id`")
    told = {key: it for key, (_, it) in node.pairs.items() if isinstance(it, ScalarNode)}
    raw, id = told.get("raw"), told.get("id")
    named = told.get("label") or (id if raw is not None else None)
    label = label if named is None else named.text
    if raw is not None:
        return _texts(raw.text, label, raw.mark, files)
    if id is None:
        raise ValueError("expected `raw` or `id`")
    return _one(id, label, files)


def _texts(text: str, label: str, mark: Mark, files: Files) -> list[Written]:
    if not _FILE.fullmatch(text):
        return [Written(label, text, mark)]
    return [it for name, data in files(text) for it in _of_file(PurePath(name), data, label, mark)]


def _of_file(path: PurePath, data: bytes, label: str, mark: Mark) -> list[Written]:
    called, suffix = label or path.stem, path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        root, problems = read_tree(data, path.name)
        if root is None or problems:
            raise ValueError(str(problems[0]) if problems else f"{path.name} is empty")
        return [Written(called, value_text(root), mark, is_chat=True)]
    try:
        whole = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is not UTF-8 text") from None
    if suffix == ".json":
        return [Written(called, whole, mark, is_chat=True)]
    if suffix == ".jsonl":
        parts = whole.splitlines()
    elif suffix in _TEXTS:
        parts = _BETWEEN.split(whole) if suffix == ".txt" else [whole]
    else:
        why = f"{quoted(path.name)}: a prompt lies in a text, JSON or YAML file"
        return [Written(called, None, mark, why=why)]
    parts = [part.strip("\n") for part in parts if part.strip()]
    return [
        Written(called if len(parts) == 1 else f"{called}-{n}", part, mark, suffix == ".jsonl")
        for n, part in enumerate(parts, start=1)
    ]
