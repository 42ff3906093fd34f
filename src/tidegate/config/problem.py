"""What is wrong with a plan file, and where."""

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct

Path = tuple[str, ...]
_SHOWN_CHARS = 60


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


def quoted(text: str) -> str:
    """`text` in quotes, shortened, with nothing in it that a terminal would obey."""
    if len(text) > _SHOWN_CHARS:
        text = text[:_SHOWN_CHARS] + "..."
    if not text.isprintable():
        text = text.encode("unicode_escape", "backslashreplace").decode("ascii")
    return f'"{text}"'


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` for the closest known word, or nothing when none is close."""
    found = get_close_matches(word[:200], list(known), n=1, cutoff=0.6)
    return f"; did you mean {quoted(found[0])}?" if found else ""
