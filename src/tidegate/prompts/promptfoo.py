"""The prompts of a promptfoo configuration: texts, chats and files. Its functions in Python or
JavaScript are never executed; each is told of with its place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from tidegate.config.problem import Mark, Problem
from tidegate.config.tree import MapNode, read_tree
from tidegate.core.conversation import Role
from tidegate.core.prompt import Input, InputKind, Prompt, Turn
from tidegate.core.words import quoted
from tidegate.prompts.expressions import Token
from tidegate.prompts.folder import FolderSource
from tidegate.prompts.imported import Imported, checked_variable, named, whole
from tidegate.prompts.language import Template, TemplateRefused, read_template
from tidegate.prompts.promptfoo_written import Written, read_written
from tidegate.prompts.render import Renderer
from tidegate.prompts.rendered import RenderRefused
from tidegate.prompts.source import SourceError

_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_NO_NAMES: Final = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "loop", "true", "false"}
)


def read_config(data: bytes, file: Path) -> tuple[list[Imported], list[Problem]]:
    """The prompts of the configuration in `file`, whose own files lie beside it."""
    return _Reading(file).read(data)


class _Reading:
    def __init__(self, file: Path) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def read(self, data: bytes) -> tuple[list[Imported], list[Problem]]:
        root, problems = read_tree(data, str(self._file))
        self.problems += problems
        prompts = root.pairs.get("prompts") if isinstance(root, MapNode) else None
        if prompts is None:
            if not problems:
                self._say(Mark(1, 1), "it has no `prompts:`")
            return [], self.problems
        imported: list[Imported] = []
        written = read_written(prompts[1], self._files, lambda mark, _, what: self._say(mark, what))
        for number, found in enumerate(written, start=1):
            try:
                imported.append(_imported(found, number))
            except (ValueError, RenderRefused, TemplateRefused) as error:
                self._say(found.mark, str(error))
        return imported, self.problems

    def _files(self, name: str) -> Iterator[tuple[str, bytes]]:
        path = name.removeprefix("file://")
        if Path(path).is_absolute() or ".." in Path(path).parts or "*" in path:
            raise ValueError(f"{quoted(path)}: name one file that lies beside the configuration")
        try:
            yield path, FolderSource(self._file.parent).file(path, path)
        except SourceError as error:
            raise ValueError(str(error)) from None

    def _say(self, mark: Mark, message: str) -> None:
        self.problems.append(Problem(str(self._file), mark, (), message))


def _turns(text: str) -> tuple[tuple[Role, str], ...]:
    """A text is one user message, as promptfoo sends it; a chat in JSON is its messages."""
    if text.lstrip().startswith("["):
        try:
            return _chat(msgspec.json.decode(text))
        except msgspec.DecodeError:
            pass  # a text that begins with a bracket
    return (("user", text),)


def _chat(found: Any) -> tuple[tuple[Role, str], ...]:
    turns: list[tuple[Role, str]] = []
    for number, message in enumerate(found if isinstance(found, list) else [None]):
        told = message if isinstance(message, dict) else {}
        role, content = _ROLES.get(str(told.get("role"))), told.get("content")
        if role is None or not isinstance(content, str):
            raise ValueError(f"message {number + 1}: expected `role` and a text as `content`")
        turns.append((role, content))
    return tuple(turns)


def _imported(found: Written, number: int) -> Imported:
    if found.text is None:
        raise ValueError(found.why)
    notes: list[str] = []
    name = named(found.label or f"prompt-{number}", notes)
    told = _chat(msgspec.json.decode(found.text)) if found.is_chat else _turns(found.text)
    turns = tuple(Turn(role, source.strip("\n")) for role, source in told)
    kinds: dict[str, InputKind] = {}
    for turn in turns:
        template = read_template(turn.source)
        if template.partials:
            raise ValueError("promptfoo has no partials")
        for variable, kind in _variables(template):
            if kinds.setdefault(checked_variable(variable), kind) == "string":
                kinds[variable] = kind
    inputs = tuple(Input(variable, kind) for variable, kind in kinds.items())
    prompt = whole(Prompt(name, "v1", "", turns, inputs))
    Renderer(prompt)
    return Imported(prompt, (), tuple(notes))


def _variables(template: Template) -> Iterator[tuple[str, InputKind]]:
    """What it takes from outside, with the type that its use tells."""
    bound = template.bound
    for piece in template.pieces:
        for number, token in enumerate(piece.tokens):
            before = piece.tokens[number - 1] if number else Token("sign", "")
            after = piece.tokens[number + 1] if number + 1 < len(piece.tokens) else None
            is_word = number == 0 and piece.kind == "block"
            if token.kind != "name" or token.text in _NO_NAMES or is_word:
                continue
            if before.text in (".", "|", "is") or token.text in bound:
                continue
            if before.text == "not" and number > 1 and piece.tokens[number - 2].text == "is":
                continue
            looped = piece.kind == "block" and piece.tokens[0].text == "for"
            if looped and before.text == "in":
                yield token.text, "array"
            else:
                yield token.text, "object" if after and after.text == "." else "string"
