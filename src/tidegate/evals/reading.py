"""Reads parts of a file's tree, and says of each that is wrong where it stands and what it is.

Values are those of YAML 1.2's core, as JSON has them too: `no` is a text, and only `true` and
`false` are truth values.
"""

import re
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Raw

from tidegate.config.problem import Mark, Path, Problem
from tidegate.config.tree import ListNode, MapNode, Node, ScalarNode
from tidegate.core.words import nearest, quoted

MAX_PROBLEMS = 200
_INT = re.compile(r"[-+]?[0-9]{1,20}")
_OTHER_INT = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,60}|[0-9]{1,60}(?:\.[0-9]{0,60})?)(?:[eE][-+]?[0-9]{1,4})?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?[0-9]{21,}")
_NOTHING = frozenset(("", "~", "null", "Null", "NULL"))
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_LEAST_INT, _MOST_INT = -(2**63), 2**64 - 1


class Unreadable(Exception):
    """This part cannot be read; what is wrong with it has been said."""


class Reader:
    """Takes what is wrong with one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def say(self, mark: Mark, path: Path, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.file, mark, path, message))

    def warn(self, mark: Mark, path: Path, message: str) -> None:
        if len(self.warnings) < MAX_PROBLEMS:
            self.warnings.append(Problem(self.file, mark, path, message))

    def refuse(self, mark: Mark, path: Path, message: str) -> Unreadable:
        self.say(mark, path, message)
        return Unreadable()

    def members(
        self, node: Node, path: Path, known: Collection[str] | None = None
    ) -> dict[str, Node]:
        """The members of a mapping; those that are not among `known` are said, and left out."""
        if not isinstance(node, MapNode):
            raise self.refuse(node.mark, path, f"expected a mapping; found {found(node)}")
        kept = {}
        for name, (mark, child) in node.pairs.items():
            if known is not None and name not in known:
                near = nearest(name, known) or f"; the keys here are {', '.join(known)}"
                self.say(mark, (*path, name), f"unknown key{near}")
            else:
                kept[name] = child
        return kept

    def items(self, node: Node, path: Path) -> list[tuple[Path, Node]]:
        if not isinstance(node, ListNode):
            raise self.refuse(node.mark, path, f"expected a list; found {found(node)}")
        return [((*path, str(number)), item) for number, item in enumerate(node.items)]

    def value(self, node: Node, path: Path) -> Any:
        """What stands there, as JSON has it."""
        if isinstance(node, MapNode):
            pairs = node.pairs.items()
            return {name: self.value(child, (*path, name)) for name, (_, child) in pairs}
        if isinstance(node, ListNode):
            return [self.value(item, at) for at, item in self.items(node, path)]
        return self._scalar(node, path) if node.plain else node.text

    def raw(self, node: Node, path: Path) -> Raw:
        return raw(self.value(node, path))

    def text(self, node: Node, path: Path) -> str:
        """A text; a number or truth value as it is written."""
        if not isinstance(node, ScalarNode) or (node.plain and node.text in _NOTHING):
            raise self.refuse(node.mark, path, f"expected a text; found {found(node)}")
        return node.text

    def texts(self, node: Node, path: Path) -> tuple[str, ...]:
        """One text, or a list of them."""
        if isinstance(node, ScalarNode):
            return (self.text(node, path),)
        return tuple(self.text(item, at) for at, item in self.items(node, path))

    def truth(self, node: Node, path: Path) -> bool:
        value = self.value(node, path)
        if not isinstance(value, bool):
            raise self.refuse(node.mark, path, f"expected true or false; found {found(node)}")
        return value

    def number(self, node: Node, path: Path, least: float = 0.0, most: float = 1e9) -> float:
        value = self.value(node, path)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(node.mark, path, f"expected a number; found {found(node)}")
        if not least <= value <= most:
            raise self.refuse(node.mark, path, f"it must be from {least:g} to {most:g}")
        return value

    def whole(self, node: Node, path: Path, least: int, most: int) -> int:
        value = self.number(node, path, least, most)
        if not isinstance(value, int):
            raise self.refuse(node.mark, path, "expected a whole number")
        return value

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        text = node.text
        if text in _NOTHING:
            return None
        if text in _TRUTHS:
            return _TRUTHS[text]
        if _INT.fullmatch(text) or _OTHER_INT.fullmatch(text):
            whole = int(text, 0 if _OTHER_INT.fullmatch(text) else 10)
            if _LEAST_INT <= whole <= _MOST_INT:
                return whole
        elif _FLOAT.fullmatch(text) and not _NO_NUMBER.fullmatch(text):
            number = float(text)
            if abs(number) < float("inf"):
                return number
        elif not _NO_NUMBER.fullmatch(text):
            return text
        raise self.refuse(node.mark, path, "this number has no form in JSON; put it in quotes")


def found(node: Node) -> str:
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    return "nothing" if node.plain and node.text in _NOTHING else quoted(node.text)


def is_nothing(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.plain and node.text in _NOTHING


def raw(value: Any) -> Raw:
    """A value as JSON, the members of objects in order of their names."""
    return Raw(msgspec.json.encode(value, order="deterministic"))


def node_of(value: Any, mark: Mark) -> Node:
    """The tree of a value that was not read from YAML: all of it stands at `mark`."""
    if isinstance(value, dict):
        return MapNode(mark, {str(name): (mark, node_of(it, mark)) for name, it in value.items()})
    if isinstance(value, list | tuple):
        return ListNode(mark, [node_of(item, mark) for item in value])
    if isinstance(value, str):
        return ScalarNode(mark, value, "text", False)
    return ScalarNode(mark, msgspec.json.encode(value).decode(), "number", True)
