"""YAML text to a tree of nodes that know where they stand in the file.

We build the tree from the parser's flat stream of tokens, so that depth, size and alias expansion
are bounded before anything recurses. No tags, no second document, no key twice.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import yaml
from msgspec import Struct

from tidegate.config.problem import Mark, Problem
from tidegate.core.words import quoted

MAX_FILE_BYTES = 1024 * 1024
MAX_DEPTH = 16
MAX_NODES = 50_000
MAX_PROBLEMS = 200

_FLOW_HINT = '; inside { } or [ ] put "${...}" in quotes'
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Any = yaml.resolver.Resolver()
_TAG_PREFIX = "tag:yaml.org,2002:"

ScalarKind = Literal["text", "number", "truth", "nothing", "merge", "broken"]
_PLAIN_KINDS: Mapping[str, ScalarKind] = {
    "null": "nothing",
    "bool": "truth",
    "int": "number",
    "float": "number",
    "merge": "merge",
}


class Bounds(Struct, frozen=True):
    """How much a file may hold; `kind` is its name in messages. Depth in levels, nodes with
    aliases expanded."""

    kind: str = "plan"
    most_bytes: int = MAX_FILE_BYTES
    depth: int = MAX_DEPTH
    nodes: int = MAX_NODES


PLAN: Final = Bounds()


class ScalarNode(Struct, frozen=True):
    """`text` as written; `kind` is what YAML takes it for; `plain` when it stands unquoted.

    A `broken` one stands for an alias to nothing, which is already a problem.
    """

    mark: Mark
    text: str
    kind: ScalarKind
    plain: bool


class ListNode(Struct, frozen=True):
    """A YAML sequence."""

    mark: Mark
    items: "list[Node]"


class MapNode(Struct, frozen=True):
    """A YAML mapping, merge keys already applied; `pairs` by key, each with the key's mark."""

    mark: Mark
    pairs: "dict[str, tuple[Mark, Node]]"


Node = ScalarNode | ListNode | MapNode


class TooBig(Exception):
    """The file asks for more nesting, nodes or aliases than a plan may have."""

    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.mark = mark


class _Open(Struct):
    """A list or mapping whose end has not come yet."""

    node: ListNode | MapNode
    anchor: str | None
    key: ScalarNode | None = None
    bad_key: bool = False
    merges: list[Node] = []


def read_tree(data: bytes, file: str, bounds: Bounds = PLAN) -> tuple[Node | None, list[Problem]]:
    """The root node (None when there is none) and what is wrong with the text as YAML."""
    start = Mark(1, 1)
    if len(data) > bounds.most_bytes:
        message = f"the file has {len(data)} bytes; a {bounds.kind} has at most {bounds.most_bytes}"
        return None, [Problem(file, start, (), message)]
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        return None, [Problem(file, Mark(line, column), (), "this byte is not UTF-8 text")]
    builder = _Builder(file, bounds)
    try:
        for token in yaml.parse(text, Loader=_LOADER):
            builder.take(token)
    except yaml.YAMLError as error:
        builder.problems.append(_yaml_problem(error, text, file))
        return None, builder.problems
    except TooBig as error:
        builder.problems.append(Problem(file, error.mark, (), str(error)))
        return None, builder.problems
    return builder.root, builder.problems


def _yaml_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        where = error.problem_mark or error.context_mark
        mark = Mark(where.line + 1, where.column + 1) if where else Mark(1, 1)
        said = ", ".join(part for part in (error.context, error.problem) if part)
        line = text.splitlines()[where.line : where.line + 1] if where else []
        hint = _FLOW_HINT if line and "${" in line[0] else ""
        if where and line and line[0][where.column : where.column + 1] == "\t":
            hint = "; this is a tab: indent with spaces"
        return Problem(file, mark, (), f"this is not YAML: {said or 'it cannot be read'}{hint}")
    offset = min(getattr(error, "position", 0) or 0, len(text))
    before = text[:offset]
    mark = Mark(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
    return Problem(file, mark, (), "this is not YAML: it holds a character that text has not")


class _Builder:
    """Takes the parser's tokens one by one; `root` is whole after the last."""

    def __init__(self, file: str, bounds: Bounds) -> None:
        self.file = file
        self.bounds = bounds
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[int, tuple[Node, int]] = {}  # the node too: ids live as long as it
        self._nodes = 0
        self._documents = 0

    def take(self, token: Any) -> None:
        taken = _TAKES.get(type(token))
        if taken is not None:
            mark = token.start_mark
            taken(self, Mark(mark.line + 1, mark.column + 1), token)

    def _say(self, mark: Mark, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.file, mark, (), message))

    def _count(self, mark: Mark, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self.bounds.nodes:
            most = f"{self.bounds.nodes} values, aliases expanded"
            raise TooBig(mark, f"the {self.bounds.kind} has more than {most}")

    def take_scalar(self, mark: Mark, token: Any) -> None:
        self._count(mark, 1)
        self._refuse_tag(mark, token, token.implicit[0] or token.implicit[1])
        self._place(self._scalar(mark, token), token.anchor)

    def take_document(self, mark: Mark, token: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise TooBig(
                mark, f"a second document starts here; a {self.bounds.kind} is one document"
            )

    def _refuse_tag(self, mark: Mark, token: Any, implicit: bool) -> None:
        if token.tag is not None and not implicit:
            self._say(mark, f"a {self.bounds.kind} uses no YAML tags; remove {quoted(token.tag)}")

    def _scalar(self, mark: Mark, token: Any) -> ScalarNode:
        plain = bool(token.implicit[0])
        kind: ScalarKind = "text"
        if plain:
            tag = _RESOLVER.resolve(yaml.ScalarNode, token.value, (True, False))
            short = tag.removeprefix(_TAG_PREFIX)
            kind = _PLAIN_KINDS.get(short, "text")
        return ScalarNode(mark, token.value, kind, plain)

    def take_start(self, mark: Mark, token: Any) -> None:
        self._count(mark, 1)
        if len(self._open) >= self.bounds.depth:
            most = f"{self.bounds.depth} levels"
            raise TooBig(mark, f"the {self.bounds.kind} is nested deeper than {most}")
        self._refuse_tag(mark, token, token.implicit)
        is_map = isinstance(token, yaml.MappingStartEvent)
        node: ListNode | MapNode = MapNode(mark, {}) if is_map else ListNode(mark, [])
        self._open.append(_Open(node, token.anchor))

    def take_end(self, mark: Mark, token: Any) -> None:
        done = self._open.pop()
        if isinstance(done.node, MapNode):
            for merged in done.merges:
                self._merge(done.node, merged)
        self._place(done.node, done.anchor)

    def take_alias(self, mark: Mark, token: Any) -> None:
        node = self._anchors.get(token.anchor or "")
        if node is None:
            name = quoted(token.anchor or "")
            self._say(mark, f"there is no finished anchor {name} before this alias")
            node = ScalarNode(mark, "", "broken", True)
        self._count(mark, self._size(node))
        self._place(node, None)

    def _place(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
            self._sizes[id(node)] = (node, self._size(node))
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node, ListNode):
            parent.node.items.append(node)
        elif parent.key is None and not parent.bad_key:
            self._key(parent, node)
        else:
            self._value(parent, parent.node, node)

    def _key(self, parent: _Open, node: Node) -> None:
        if isinstance(node, ScalarNode):
            parent.key = node
        else:
            self._say(node.mark, "a key must be a plain name, not a list or a mapping")
            parent.bad_key = True

    def _value(self, parent: _Open, into: MapNode, node: Node) -> None:
        key, parent.key, parent.bad_key = parent.key, None, False
        if key is None:
            return
        if key.kind == "merge":
            parent.merges = [*parent.merges, node]
        elif key.text in into.pairs:
            first = into.pairs[key.text][0]
            self._say(key.mark, f"the key {quoted(key.text)} is already on line {first.line}")
        else:
            into.pairs[key.text] = (key.mark, node)

    def _merge(self, into: MapNode, node: Node) -> None:
        for source in node.items if isinstance(node, ListNode) else [node]:
            if isinstance(source, MapNode):
                for key, pair in source.pairs.items():
                    into.pairs.setdefault(key, pair)
            else:
                self._say(source.mark, "`<<` merges a mapping or a list of mappings")

    def _size(self, node: Node) -> int:
        known = self._sizes.get(id(node))
        if known is not None:
            return known[1]
        if isinstance(node, ScalarNode):
            return 1
        inner = node.items if isinstance(node, ListNode) else [v for _, v in node.pairs.values()]
        return 1 + sum(map(self._size, inner))


_TAKES: Final[Mapping[type, Callable[[_Builder, Mark, Any], None]]] = {
    yaml.ScalarEvent: _Builder.take_scalar,
    yaml.AliasEvent: _Builder.take_alias,
    yaml.MappingStartEvent: _Builder.take_start,
    yaml.SequenceStartEvent: _Builder.take_start,
    yaml.MappingEndEvent: _Builder.take_end,
    yaml.SequenceEndEvent: _Builder.take_end,
    yaml.DocumentStartEvent: _Builder.take_document,
}
