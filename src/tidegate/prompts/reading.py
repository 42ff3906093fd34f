"""The prompts that a plan is compiled with: read when they are asked for, known from then on.

What lies in a repository is read again only where its commit is another. What cannot be read any
more stays as it was, and is told in `problems`.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from tidegate.config.problem import Problem
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.prompt import Prompt
from tidegate.prompts.folder import FolderSource
from tidegate.prompts.index import Index, kept, read_index
from tidegate.prompts.registry import Key, Registry, read_prompt, read_registry
from tidegate.prompts.source import Source, SourceError, is_repository, open_repository

# Digests of versions that were ever tagged, by prompt and version.
Known = Mapping[Key, str]


def open_source(declared: DeclaredPrompts) -> Source:
    """The repository at its ref, or the folder as it lies there. SourceError."""
    path = Path(declared.repository)
    if is_repository(path):
        return open_repository(path, declared.ref)
    folder: Source = FolderSource(path)
    return folder


class Snapshot:
    """One moment of the prompts: `core.prompt.PromptSource`."""

    def __init__(self, source: Source, index: Index, registry: Registry, known: Known) -> None:
        self._source = source
        self.index = index
        self.registry = registry
        self._known = known
        self._lacks = source.lacks
        self._turn = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Lets go of its source: what was not read of it until then is not to be had."""
        with self._turn:
            self._closed = True
            self._source.close()

    def is_of(self, source: Source) -> bool:
        """Whether it is what the source has now. Of a commit that was pushed by half, what was not
        there may have come since."""
        return source.lasting and source.commit == self._source.commit and not self._lacks

    @property
    def known_index(self) -> Index:
        """What need not be read again; the list of prompts is, where something was not there."""
        return replace(self.index, folder_id="") if self._lacks else self.index

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Of the index and of what was read of it."""
        return tuple(dict.fromkeys((*self.index.all_problems(), *self.registry.problems)))

    def names(self) -> Iterable[str]:
        return self.index.prompts.keys() | self.registry.tagged.keys()

    def tags(self, name: str) -> Mapping[str, str] | None:
        tagged = self.registry.tagged.get(name)
        if tagged is not None:
            return tagged.tags
        return {} if name in self.index.prompts else None

    def allowed(
        self, name: str, tags: Mapping[str, str], moved: Collection[str] = ()
    ) -> Mapping[str, str]:
        """All of them."""
        return tags

    def version(self, name: str, version: str) -> Prompt:
        """ValueError says what is wrong with it, and where."""
        tagged = self.registry.tagged.get(name)
        if tagged is not None and version in tagged.versions:
            return tagged.versions[version]
        with self._turn:
            if self._closed:
                raise ValueError(f"{self.index.source} has moved on meanwhile; ask again")
            try:
                read = read_prompt(self._source, self.index, name, version)
            except SourceError as error:
                raise ValueError(str(error)) from error
        if read.held is None:
            raise ValueError(str(read.problems[0]))
        digest = read.held.prompt.digest
        if self._known.get((name, version), digest) != digest:
            what = "was tagged before and says something else now; write a new version"
            raise ValueError(f"{read.file.file}: {name}@{version} {what}")
        return read.held.prompt


class Reading:
    """What was read last. `known` gives the digests of versions that were ever tagged, `note` keeps
    those that are tagged for the first time; both may raise what their store raises."""

    def __init__(
        self, known: Callable[[], Known] = dict, note: Callable[[Known], None] = lambda _: None
    ) -> None:
        self._known = known
        self._note = note
        self._turn = threading.Lock()
        self._read: tuple[DeclaredPrompts, Snapshot] | None = None
        self.failure: str | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """As it was read last."""
        return None if self._read is None else self._read[1]

    def at(self, declared: DeclaredPrompts) -> Snapshot:
        """The prompts of now; those of the last time where the source cannot be read. ValueError
        where it never could."""
        with self._turn:
            of, before = self._read or (declared, None)
            try:
                snapshot = self._at(declared, before if of == declared else None)
            except SourceError as error:
                self.failure = str(error)
                if before is None or of != declared:
                    raise ValueError(str(error)) from error
                return before
            self.failure = None
            if before is not None and before is not snapshot:
                before.close()
            self._read = declared, snapshot
            return snapshot

    def close(self) -> None:
        """Lets go of what was read."""
        with self._turn:
            if self._read is not None:
                self._read[1].close()
            self._read = None

    def _at(self, declared: DeclaredPrompts, before: Snapshot | None) -> Snapshot:
        source = open_source(declared)
        if before is not None and before.is_of(source):
            source.close()
            return before
        try:
            return self._taken(source, declared, before)
        except BaseException:
            source.close()
            raise

    def _taken(
        self, source: Source, declared: DeclaredPrompts, earlier: Snapshot | None
    ) -> Snapshot:
        before = None if earlier is None else earlier.known_index
        index = read_index(source, declared.folder, before)
        index = kept(None if earlier is None else earlier.index, index)
        if earlier is not None and index == earlier.index and not earlier.registry.problems:
            source.close()
            return earlier
        known = self._known()
        registry = read_registry(
            source,
            index,
            {name: () for name, listed in index.prompts.items() if listed.tags},
            Registry() if earlier is None else earlier.registry,
            known,
        )
        fresh = {
            (name, version): prompt.digest
            for name, tagged in registry.tagged.items()
            for version, prompt in tagged.versions.items()
            if (name, version) not in known
        }
        if fresh:
            self._note(fresh)
        return Snapshot(source, index, registry, {**known, **fresh})
