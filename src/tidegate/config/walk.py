"""Reads a tree of nodes into the declared classes, by their shapes, and finds every problem.

A value that cannot be read is replaced by its default, or a stand-in of its type, and its path is
remembered as `spoiled`: what compiling then says about it would repeat what was said here.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from msgspec import Struct

from tidegate.config.interpolate import (
    fill,
    read_counters,
    read_database,
    read_secret,
    read_vectors,
)
from tidegate.config.json_value import json_of, value_text
from tidegate.config.problem import Mark, Path, Problem
from tidegate.config.scalars import EXPECTED, READERS, UNQUOTED, WORDS
from tidegate.config.shape import Choice, Items, Key, OneOf, Record, Scalar, Shape, Table, shape_of
from tidegate.config.stand_in import stand_in
from tidegate.config.tree import ListNode, MapNode, Node, ScalarNode
from tidegate.core.words import nearest, quoted

_KINDS = {"number": "the number", "truth": "the truth value", "text": "the text"}
NOTHING = "nothing"
_PATH = Scalar("path")
# What is not filled in: the plan holds where the secret is, and never the secret.
_REFERENCES = {
    "secret": read_secret,
    "database": read_database,
    "counters": read_counters,
    "vectors": read_vectors,
}


class Origin(Struct, frozen=True):
    """Where a value was written, and which variables filled it."""

    mark: Mark
    sources: tuple[str, ...] = ()


class Walked(Struct, frozen=True):
    """The declared value, what is wrong with it, and where each of its values stands."""

    value: Any
    problems: list[Problem]
    origins: dict[Path, Origin]
    spoiled: set[Path]


def walk(root: Node, cls: type[Any], file: str, environ: Mapping[str, str], folder: str) -> Walked:
    """Reads `root` as `cls`. Relative paths in the file count from `folder`."""
    walker = _Walker(file, environ, folder)
    value = walker.read(root, _shape_of_file(cls), ())
    return Walked(value, walker.problems, walker.origins, walker.spoiled)


# Kept, for to find a file's shape takes as long as all else of reading it.
_shape_of_file: Callable[[Any], Shape] = lru_cache(maxsize=8)(shape_of)


class _Bad(Exception):
    """This value cannot be read; the problem is already noted."""


class _Walker:
    def __init__(self, file: str, environ: Mapping[str, str], folder: str) -> None:
        self.file = file
        self.environ = environ
        self.folder = folder
        self.problems: list[Problem] = []
        self.origins: dict[Path, Origin] = {}
        self.spoiled: set[Path] = set()

    def say(self, mark: Mark, path: Path, message: str) -> None:
        self.problems.append(Problem(self.file, mark, path, message))

    def read(self, node: Node, shape: Shape, path: Path) -> Any:
        """The value of `node`, or a stand-in where it cannot be read."""
        self.origins.setdefault(path, Origin(node.mark))
        try:
            return self._read(node, shape, path)
        except _Bad:
            self.spoiled.add(path)
            return stand_in(shape)

    def _read(self, node: Node, shape: Shape, path: Path) -> Any:
        match shape:
            case Record():
                return self._record(node, shape, path)
            case Table():
                return self._table(node, shape, path)
            case Items():
                if not isinstance(node, ListNode):
                    raise self._wrong(node, path, "a list")
                rows = enumerate(node.items)
                return tuple(self.read(n, shape.item, (*path, str(i))) for i, n in rows)
            case OneOf():
                option = self._option(node, shape, path)
                if isinstance(option, Choice):
                    return self._choice(node, option, path, shape.options)
                return self._read(node, option, path)
            case Choice():
                return self._choice(node, shape, path, (shape,))
            case Scalar():
                return self._scalar(node, shape, path)

    def _record(self, node: Node, shape: Record, path: Path) -> Any:
        if shape.shorthand is not None and isinstance(node, ScalarNode) and node.kind in _KINDS:
            key = shape.by_key[shape.shorthand]
            return shape.cls(**{key.name: self.read(node, key.shape, (*path, key.key))})
        if not isinstance(node, MapNode):
            short = f", or text that stands for its `{shape.shorthand}`" if shape.shorthand else ""
            bare = shape.shorthand is None and not any(k.required for k in shape.keys)
            tail = "; write `{}` to take the defaults" if bare and _found(node) == NOTHING else ""
            raise self._wrong(node, path, f"a mapping{short}", tail)
        known = shape.by_key
        values: dict[str, Any] = {}
        for text, (mark, child) in node.pairs.items():
            if text in known:
                key = known[text]
                values[key.name] = self.read(child, key.shape, (*path, text))
            else:
                self.say(mark, (*path, text), f"unknown key{_advice(text, shape)}")
        for key in shape.keys:
            if key.name in values:
                continue
            if key.required:
                self.say(node.mark, path, f"`{key.key}` is missing")
                self.spoiled.add((*path, key.key))
                values[key.name] = stand_in(key.shape)
            elif key.default is not None:
                values[key.name] = self._default(key, node.mark)
        return shape.cls(**values)

    def _default(self, key: Key, mark: Mark) -> Any:
        """What stands for a key that is not written; its paths too count from the plan."""
        if isinstance(key.shape, Record):
            return self._record(MapNode(mark, {}), key.shape, ())
        if key.shape == _PATH:
            return self._beside_plan(key.default)
        # The grammar, which is kept, holds this one.
        return copy(key.default) if isinstance(key.default, dict | list) else key.default

    def _table(self, node: Node, shape: Table, path: Path) -> Any:
        if not isinstance(node, MapNode):
            raise self._wrong(node, path, "a mapping from names")
        values = {}
        for text, (mark, child) in node.pairs.items():
            below = (*path, text)
            self.origins[below] = Origin(mark)
            try:
                name = self._parse(mark, shape.key, text, below, text)
            except _Bad:
                self.spoiled.add(below)
                name = text
            values[name] = self.read(child, shape.value, below)
        return values

    def _option(self, node: Node, shape: OneOf, path: Path) -> Shape:
        """The shape that is meant: by the kind of node, then by the keys that are written."""
        if isinstance(node, MapNode):
            fits: list[Shape] = [o for o in shape.options if isinstance(o, Record | Table)]
            fits.sort(key=lambda o: -_keys_known(node, o))
        elif isinstance(node, ListNode):
            fits = [o for o in shape.options if isinstance(o, Items)]
        else:
            fits = [o for o in shape.options if isinstance(o, Scalar | Choice)]
        if not fits:
            raise self._wrong(node, path, _one_of(shape.options))
        return fits[0]

    def _choice(self, node: Node, shape: Choice, path: Path, options: Sequence[Shape]) -> str:
        text, _ = self._text(node, path, shape)
        if text not in shape.values:
            near = nearest(text, shape.values)
            raise self._wrong(node, path, _one_of(options), near)
        return text

    def _scalar(self, node: Node, shape: Scalar, path: Path) -> Any:
        expected = EXPECTED[shape.read]
        if shape.read in ("json", "value"):
            return self._json(node, shape, path, expected)
        if shape.read in _REFERENCES:
            return self._reference(node, shape, path, expected)
        text, filled = self._text(node, path, shape)
        if not isinstance(node, ScalarNode):
            raise self._wrong(node, path, expected)
        if not filled and shape.read in UNQUOTED and not node.plain:
            raise self._wrong(node, path, f"{expected} without quotes")
        if not filled and shape.read in WORDS and node.kind != "text":
            raise self._wrong(node, path, expected, "; put it in quotes")
        value = self._parse(node.mark, shape, text, path, node.text)
        return self._beside_plan(value) if shape.read == "path" else value

    def _json(self, node: Node, shape: Scalar, path: Path, expected: str) -> str:
        if isinstance(node, ScalarNode) and node.kind == "broken":
            raise _Bad
        of_json = shape.read == "json"
        if of_json and isinstance(node, ScalarNode) and node.kind != "text":
            raise self._wrong(node, path, expected)
        try:
            return json_of(node) if of_json else value_text(node)
        except ValueError as error:
            self.say(node.mark, path, str(error))
            raise _Bad from None

    def _parse(self, mark: Mark, shape: Scalar, text: str, path: Path, shown: str) -> Any:
        """`text` read and held against its bounds; `shown` is what may be repeated of it."""
        try:
            value = READERS[shape.read](text)
            _hold_to_bounds(shape, value)
        except ValueError as error:
            said = str(error) or f"expected {EXPECTED[shape.read]}"
            tail = "" if shape.read == "url" else f"; found {quoted(shown)}"
            self.say(mark, path, said + tail)
            raise _Bad from None
        return value

    def _text(self, node: Node, path: Path, shape: Scalar | Choice) -> tuple[str, bool]:
        """A scalar's text with its variables filled in, and whether there were any."""
        if not isinstance(node, ScalarNode) or node.kind not in _KINDS:
            raise self._wrong(node, path, _expected(shape))
        try:
            filled = fill(node.text, self.environ)
        except ValueError as error:
            self.say(node.mark, path, str(error))
            raise _Bad from None
        if filled.sources:
            self.origins[path] = Origin(node.mark, filled.sources)
        return filled.text, bool(filled.sources)

    def _reference(self, node: Node, shape: Scalar, path: Path, expected: str) -> Any:
        if not isinstance(node, ScalarNode) or node.kind not in _KINDS:
            raise self._wrong(node, path, expected)
        try:
            ref = _REFERENCES[shape.read](node.text)
        except ValueError as error:
            self.say(node.mark, path, str(error))
            raise _Bad from None
        if ref.file is None:
            return ref
        return type(ref)(file=self._beside_plan(ref.file))

    def _beside_plan(self, path: str) -> str:
        return str(PurePath(self.folder) / path)

    def _wrong(self, node: Node, path: Path, expected: str, tail: str = "") -> _Bad:
        if not (isinstance(node, ScalarNode) and node.kind == "broken"):
            self.say(node.mark, path, f"expected {expected}; found {_found(node)}{tail}")
        return _Bad()


def _keys_known(node: MapNode, shape: Shape) -> int:
    return len(node.pairs.keys() & shape.by_key.keys()) if isinstance(shape, Record) else 0


def _found(node: Node) -> str:
    if isinstance(node, MapNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    if node.kind not in _KINDS:
        return NOTHING
    return f"{_KINDS[node.kind]} {quoted(node.text)}"


def _expected(shape: Shape) -> str:
    match shape:
        case Scalar():
            return EXPECTED[shape.read]
        case Choice():
            *most, last = (f"`{v}`" for v in shape.values)
            return f"{', '.join(most)} or {last}" if most else last
        case Items():
            return "a list"
        case _:
            return "a mapping"


def _one_of(options: Sequence[Shape]) -> str:
    return " or ".join(dict.fromkeys(_expected(one) for one in options))


def _advice(text: str, shape: Record) -> str:
    """What an unknown key may have meant."""
    for key in shape.keys:
        options = key.shape.options if isinstance(key.shape, OneOf) else ()
        for option in options:
            if isinstance(option, Record) and text in option.by_key:
                return f"; it belongs below `{key.key}`"
    near = nearest(text, shape.by_key)
    return near or f"; the keys here are {', '.join(k.key for k in shape.keys)}"


def _hold_to_bounds(shape: Scalar, value: Any) -> None:
    if isinstance(value, str):
        if shape.min_length is not None and len(value) < shape.min_length:
            raise ValueError("the text is empty" if not value else "the text is too short")
        if shape.max_length is not None and len(value) > shape.max_length:
            raise ValueError(f"the text is longer than {shape.max_length} characters")
    if shape.above is not None and not value > shape.above:
        raise ValueError(f"it must be above {shape.above:g}")
    if shape.least is not None and value < shape.least:
        raise ValueError(f"it must be at least {shape.least:g}")
    if shape.most is not None and value > shape.most:
        raise ValueError(f"it must be at most {shape.most:g}")
