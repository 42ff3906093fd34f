"""The anchors that a plan names: a file in the repository of prompts, read as prompts are, without
a checkout; or beside the plan file, where the plan has no such repository. Links are never
followed."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.words import quoted
from tidegate.evals.anchors import Anchor, AnchorsRefused, anchors_of
from tidegate.prompts.folder import FolderSource
from tidegate.prompts.reading import open_source
from tidegate.prompts.source import Source, SourceError, find

MAX_PLAN_BYTES: Final = 8 * 1024 * 1024
MAX_ANCHORS: Final = 2_000
_MAX_PATH_CHARS: Final = 500


class Place(Struct, frozen=True):
    """Where a plan's anchors lie: the repository of its prompts, else the plan file's folder."""

    prompts: DeclaredPrompts | None
    folder: Path


def read_plan_anchors(place: Place, path: str) -> tuple[Anchor, ...]:
    """Anchors of single answers. AnchorsRefused says what is wrong, with file and line."""
    parts = path.split("/")
    if len(path) > _MAX_PATH_CHARS or any(it in ("", ".", "..") for it in parts):
        what = "a file of anchors is named by a path below the repository's root"
        raise AnchorsRefused(f"{quoted(path)}: {what}")
    try:
        source = _source(place)
        try:
            data, name = _read(source, path), f"{source.name}: {path}"
        finally:
            source.close()
    except SourceError as error:
        raise AnchorsRefused(str(error)) from None
    found = anchors_of(data, name, pairwise=False)
    if len(found) > MAX_ANCHORS:
        raise AnchorsRefused(f"{name}: {len(found):,} anchors, where there may be {MAX_ANCHORS:,}")
    return found


def _source(place: Place) -> Source:
    if place.prompts is not None:
        return open_source(place.prompts)
    folder: Source = FolderSource(place.folder)
    return folder


def _read(source: Source, path: str) -> bytes:
    found = find(source, path)
    if found is None or found[0] != "file":
        what = "there is no such file" if found is None else "that is no plain file"
        raise SourceError(f"{source.name}: {path}: {what}")
    return source.file(found[1], path, MAX_PLAN_BYTES)
