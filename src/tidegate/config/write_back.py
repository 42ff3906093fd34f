"""Writing members of routes into a plan file's text, with every comment and line that they do not
touch left as it is. Pure.

A value is written in YAML's flow style, in the place of the one that was there. What an alias has
brought there is not in that place: it is left alone, and whoever asked looks at what came of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_type_hints

import msgspec
import yaml
from msgspec import Struct
from msgspec.structs import fields

from tidegate.core.declared_routes import DeclaredRoute

# By route, then by member: what the file is to say.
Moves = Mapping[str, Mapping[str, Any]]

_DEFAULTS: Final = DeclaredRoute()
_WIDE: Final = 1 << 30
_Pair = tuple[Any, Any]


class _OneLine(yaml.SafeDumper):
    """Texts of several lines are escaped, so that each value is one line."""

    def represent_str(self, data: str) -> Any:
        style = '"' if "\n" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_OneLine.add_representer(str, _OneLine.represent_str)


class _Edit(Struct, order=True):
    """`text` in place of what is from `start` up to `end`."""

    start: int
    end: int
    text: str


def written_back(text: str, moves: Moves) -> str:
    """The text with these members. `text` is a plan file that can be read."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    edits: list[_Edit] = []
    routes = _pair(root, "routes")
    for name, members in moves.items():
        pair = None if routes is None else _pair(routes[1], name)
        if pair is not None and not _is_alias(pair):
            edits += _route(text, pair[1], members)
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _route(text: str, node: Any, members: Mapping[str, Any]) -> Iterator[_Edit]:
    wanted = {name: _plain(name, value) for name, value in members.items() if _says(name, value)}
    if isinstance(node, yaml.ScalarNode):
        said = {"target": node.value, **wanted}
        if members.keys() - wanted.keys():
            said = {name: value for name, value in said.items() if name not in members} | wanted
        only = said["target"] if said.keys() == {"target"} else said
        yield _Edit(node.start_mark.index, _end(text, node), _flow(only))
        return
    added = []
    for name in members:
        pair = _pair(node, name)
        if pair is None:
            added += [(name, wanted[name])] if name in wanted else []
        elif name in wanted:
            yield _Edit(pair[0].start_mark.index, _end(text, pair[1]), _entry(name, wanted[name]))
        else:
            yield _removed(text, node, pair)
    if added:
        yield _added(text, node, added)


def _removed(text: str, node: Any, pair: _Pair) -> _Edit:
    start, end = pair[0].start_mark.index, _end(text, pair[1])
    if not node.flow_style:
        line_end = text.find("\n", end)
        return _Edit(
            text.rfind("\n", 0, start) + 1, len(text) if line_end < 0 else line_end + 1, ""
        )
    after = len(text[end:]) - len(text[end:].lstrip())
    if text[end + after : end + after + 1] == ",":
        end += after + 1
        return _Edit(start, end + len(text[end:]) - len(text[end:].lstrip(" ")), "")
    return _Edit(text.rfind(",", 0, start), end, "")


def _added(text: str, node: Any, added: list[tuple[str, Any]]) -> _Edit:
    last = _end(text, node.value[-1][1])
    if node.flow_style:
        return _Edit(last, last, "".join(f", {_entry(*one)}" for one in added))
    line_end = text.find("\n", last)
    at = len(text) if line_end < 0 else line_end
    indent = " " * node.value[0][0].start_mark.column
    return _Edit(at, at, "".join(f"\n{indent}{_entry(*one)}" for one in added))


def _entry(name: str, value: Any) -> str:
    return f"{name}: {_flow(value)}"


def _flow(value: Any) -> str:
    dumped: str = yaml.dump(
        value,
        Dumper=_OneLine,
        default_flow_style=True,
        width=_WIDE,
        allow_unicode=True,
        sort_keys=False,
    )
    return dumped.removesuffix("...\n").rstrip("\n")


def _end(text: str, node: Any) -> int:
    """Where what is written of it ends; a block's own mark is beyond the comments after it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[:end].rstrip("\n"))
    return end


def _pair(node: Any, name: str) -> _Pair | None:
    """The key and the value that this mapping itself has for it."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((pair for pair in node.value if pair[0].value == name), None)


def _is_alias(pair: _Pair) -> bool:
    before: bool = pair[1].start_mark.index < pair[0].end_mark.index
    return before


def _says(name: str, value: Any) -> bool:
    """Whether a file has to name it: what it says when it says nothing is left out."""
    return bool(value != getattr(_DEFAULTS, name))


def _plain(name: str, value: Any) -> Any:
    """As a file has it: what is JSON text in the declaration is written out there."""
    return _written_out(value, get_type_hints(DeclaredRoute, include_extras=True)[name])


def _written_out(value: Any, hint: Any) -> Any:
    if isinstance(value, str) and _is_json(hint):
        return msgspec.json.decode(value)
    if not isinstance(value, Struct):
        return msgspec.to_builtins(value)
    hints = get_type_hints(type(value), include_extras=True)
    out = {}
    for one in fields(value):
        member = getattr(value, one.name)
        if one.required or member != one.default:
            out[one.encode_name] = _written_out(member, hints[one.name])
    return out


def _is_json(hint: Any) -> bool:
    metas = getattr(hint, "__metadata__", ())
    return any((meta.extra or {}).get("read") == "json" for meta in metas)
