"""Where prompts are read from: one moment of a repository, or the working files of a checkout.

A source gives folders and files by the ids that folders name. A file that has the same id is the
same. Of a repository so is a folder, whose id is a digest too; a folder of working files is listed
anew each time.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, Protocol

from msgspec import Struct

from tidegate.core import plugs

MAX_FILE_BYTES: Final = 256 * 1024
MAX_ENTRIES: Final = 100_000
_EXTRA: Final = "reading a repository needs an extra: pip install 'tidegate[git]'"


class SourceError(Exception):
    """Why something could not be read: what, in which source, and what to do about it."""


class Entry(Struct, frozen=True, gc=False):
    """What a folder has under a name. `other` is a link, a submodule or anything else that is no
    folder and no file of its own: it is never followed."""

    name: str
    kind: Literal["file", "folder", "other"]
    id: str


class Moment(Struct, frozen=True):
    """A commit: `at_s` is the committer's clock in seconds since 1970."""

    id: str
    parents: tuple[str, ...]
    root: str
    author: str
    at_s: float
    message: str


class Source(Protocol):
    """One moment of it. `name` is how messages call it, `commit` its commit's id if it has one.
    `lasting`: whether a folder of the same id holds the same. `lacks`: whether something of it was
    missing or damaged, which may come without another commit. Everything may raise SourceError."""

    name: str
    commit: str | None
    lasting: bool
    lacks: bool

    def root(self) -> str: ...

    def entries(self, folder: str, at: str) -> Sequence[Entry]:
        """What the folder of this id holds, by name. `at` is its path, for messages."""

    def file(self, id: str, at: str, most_bytes: int = MAX_FILE_BYTES) -> bytes:
        """The whole file."""

    def close(self) -> None: ...


class Repository(Source, Protocol):
    """A source with a past."""

    def moments(self) -> Iterator[Moment]:
        """This commit and those before it, along first parents."""


def open_repository(path: Path, ref: str) -> Repository:
    """A local repository, bare or with a checkout, at a branch, a tag, `refs/...`, `HEAD` or a
    commit. Nothing of it is run, written or fetched. SourceError."""
    try:
        opened: Repository = plugs.load("prompts", "git")(path, ref)
    except plugs.PlugError as error:
        raise SourceError(f"{_EXTRA} ({error})") from None
    return opened


def is_repository(path: Path) -> bool:
    """Whether a repository lies there, with a checkout or bare."""
    return (path / ".git").exists() or is_bare(path)


def is_bare(path: Path) -> bool:
    return (path / "objects").is_dir() and (path / "refs").is_dir()


def find(source: Source, path: str, root: str | None = None) -> tuple[str, str] | None:
    """(kind, id) of what lies at a path below a folder, else below the source's root; None where
    there is nothing."""
    kind, at, way = "folder", source.root() if root is None else root, ""
    for name in path.split("/"):
        if kind != "folder":
            return None
        found = next((it for it in source.entries(at, way or ".") if it.name == name), None)
        if found is None:
            return None
        kind, at, way = found.kind, found.id, f"{way}/{name}" if way else name
    return kind, at
