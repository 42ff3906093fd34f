"""A file of another gateway, read with bounds, of which every key is taken or told of."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

from tidegate.config.moving import Findings

T = TypeVar("T")

MAX_BYTES: Final = 4 * 1024 * 1024
# What becomes of a key that says nothing of how a request is served.
UNNEEDED: Final = "nothing is needed for that here"
# And of one that has no like here.
UNLIKE: Final = "nothing here does that"
_MAX_DEPTH: Final = 32
_MAX_VALUES: Final = 200_000


class FileRefused(ValueError):
    """The file cannot be read, with what to do."""


def read_yaml(path: Path) -> dict[str, Any]:
    """A mapping in YAML. FileRefused."""
    try:
        value = yaml.safe_load(_bytes_of(path))
    except FileRefused:
        raise
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:300]
        raise FileRefused(f"{path} is no YAML: {said}") from error
    return _mapping(path, value)


def read_json(path: Path) -> dict[str, Any]:
    """An object in JSON. FileRefused."""
    try:
        value = msgspec.json.decode(_bytes_of(path))
    except FileRefused:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileRefused(f"{path} is no JSON: {error}") from error
    return _mapping(path, value)


def nobody(_: str) -> None:
    """The advice where one word holds for all of it."""


class Their:
    """One mapping of theirs. What is not taken by `rest` is told of; `where` is the way to it,
    without the numbers of a list's items."""

    def __init__(self, value: Mapping[Any, Any], where: str, found: Findings) -> None:
        self._left = {str(name): it for name, it in value.items()}
        self.where = where
        self.found = found

    def take(self, name: str) -> Any:
        """The value, None where there is none. Whoever takes it says what becomes of it."""
        return self._left.pop(name, None)

    def at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def carry(self, name: str, ours: str) -> Any:
        """The value, which means the same here."""
        value = self.take(name)
        if value is not None:
            self.found.carried(self.at(name), ours)
        return value

    def change(self, name: str, ours: str, said: str) -> Any:
        """The value, which means nearly the same here."""
        value = self.take(name)
        if value is not None:
            self.found.changed(self.at(name), ours, said)
        return value

    def leave(self, name: str, said: str) -> None:
        if self.take(name) is not None:
            self.found.left(self.at(name), said)

    def mapping(self, name: str) -> "Their":
        """The mapping of this name; an empty one where there is none, or something else."""
        value = self.take(name)
        if value is not None and not isinstance(value, dict):
            self.found.left(self.at(name), "a mapping belongs here")
        return Their(value if isinstance(value, dict) else {}, self.at(name), self.found)

    def items(self, name: str, *, numbered: bool = False) -> list["Their"]:
        """The mappings in the list of this name; the way to each has its number where asked."""
        value = self.take(name)
        if value is not None and not isinstance(value, list):
            self.found.left(self.at(name), "a list belongs here")
            value = []
        where = f"{self.at(name)}[]"
        if any(not isinstance(it, dict) for it in value or ()):
            self.found.left(where, "a mapping belongs here")
        return [
            Their(it, f"{self.at(name)}[{number}]" if numbered else where, self.found)
            for number, it in enumerate(value or ())
            if isinstance(it, dict)
        ]

    def names(self) -> list[str]:
        return list(self._left)

    def read(self, name: str, ours: str, reader: Callable[[Any], T | None], said: str) -> T | None:
        """The value as the reader has it, carried; one that it has no use for is told of, with
        what would be."""
        value = self.take(name)
        found = None if value is None else reader(value)
        if found is not None:
            self.found.carried(self.at(name), ours)
        elif value is not None:
            self.found.left(self.at(name), said)
        return found

    def rest(self, advice: Callable[[str], str | None], otherwise: str = UNLIKE) -> None:
        """Everything that nobody took. Of what needs nothing the advice is empty."""
        for name, value in self._left.items():
            known = advice(name)
            said = otherwise if known is None else known
            if value is not None and said:
                self.found.left(self.at(name), said)
            elif value is not None:
                self.found.carried(self.at(name), UNNEEDED)
        self._left = {}


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileRefused(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise FileRefused(f"{path} is longer than {MAX_BYTES} bytes")
    return data


def _mapping(path: Path, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FileRefused(f"{path} holds no mapping: is it the right file?")
    _count(path, value, 0, [0])
    return value


def _count(path: Path, value: object, depth: int, seen: list[int]) -> None:
    """Aliases can make a small file a large tree, or one without an end."""
    seen[0] += 1
    if depth > _MAX_DEPTH or seen[0] > _MAX_VALUES:
        raise FileRefused(f"{path} is nested too deeply, or has too many values")
    if isinstance(value, dict):
        for it in value.values():
            _count(path, it, depth + 1, seen)
    elif isinstance(value, list):
        for it in value:
            _count(path, it, depth + 1, seen)
