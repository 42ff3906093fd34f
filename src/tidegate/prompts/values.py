"""Values of callers inside a template: plain data, of which nothing but members is reached.

The engine would give a template every public attribute of a Python list or dict. These have none.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


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
