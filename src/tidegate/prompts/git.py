"""A repository at one commit, read out of its object store. It is loaded where a repository is
named, because dulwich is an extra.

Nothing is checked out, run, written or fetched. What is damaged is an error that says where, and
never another text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Commit, Tag
from dulwich.refs import Ref
from dulwich.repo import Repo

from tidegate.core.words import quoted
from tidegate.prompts.git_objects import BLOB, COMMIT, KINDS, TAG, TREE, Objects, TooLarge, let_go
from tidegate.prompts.source import MAX_ENTRIES, MAX_FILE_BYTES, Entry, Moment, SourceError

MAX_TREE_BYTES: Final = 8 * 1024 * 1024
MAX_COMMIT_BYTES: Final = 1024 * 1024
_MAX_PEELS: Final = 8
_REF: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,199}")
_HEX: Final = re.compile(r"[0-9a-f]{7,64}")
# A folder's list: mode, name, and the id as so many bytes.
_ROWS: Final = {
    size: re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)
}
_ENTRY_KINDS: Final[Mapping[bytes, Literal["file", "folder"]]] = {
    **dict.fromkeys((b"40000", b"040000"), "folder"),
    **dict.fromkeys((b"100644", b"100755", b"100664"), "file"),
}
_REPAIR: Final = "run `git fsck` there, fetch it again, or push again what is missing"


class GitSource:
    """One commit of a local repository."""

    lasting = True
    lacks = False

    def __init__(self, path: Path, ref: str) -> None:
        self._path = path
        self.name = f"{path}@{ref}"
        if not _is_ref(ref):
            what = "a ref is a branch, a tag, refs/..., HEAD or a commit's id"
            raise SourceError(f"{path}: {quoted(ref)} is no ref: {what}")
        if not path.is_dir():
            raise SourceError(f"{path}: there is no such folder; a repository is a local path")
        with ExitStack() as opened:
            try:
                repo = opened.enter_context(Repo(str(path)))
                store = DiskObjectStore(
                    repo.object_store.path,
                    loose_object_size_limit=MAX_TREE_BYTES,
                    object_format=repo.object_format,
                )
                opened.callback(let_go, store)
                self._objects = Objects(store)
                opened.callback(self._objects.close)
            except Exception as error:
                what = f"this repository cannot be opened: {_why(error)}"
                raise SourceError(f"{path}: {what}") from None
            self.commit: str | None = self._peeled(self._found(repo, ref), ref)
            self._root = self._moment(self.commit).root
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Lets go of its files."""
        self._opened.close()

    def root(self) -> str:
        return self._root

    def entries(self, folder: str, at: str) -> Sequence[Entry]:
        data = self._object(folder, (TREE, MAX_TREE_BYTES), at)
        size = self._objects.id_bytes
        rows = _ROWS[size].findall(data)
        if sum(len(mode) + len(name) for mode, name, _ in rows) + len(rows) * (size + 2) != len(
            data
        ):
            raise self._damaged(at, "the list of its files is cut off")
        if len(rows) > MAX_ENTRIES:
            raise SourceError(f"{self.name}: {at} holds more than {MAX_ENTRIES} files")
        return [
            Entry(
                name.decode("utf-8", "backslashreplace"), _ENTRY_KINDS.get(mode, "other"), id.hex()
            )
            for mode, name, id in rows
        ]

    def file(self, id: str, at: str, most_bytes: int = MAX_FILE_BYTES) -> bytes:
        return self._object(id, (BLOB, most_bytes), at)

    def moments(self) -> Iterator[Moment]:
        at = self.commit
        while at is not None:
            moment = self._moment(at)
            yield moment
            at = moment.parents[0] if moment.parents else None

    def _found(self, repo: Repo, ref: str) -> str:
        """The id of what a ref names."""
        names = (ref,) if ref == "HEAD" or ref.startswith("refs/") else _places(ref)
        try:
            for name in names:
                id = repo.refs.follow(Ref(name.encode()))[1]
                if id is not None:
                    return id.decode()
            found = self._objects.beginning_with(ref) if _HEX.fullmatch(ref) else set()
        except Exception as error:
            raise SourceError(f"{self._path}: {ref} cannot be read: {_why(error)}") from None
        if not found:
            what = "there is no such branch, tag or commit; was it deleted, or not pushed yet?"
            raise SourceError(f"{self._path}: {quoted(ref)}: {what}")
        if len(found) > 1:
            raise SourceError(f"{self._path}: {ref}: several objects begin so; write more of it")
        return found.pop()

    def _peeled(self, id: str, ref: str) -> str:
        """The commit that an id, or the tags around it, mean."""
        for _ in range(_MAX_PEELS):
            kind, data = self._read(id, ref, MAX_COMMIT_BYTES)
            if kind == COMMIT:
                return id
            if kind != TAG:
                raise SourceError(f"{self._path}: {quoted(ref)} names a {KINDS[kind]}, no commit")
            try:
                id = _tagged(data)
            except Exception:
                raise self._damaged(ref, "its tag cannot be read") from None
        raise SourceError(f"{self._path}: {quoted(ref)} is a tag of tags of tags")

    def _moment(self, id: str) -> Moment:
        data = self._object(id, (COMMIT, MAX_COMMIT_BYTES), f"the commit {id[:12]}")
        try:
            return _moment(id, data)
        except Exception:
            raise self._damaged(f"the commit {id[:12]}", "it cannot be read") from None

    def _object(self, id: str, wanted: tuple[int, int], at: str) -> bytes:
        """Of this kind, and of at most so many bytes."""
        kind, most_bytes = wanted
        found, data = self._read(id, at, most_bytes)
        if found != kind:
            raise self._damaged(at, f"expected a {KINDS[kind]}, found a {KINDS[found]}")
        return data

    def _read(self, id: str, at: str, most_bytes: int) -> tuple[int, bytes]:
        try:
            return self._objects.read(id, most_bytes)
        except TooLarge as error:
            what = f"{error.size_bytes:,} bytes, where there may be {most_bytes:,}"
            raise SourceError(f"{self.name}: {at} has {what}") from None
        except (KeyError, FileNotFoundError):
            raise self._damaged(at, f"the object {id[:12]} is missing") from None
        except Exception as error:
            raise self._damaged(at, _why(error)) from None

    def _damaged(self, at: str, why: str) -> SourceError:
        self.lacks = True
        return SourceError(f"{self.name}: {at}: {why}; the repository is damaged: {_REPAIR}")


def _moment(id: str, data: bytes) -> Moment:
    commit = Commit.from_string(data)
    return Moment(
        id,
        tuple(it.decode() for it in commit.parents),
        commit.tree.decode(),
        commit.author.decode("utf-8", "replace"),
        float(commit.commit_time),
        commit.message.decode("utf-8", "replace"),
    )


def _tagged(data: bytes) -> str:
    tag = Tag.from_string(data)
    return str(tag.object[1].decode())


def _places(ref: str) -> tuple[str, ...]:
    return f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/remotes/{ref}"


def _is_ref(ref: str) -> bool:
    """No option, no address, nothing that leaves the folder of refs."""
    parts = ref.split("/")
    return (
        _REF.fullmatch(ref) is not None
        and ".." not in ref
        and "@{" not in ref
        and all(it and not it.startswith(".") and not it.endswith((".", ".lock")) for it in parts)
    )


def _why(error: Exception) -> str:
    told = str(error).partition("\n")[0] or type(error).__name__
    return "".join(it if it.isprintable() else "?" for it in told)[:200]


plug = GitSource
