"""What comes of a prompt that another tool exported, before it is written to files."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tidegate.config.tree import MapNode, ScalarNode, read_tree
from tidegate.core.prompt import Prompt, is_name
from tidegate.core.words import quoted
from tidegate.prompts.canonical import digest_of
from tidegate.prompts.folder import FolderSource
from tidegate.prompts.index import PARTIALS, SUFFIX, TAGS
from tidegate.prompts.read import RESERVED_VARIABLES, read_version
from tidegate.prompts.source import SourceError
from tidegate.prompts.write import file_text

_NO_NAME: Final = re.compile(r"[^a-z0-9._-]+")
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
MAX_NAME_CHARS: Final = 64


class Imported(Struct, frozen=True):
    """A version that was read out of an export. `notes` say what had to be left out."""

    prompt: Prompt
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class ImportProblem(Struct, frozen=True):
    """What of an export could not be read: `where` in the file."""

    file: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}{self.where and f' {self.where}'}: {self.message}"


def whole(prompt: Prompt) -> Prompt:
    """The prompt with its digest."""
    return replace(prompt, digest=digest_of(prompt))


def named(text: str, notes: list[str]) -> str:
    """A name of ours for another tool's. ValueError where nothing is left of it."""
    if is_name(text):
        return text
    name = _NO_NAME.sub("-", text.lower().replace("..", "."))[:MAX_NAME_CHARS].strip("-._")
    if not is_name(name):
        raise ValueError(f"nothing of {quoted(text)} can be the name of a prompt")
    notes.append(f"{quoted(text)} is called {name} here")
    return name


def checked_variable(name: str) -> str:
    """ValueError for a name that templates do not take."""
    if not _VARIABLE.fullmatch(name) or name in RESERVED_VARIABLES:
        raise ValueError(f"{quoted(name)} cannot be a variable's name in a template: rename it")
    return name


def files_of(imported: Sequence[Imported]) -> dict[str, str]:
    """The files to write, by their path below the folder of prompts. ValueError where two versions
    of one name say different things, or one could not be read again."""
    files: dict[str, str] = {}
    tags: dict[str, dict[str, str]] = {}
    for one in imported:
        prompt = one.prompt
        for path, text in _files(prompt):
            if files.setdefault(path, text) != text:
                raise ValueError(f"{path} is there twice, and says different things")
        wrong = read_version(file_text(prompt).encode(), f"{prompt.name}/{prompt.version}").problems
        if wrong:
            raise ValueError(str(wrong[0]))
        for tag in one.tags:
            tags.setdefault(prompt.name, {})[tag] = prompt.version
    for name, found in tags.items():
        files[f"{name}/{TAGS}"] = _tags_text(found)
    return files


def write_files(folder: Path, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """(the paths that were written, those that were there and say the same). SourceError, and
    nothing is written, where one is there and says something else; tags are added to those there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = FolderSource(folder)
    wanted: dict[str, str] = {}
    same: list[str] = []
    for path, text in files.items():
        earlier = _earlier(there, folder, path)
        if earlier is None:
            wanted[path] = text
            continue
        now = _with_tags(earlier, text, path) if path.endswith(f"/{TAGS}") else text
        if now == earlier:
            same.append(path)
        elif path.endswith(f"/{TAGS}"):
            wanted[path] = now
        else:
            what = "it is there and says something else, and a version never changes"
            raise SourceError(f"{folder / path}: {what}; nothing was written")
    for path, text in wanted.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return list(wanted), same


def _files(prompt: Prompt) -> Iterator[tuple[str, str]]:
    yield f"{prompt.name}/{prompt.version}{SUFFIX}", file_text(prompt)
    for name, source in prompt.partials:
        yield f"{PARTIALS}/{name}{SUFFIX}", source + "\n"


def _earlier(there: FolderSource, folder: Path, path: str) -> str | None:
    if not (folder / path).exists() and not (folder / path).is_symlink():
        return None
    return there.file(path, path).decode("utf-8", "replace")


def _with_tags(earlier: str, wanted: str, path: str) -> str:
    """The tags that there were, with those that are wanted."""
    before = _tags_in(earlier, path)
    after = {**before, **_tags_in(wanted, path)}
    return earlier if after == before else _tags_text(after)


def _tags_in(text: str, path: str) -> dict[str, str]:
    root, problems = read_tree(text.encode(), path)
    if problems or not isinstance(root, MapNode | None):
        raise SourceError(f"{path} cannot be read: put it right first; nothing was written")
    pairs = root.pairs.items() if isinstance(root, MapNode) else ()
    return {tag: node.text for tag, (_, node) in pairs if isinstance(node, ScalarNode)}


def _tags_text(tags: Mapping[str, str]) -> str:
    return "".join(f"{tag}: {_quoted(version)}\n" for tag, version in sorted(tags.items()))


def _quoted(version: str) -> str:
    return version if version[:1].isalpha() and is_name(version) else f'"{version}"'
