"""The filters of templates. All of them; the engine's own are not to be had.

Each is told what it may still cost, and none makes more than `MAX_TEXT_CHARS` characters. Pure but
for that count.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tidegate.prompts.values import inert, json_text, plain

MAX_TEXT_CHARS: Final = 1024 * 1024
MAX_INDENT: Final = 64
# Characters and items that filters may go over in one rendering.
MAX_WORK: Final = 32 * 1024 * 1024
_ITEM_WORK: Final = 128  # characters are gone over in the time that one item's text takes


class Spent:
    """What one rendering has cost so far: `chars` that it wrote, `work` that its filters did."""

    __slots__ = ("chars", "work")

    def __init__(self) -> None:
        self.chars = 0
        self.work = 0

    def on(self, value: Any) -> None:
        """Counts a value that a filter goes over. FilterRefused when it is too much."""
        if isinstance(value, str):
            self.work += len(value)
            if len(value) > MAX_TEXT_CHARS:
                raise FilterRefused(f"it makes a text of more than {MAX_TEXT_CHARS:,} characters")
        elif hasattr(value, "__len__"):
            self.work += 8 * len(value)
        self._check()

    def on_each(self, value: Any) -> None:
        """Counts a list each of whose items is written as JSON, however much lies in it."""
        if hasattr(value, "__len__") and not isinstance(value, str):
            self.work += _ITEM_WORK * len(value) + len(json_text(value))
        self._check()

    def _check(self) -> None:
        if self.work > MAX_WORK:
            raise FilterRefused("its filters go over too much text")


class FilterRefused(Exception):
    """A filter's no: what it was given is not what it takes, or would cost too much."""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    raise FilterRefused(f"expected text, found {_kind(value)}")


def _items(value: Any) -> list[Any]:
    found = plain(value)
    if isinstance(found, dict):
        return list(found)
    if isinstance(found, list | tuple):
        return list(found)
    raise FilterRefused(f"expected a list, found {_kind(value)}")


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise FilterRefused(f"expected a number, found {_kind(value)}")


def _kind(value: Any) -> str:
    found = plain(value)
    if found is None:
        return "nothing"
    names = {str: "text", bool: "a truth value", int: "a number", float: "a number"}
    return names.get(type(found), "an object" if isinstance(found, dict) else "a list")


def _default(value: Any, instead: Any = "", also_false: Any = False) -> Any:
    return instead if value is None or (also_false is True and not value) else value


def _replace(value: Any, old: Any, new: Any) -> str:
    text, gone, instead = _text(value), _text(old), _text(new)
    if not gone:
        raise FilterRefused("there is nothing to be replaced")
    if len(text) + text.count(gone) * (len(instead) - len(gone)) > MAX_TEXT_CHARS:
        raise FilterRefused(f"it makes a text of more than {MAX_TEXT_CHARS:,} characters")
    return text.replace(gone, instead)


def _join(value: Any, between: Any = "") -> str:
    parts = [_text(item) for item in _items(value)]
    comma = _text(between)
    if sum(map(len, parts)) + len(comma) * len(parts) > MAX_TEXT_CHARS:
        raise FilterRefused(f"it makes a text of more than {MAX_TEXT_CHARS:,} characters")
    return comma.join(parts)


def _indent(value: Any, width: Any = 4, first: Any = False) -> str:
    text = _text(value)
    if not isinstance(width, int) or not 0 <= width <= MAX_INDENT:
        raise FilterRefused(f"an indent is from 0 to {MAX_INDENT}")
    if len(text) + text.count("\n") * width > MAX_TEXT_CHARS:
        raise FilterRefused(f"it makes a text of more than {MAX_TEXT_CHARS:,} characters")
    space = " " * width
    lines = text.split("\n")
    told = [space + line if line else line for line in lines[1:]]
    return "\n".join([(space if first is True else "") + lines[0], *told])


def _truncate(value: Any, length: Any = 255, end: Any = "...") -> str:
    text, end = _text(value), _text(end)
    if not isinstance(length, int) or length < 0:
        raise FilterRefused("a length is a whole number from 0")
    return text if len(text) <= length else text[: max(length - len(end), 0)] + end


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(_items(value))


def _end(value: Any, at: int) -> Any:
    items: Any = value if isinstance(value, str) else _items(value)
    return items[at] if len(items) else None


def _sort(value: Any, reverse: Any = False, attribute: Any = None) -> list[Any]:
    items = _items(value)
    try:
        return sorted(items, key=lambda it: _member(it, attribute), reverse=reverse is True)
    except TypeError:
        raise FilterRefused("what is sorted is not all of one kind") from None


def _member(item: Any, name: Any) -> Any:
    if name is None:
        return item
    if not isinstance(item, dict) or name not in item:
        raise FilterRefused(f"an item has no {name!s}")
    return item[name]


def _map(value: Any, attribute: Any) -> list[Any]:
    return [_member(item, attribute) for item in _items(value)]


def _unique(value: Any) -> list[Any]:
    seen: dict[str, Any] = {}
    for item in _items(value):
        seen.setdefault(json_text(item), item)
    return list(seen.values())


def _pairs(value: Any) -> list[Any]:
    found = plain(value)
    if not isinstance(found, dict):
        raise FilterRefused(f"expected an object, found {_kind(value)}")
    return [[name, item] for name, item in found.items()]


def _whole(value: Any) -> int:
    try:
        return int(_text(value)[:40]) if isinstance(value, str) else int(_number(value))
    except (ValueError, OverflowError):
        raise FilterRefused("this is no whole number") from None


def _decimal(value: Any) -> float:
    try:
        return float(_text(value)[:40]) if isinstance(value, str) else float(_number(value))
    except (ValueError, OverflowError):
        raise FilterRefused("this is no number") from None


def _round(value: Any, digits: Any = 0) -> int | float:
    if not isinstance(digits, int) or not 0 <= digits <= 12:
        raise FilterRefused("digits are from 0 to 12")
    try:
        return round(_number(value), digits)
    except (ValueError, OverflowError):
        raise FilterRefused("this is no number that can be rounded") from None


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": lambda value: abs(_number(value)),
    "capitalize": lambda value: _text(value).capitalize(),
    "count": _length,
    "default": _default,
    "first": lambda value: _end(value, 0),
    "float": _decimal,
    "indent": _indent,
    "int": _whole,
    "items": _pairs,
    "join": _join,
    "last": lambda value: _end(value, -1),
    "length": _length,
    "lines": lambda value: _text(value).splitlines(),
    "list": _items,
    "lower": lambda value: _text(value).lower(),
    "map": _map,
    "replace": _replace,
    "reverse": lambda value: value[::-1] if isinstance(value, str) else _items(value)[::-1],
    "round": _round,
    "sort": _sort,
    "string": _text,
    "title": lambda value: _text(value).title(),
    "tojson": json_text,
    "trim": lambda value: _text(value).strip(),
    "truncate": _truncate,
    "unique": _unique,
    "upper": lambda value: _text(value).upper(),
}


def counted(name: str, spent: Spent) -> Callable[..., Any]:
    """The filter of that name, which counts on `spent` what it goes over and what it makes."""
    work = FILTERS[name]

    def run(*given: Any, **named: Any) -> Any:
        for value in (*given, *named.values()):
            spent.on(value)
        if name == "unique":
            spent.on_each(given[0])
        try:
            made = work(*given, **named)
        except FilterRefused as no:
            raise FilterRefused(f"the filter `{name}`: {no}") from None
        except (TypeError, ValueError, RecursionError, OverflowError):
            raise FilterRefused(f"the filter `{name}` does not take these arguments") from None
        spent.on(made)
        return inert(made)

    return run
