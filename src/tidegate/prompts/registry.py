"""Versions of prompts, whole: read when they are asked for, kept while they are the same, and never
exchanged for another text under the same name."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from tidegate.config.problem import Mark, Problem
from tidegate.core.prompt import Prompt, Tagged
from tidegate.core.words import nearest, quoted
from tidegate.prompts.canonical import Changed, changed_versions
from tidegate.prompts.index import PARTIALS, SUFFIX, Index, Listed
from tidegate.prompts.language import read_template
from tidegate.prompts.read import VersionFile, build, read_partial, read_version, wrong_with
from tidegate.prompts.source import Source, SourceError

MAX_PARTIALS: Final = 100
_START: Final = Mark(1, 1)
Key = tuple[str, str]


class Held(Struct, frozen=True, gc=False):
    """A version that was read: the ids of its file and of its partials', in the order of names."""

    ids: tuple[str, ...]
    prompt: Prompt


class Read(Struct, frozen=True):
    """A version that was asked for. `held` is None exactly where there are problems."""

    held: Held | None
    file: VersionFile
    problems: tuple[Problem, ...] = ()


class Registry(Struct, frozen=True):
    """The prompts that are served, by name, and each version that was read for them.

    `changed` are versions that say something else than they did: what is held of them is what they
    said first.
    """

    tagged: Mapping[str, Tagged] = {}
    held: Mapping[Key, Held] = {}
    problems: tuple[Problem, ...] = ()
    changed: tuple[Changed, ...] = ()


# Partials that were read and are good, by the ids of their files.
Texts = dict[str, str]


def read_prompt(
    source: Source, index: Index, name: str, version: str, texts: Texts | None = None
) -> Read:
    """One version, with all that it includes; partials that are in `texts` are not read again.
    SourceError where there is no such one."""
    listed = index.prompts.get(name)
    if listed is None:
        near = nearest(name, index.prompts)
        raise SourceError(f"{index.source}: there is no prompt {quoted(name)}{near}")
    id = listed.versions.get(version)
    if id is None:
        near = nearest(version, listed.versions) or f"; it has {', '.join(listed.versions)}"
        raise SourceError(f"{index.source}: {name} has no version {quoted(version)}{near}")
    path = path_of(index, name, version)
    file = read_version(source.file(id, path), path)
    if file.problems:
        return Read(None, file, file.problems)
    partials = _Partials(source, index, {} if texts is None else texts)
    partials.include(file.partials, path)
    if partials.problems:
        return Read(None, file, tuple(partials.problems))
    prompt = build(name, version, file, partials.sources)
    wrong = wrong_with(prompt, file)
    if wrong:
        return Read(None, file, wrong)
    ids = (id, *(partials.ids[it] for it in sorted(partials.ids)))
    return Read(Held(ids, prompt), file)


def read_registry(
    source: Source,
    index: Index,
    wanted: Mapping[str, Iterable[str]],
    before: Registry,
    known: Mapping[Key, str],
) -> Registry:
    """The prompts of `wanted` with their tagged versions, and those that are named there.

    A prompt of which anything is wrong stays as `before` has it, tags and all: a flip is whole or
    none. `known` are the digests of versions that were ever tagged: what says something else now is
    refused, and told. Never raises for what lies in the source.
    """
    reading = _Reading(source, index, before, known)
    tagged: dict[str, Tagged] = {}
    for name, versions in wanted.items():
        now = reading.prompt(name, versions)
        if now is None:
            now = before.tagged.get(name)
        if now is not None:
            tagged[name] = now
    in_use = {(name, version) for name, it in tagged.items() for version in it.versions}
    held = {**before.held, **reading.held}
    return Registry(
        tagged,
        {key: held[key] for key in in_use},
        tuple(reading.problems),
        tuple(reading.changed),
    )


def version_of(listed: Listed, tag_or_version: str) -> str | None:
    """The version that is meant by a tag, or by itself."""
    if tag_or_version in listed.versions:
        return tag_or_version
    return listed.tags.get(tag_or_version)


def path_of(index: Index, name: str, version: str) -> str:
    """Where a version's file lies in its source."""
    return _path(index, name, version)


class _Partials:
    """All that a template includes, and what that includes."""

    def __init__(self, source: Source, index: Index, texts: Texts) -> None:
        self._source = source
        self._index = index
        self._texts = texts
        self.sources: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.problems: list[Problem] = []

    def include(self, names: Iterable[str], by: str) -> None:
        waiting = [(name, by) for name in names]
        while waiting and not self.problems:
            name, by = waiting.pop()
            if name in self.sources:
                continue
            if len(self.sources) >= MAX_PARTIALS:
                what = f"it includes more than {MAX_PARTIALS} partials"
                self.problems.append(Problem(by, _START, (), what))
                return
            partial, _, version = name.partition("/")
            listed = self._index.partials.get(partial)
            id = None if listed is None else listed.versions.get(version)
            if id is None:
                self.problems.append(Problem(by, _START, (), self._absent(partial, version)))
                return
            path = _path(self._index, f"{PARTIALS}/{partial}", version)
            source = self._texts.get(id)
            if source is None:
                source, found = read_partial(self._source.file(id, path), path)
                if found:
                    self.problems += found
                    return
                self._texts[id] = source
            self.sources[name], self.ids[name] = source, id
            waiting += [(inner, path) for inner in read_template(source).partials]

    def _absent(self, partial: str, version: str) -> str:
        listed = self._index.partials.get(partial)
        if listed is None:
            near = nearest(partial, self._index.partials)
            return f"there is no partial {quoted(partial)}{near}"
        near = nearest(version, listed.versions) or f"; it has {', '.join(listed.versions)}"
        return f"the partial {partial} has no version {quoted(version)}{near}"


class _Reading:
    """One pass over the prompts that are wanted."""

    def __init__(
        self, source: Source, index: Index, before: Registry, known: Mapping[Key, str]
    ) -> None:
        self._source = source
        self._index = index
        self._before = before
        self._known = known
        self._texts: Texts = {}
        self.held: dict[Key, Held] = {}
        self.problems: list[Problem] = []
        self.changed: list[Changed] = []

    def prompt(self, name: str, versions: Iterable[str]) -> Tagged | None:
        """As it is now; None, with problems told, where it must stay as it was."""
        listed = self._index.prompts.get(name)
        if listed is None:
            what = f"there is no prompt {quoted(name)}{nearest(name, self._index.prompts)}"
            self.problems.append(Problem(_folder(self._index, name), _START, (), what))
            return None
        if listed.problems:
            self.problems += listed.problems
            return None
        wanted = dict.fromkeys((*listed.tags.values(), *versions))
        found = {version: self._held(listed, version) for version in wanted}
        prompts = {version: it.prompt for version, it in found.items() if it is not None}
        if len(prompts) != len(found):
            return None
        digests = {(name, version): it.digest for version, it in prompts.items()}
        changed = changed_versions(self._known, digests)
        for it in changed:
            what = "this version was tagged before and says something else now; write a new one"
            path = path_of(self._index, name, it.version)
            self.problems.append(Problem(path, _START, (), what))
        self.changed += changed
        if changed:
            return None
        self.held |= {(name, version): it for version, it in found.items() if it is not None}
        return Tagged(name, dict(listed.tags), prompts)

    def _held(self, listed: Listed, version: str) -> Held | None:
        earlier = self._before.held.get((listed.name, version))
        if earlier is not None and self._is_same(earlier, listed, version):
            return earlier
        try:
            read = read_prompt(self._source, self._index, listed.name, version, self._texts)
        except SourceError as error:
            path = path_of(self._index, listed.name, version)
            self.problems.append(Problem(path, _START, (), str(error)))
            return None
        self.problems += read.problems
        return read.held

    def _is_same(self, earlier: Held, listed: Listed, version: str) -> bool:
        """Whether its file and its partials' are those that were read."""
        ids = [listed.versions.get(version)]
        for name, _ in earlier.prompt.partials:
            partial, _, of = name.partition("/")
            found = self._index.partials.get(partial)
            ids.append(None if found is None else found.versions.get(of))
        return tuple(ids) == earlier.ids


def _path(index: Index, name: str, version: str) -> str:
    return f"{_folder(index, name)}/{version}{SUFFIX}"


def _folder(index: Index, name: str) -> str:
    return name if index.folder == "." else f"{index.folder}/{name}"
