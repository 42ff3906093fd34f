"""What is wrong with a plan file, and where."""

from collections.abc import Iterable

from msgspec import Struct

from tidegate.core.words import quoted

Path = tuple[str, ...]


class Mark(Struct, frozen=True, order=True):
    """A place in a file; line and column count from 1."""

    line: int
    column: int


class Problem(Struct, frozen=True):
    """One thing to put right. `path` is the way to the value, such as routes, chat, target."""

    file: str
    mark: Mark
    path: Path
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.mark.line}:{self.mark.column}"
        way = f"{dotted(self.path)}: " if self.path else ""
        return f"{place}: {way}{self.message}"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By place in the file, each once."""
    unique = {(p.mark, p.path, p.message): p for p in problems}
    return [unique[key] for key in sorted(unique)]


def dotted(path: Path) -> str:
    return ".".join(p if p.isprintable() and p and " " not in p else quoted(p) for p in path)
