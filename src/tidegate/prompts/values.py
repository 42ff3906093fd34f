"""Values of callers inside a template: plain data, of which nothing but members is reached.

The engine would give a template every public attribute of a Python list or dict. These have none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from tidegate.core.prompt import Input, InputKind

_encode = msgspec.json.Encoder().encode
_KINDS: Final[Mapping[InputKind, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class Inert:
    """An object or an array out of JSON."""

    __slots__ = ("_data",)

    def __init__(self, data: Any) -> None:
        self._data = data

    def __getitem__(self, key: Any) -> Any:
        return inert(self._data[key])

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._data)

    def __contains__(self, key: Any) -> bool:
        return plain(key) in self._data

    def __eq__(self, other: object) -> bool:
        return bool(self._data == plain(other))

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return json_text(self)


class InertArray(Inert):
    """An array. It is a Sequence to the engine, which then knows its length and order."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return map(inert, self._data)


Sequence.register(InertArray)


def inert(value: Any) -> Any:
    """A value of JSON as a template may have it."""
    kind = type(value)
    if kind is list or kind is tuple:
        return InertArray(value)
    return Inert(value) if kind is dict else value


def plain(value: Any) -> Any:
    """The data again. What the engine itself made of some values is a list or a dict of them."""
    if isinstance(value, Inert):
        return value._data
    if type(value) is list:
        return [plain(item) for item in value]
    if type(value) is dict:
        return {str(name): plain(item) for name, item in value.items()}
    return value


def json_text(value: Any) -> str:
    """A value as JSON, without spaces."""
    return _encode(plain(value)).decode()


def wrong_kind(declared: Input, value: Any) -> str | None:
    """What is wrong with a variable's value, such as `is text, not a number`."""
    wanted = _KINDS[declared.kind]
    is_truth = isinstance(value, bool)
    if isinstance(value, wanted) and (not is_truth or declared.kind == "boolean"):
        return None
    return f"is {_kind(value)}, not of the type {declared.kind}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "of the type boolean"
    if isinstance(value, int | float):
        return "of the type number" if isinstance(value, float) else "of the type integer"
    return f"of the type {'string' if isinstance(value, str) else _container(value)}"


def _container(value: Any) -> str:
    return "array" if isinstance(value, list) else "object"
