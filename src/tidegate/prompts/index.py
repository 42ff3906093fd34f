"""Which prompts, versions, partials and tags a source has. Files of versions are not read for it.

An index is made whole or not at all. What is wrong with one prompt is told with that prompt and
leaves the others as they are.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tidegate.config.problem import Mark, Problem
from tidegate.config.tree import MapNode, Node, ScalarNode, read_tree
from tidegate.core.prompt import is_name
from tidegate.core.words import nearest, quoted
from tidegate.prompts.source import Entry, Source, SourceError, find

FOLDER: Final = "prompts"
PARTIALS: Final = "_partials"
SUFFIX: Final = ".jinja2"
TAGS: Final = "tags.yaml"
MAX_PROMPTS: Final = 50_000
MAX_VERSIONS: Final = 1_000
MAX_TAGS: Final = 200
MAX_DEPTH: Final = 8
_START: Final = Mark(1, 1)
_OTHER_SUFFIXES: Final = (".j2", ".jinja", ".jinja2.txt", ".tmpl", ".prompt")
# Prompts call their versions alike.
_is_name: Final = lru_cache(maxsize=1024)(is_name)
_NAMES: Final = "lower-case letters, digits, `.`, `_` and `-`, up to 64"


class Listed(Struct, frozen=True, gc=False):
    """One prompt or partial. `id` is that of its folder, `versions` are the ids of their files and
    `tags_id` that of its tags' file, empty where there is none."""

    name: str
    id: str
    versions: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    problems: tuple[Problem, ...] = ()
    tags_id: str = ""


class Index(Struct, frozen=True):
    """All of one moment of a source. `problems` are those of no prompt in particular."""

    source: str
    commit: str | None
    folder: str
    folder_id: str
    prompts: Mapping[str, Listed] = {}
    partials: Mapping[str, Listed] = {}
    problems: tuple[Problem, ...] = ()

    def all_problems(self) -> list[Problem]:
        """Every one, by file and place."""
        listed = (*self.prompts.values(), *self.partials.values())
        found = [*self.problems, *(problem for it in listed for problem in it.problems)]
        return sorted(found, key=lambda it: (it.file, it.mark))


def read_index(source: Source, folder: str = FOLDER, before: Index | None = None) -> Index:
    """What lies below `folder` of the source. What `before` knows is not read again, where ids say
    that it is the same. SourceError where there is no such folder or it cannot be read."""
    folder = folder.strip("/") or "."
    if folder != "." and (len(folder.split("/")) > MAX_DEPTH or ".." in folder.split("/")):
        raise SourceError(f"{quoted(folder)} is no folder of a repository: name one below it")
    found = ("folder", source.root()) if folder == "." else find(source, folder)
    if found is None or found[0] != "folder":
        what = f"there is no folder {folder} in it; prompts lie at {folder}/NAME/VERSION{SUFFIX}"
        raise SourceError(f"{source.name}: {what}")
    if before is not None and before.folder != folder:
        before = None
    if before is not None and source.lasting and before.folder_id == found[1]:
        return Index(
            source.name,
            source.commit,
            folder,
            found[1],
            before.prompts,
            before.partials,
            before.problems,
        )
    return _Reading(source, folder, before).index(found[1])


def list_prompt(source: Source, folder: str, name: str, id: str) -> Listed:
    """One prompt, whose folder has this id."""
    entry = Entry(name, "folder", id)
    return _Reading(source, folder, None).listed(entry, f"{folder}/{name}", None)


def kept(before: Index | None, now: Index) -> Index:
    """`now`, with what `before` knew of each prompt that cannot be read any more, and why not."""
    if before is None:
        return now
    return Index(
        now.source,
        now.commit,
        now.folder,
        now.folder_id,
        _kept(before.prompts, now.prompts),
        _kept(before.partials, now.partials),
        now.problems,
    )


def _kept(before: Mapping[str, Listed], now: Mapping[str, Listed]) -> dict[str, Listed]:
    def last_good(it: Listed) -> Listed:
        earlier = before.get(it.name)
        if not it.problems or earlier is None or not earlier.versions:
            return it
        return replace(earlier, problems=it.problems)

    return {name: last_good(it) for name, it in now.items()}


class _Reading:
    """One reading of a source's folder of prompts."""

    def __init__(self, source: Source, folder: str, before: Index | None) -> None:
        self._source = source
        self._folder = folder
        self._before = before
        self._problems: list[Problem] = []

    def index(self, folder_id: str) -> Index:
        prompts: dict[str, Listed] = {}
        partials: dict[str, Listed] = {}
        known: Mapping[str, Listed] = self._before.prompts if self._before else {}
        for entry in self._source.entries(folder_id, self._folder):
            path = self._path(entry.name)
            if entry.name == PARTIALS and entry.kind == "folder":
                partials = self._partials(entry.id)
            elif entry.kind == "folder":
                self._add(prompts, entry, path, known)
            elif entry.kind == "other":
                self._say(path, "this is a link or a submodule, which is not followed")
            elif entry.name.endswith((SUFFIX, *_OTHER_SUFFIXES)):
                self._say(path, f"a version lies at {self._path('NAME/VERSION' + SUFFIX)}")
        name, commit = self._source.name, self._source.commit
        problems = tuple(self._problems)
        return Index(name, commit, self._folder, folder_id, prompts, partials, problems)

    def _partials(self, folder_id: str) -> dict[str, Listed]:
        partials: dict[str, Listed] = {}
        known: Mapping[str, Listed] = self._before.partials if self._before else {}
        try:
            entries = self._source.entries(folder_id, self._path(PARTIALS))
        except SourceError as error:
            self._say(self._path(PARTIALS), str(error))
            return {}
        for entry in entries:
            path = self._path(f"{PARTIALS}/{entry.name}")
            if entry.kind == "folder":
                self._add(partials, entry, path, known)
            elif entry.kind == "other" or entry.name.endswith(SUFFIX):
                self._say(path, f"a partial lies at {PARTIALS}/NAME/VERSION{SUFFIX}")
        return partials

    def _add(
        self, into: dict[str, Listed], entry: Entry, path: str, known: Mapping[str, Listed]
    ) -> None:
        if not is_name(entry.name):
            if not entry.name.startswith((".", "_")):
                self._say(path, f"{quoted(entry.name)} is no name: {_NAMES}")
            return
        if len(into) >= MAX_PROMPTS:
            self._say(path, f"there are more than {MAX_PROMPTS:,}; the others are not read")
            return
        earlier = known.get(entry.name)
        if earlier is not None and earlier.problems:
            earlier = None
        if earlier is None or not self._source.lasting or earlier.id != entry.id:
            earlier = self.listed(entry, path, earlier)
        into[entry.name] = earlier

    def listed(self, folder: Entry, path: str, earlier: Listed | None) -> Listed:
        """`earlier` is what it was, without problems, and stays where it is the same."""
        problems: list[Problem] = []
        versions: dict[str, str] = {}
        tags: dict[str, str] = {}
        tags_id = ""
        try:
            entries = self._source.entries(folder.id, path)
            for entry in entries:
                is_version = entry.kind == "file" and entry.name.endswith(SUFFIX)
                version = entry.name[: -len(SUFFIX)]
                wrong = _wrong_version(version, versions) if is_version else _wrong(entry)
                if wrong is not None:
                    problems.append(Problem(f"{path}/{entry.name}", _START, (), wrong))
                elif is_version:
                    versions[version] = entry.id
            tags_id = next((it.id for it in entries if it.name == TAGS and it.kind == "file"), "")
            ids = folder.id, versions, tags_id
            if earlier and not problems and ids == (earlier.id, earlier.versions, earlier.tags_id):
                return earlier
            if tags_id:
                at = f"{path}/{TAGS}"
                tags, found = read_tags(self._source.file(tags_id, at), at, versions)
                problems += found
        except SourceError as error:
            problems.append(Problem(path, _START, (), str(error)))
        return Listed(folder.name, folder.id, versions, tags, tuple(problems), tags_id)

    def _path(self, name: str) -> str:
        return name if self._folder == "." else f"{self._folder}/{name}"

    def _say(self, path: str, message: str) -> None:
        self._problems.append(Problem(path, _START, (), message))


def read_tags(
    data: bytes, file: str, versions: Iterable[str]
) -> tuple[dict[str, str], list[Problem]]:
    """The tags of a `tags.yaml`, each with the version that it points at."""
    root, problems = read_tree(data, file)
    tags: dict[str, str] = {}
    if root is None or (isinstance(root, ScalarNode) and root.kind == "nothing"):
        return tags, problems
    if not isinstance(root, MapNode):
        what = "write a line for each tag, such as `stable: v3`"
        return tags, [*problems, Problem(file, root.mark, (), what)]
    known = frozenset(versions)
    for tag, (mark, node) in root.pairs.items():
        wrong = _wrong_tag(tag, node, known)
        if wrong is None and len(tags) >= MAX_TAGS:
            wrong = f"a prompt has at most {MAX_TAGS} tags"
        if wrong is not None:
            problems.append(Problem(file, mark, (tag,), wrong))
        elif isinstance(node, ScalarNode):
            tags[tag] = node.text
    return tags, problems


def _wrong_tag(tag: str, node: Node, versions: frozenset[str]) -> str | None:
    if not is_name(tag):
        return f"{quoted(tag)} is no name of a tag: {_NAMES}"
    if tag in versions:
        return f"{quoted(tag)} is a version of this prompt too: call the tag something else"
    if not isinstance(node, ScalarNode) or node.kind == "nothing":
        return "write the version that it points at"
    if node.text not in versions:
        return f"there is no version {quoted(node.text)}{nearest(node.text, versions)}"
    return None


def _wrong(entry: Entry) -> str | None:
    """What is wrong with something in a prompt's folder that is no version; None where it may lie
    there."""
    if entry.kind == "other":
        return "this is a link or a submodule, which is not followed"
    if entry.kind == "folder":
        return "a prompt's folder holds versions and no folders"
    if entry.name == "tags.yml":
        return f"call it {TAGS}"
    if entry.name.endswith(_OTHER_SUFFIXES):
        return f"versions end in {SUFFIX}"
    return None


def _wrong_version(version: str, versions: Mapping[str, str]) -> str | None:
    """What is wrong with a version beside those that its prompt has already."""
    if not _is_name(version):
        return f"{quoted(version)} is no name of a version: {_NAMES}"
    if version in versions:
        return "it is there twice"
    if len(versions) >= MAX_VERSIONS:
        return f"there are more than {MAX_VERSIONS:,} versions; the others are not read"
    return None
