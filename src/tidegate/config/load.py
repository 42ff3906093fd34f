"""The way from a plan file to a Plan. Total: any bytes give a plan or a list of problems."""

from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import NamedTuple

from msgspec import Struct

from tidegate.config.problem import Mark, Path, Problem, in_order
from tidegate.config.published import model_facts, published
from tidegate.config.surroundings import about_surroundings
from tidegate.config.tree import MAX_FILE_BYTES, ScalarNode, read_tree
from tidegate.config.walk import Origin, Walked, walk
from tidegate.config.warn import (
    Warned,
    about_costs,
    about_encoders,
    about_ladders,
    about_limits,
    about_machines,
    about_models,
    about_quality,
    about_revisions,
)
from tidegate.core.compile import Complaint, PlanRefused, compile_plan
from tidegate.core.declared import Declared
from tidegate.core.facts import Facts
from tidegate.core.plan import Plan

DEFAULT_FILE = "tidegate.yaml"
_START = Mark(1, 1)


class Loaded(Struct, frozen=True):
    """A file's declared plan, or what is wrong with it.

    `declared` is None exactly when `problems` is not empty. `origins` says where each value is
    written, by its path.
    """

    declared: Declared | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    origins: dict[Path, Origin] = {}


class Compiled(NamedTuple):
    """A file's Plan, or what is wrong with it: `plan` is None exactly when there are problems."""

    plan: Plan | None
    declared: Declared | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


class _Read(NamedTuple):
    file: str
    walked: Walked | None
    problems: list[Problem]


def load(
    source: FilePath | str | bytes, environ: Mapping[str, str], file_name: str | None = None
) -> Loaded:
    """Reads the file at `source` (or the bytes themselves); names are not yet resolved.

    Problems name the file as `file_name`, or as the path that was given.
    """
    read = _read(source, environ, file_name)
    if read.walked is None or read.problems:
        return Loaded(None, tuple(in_order(read.problems)))
    walked = read.walked
    warnings = _placed(about_surroundings(walked.value, environ), read.file, walked)
    return Loaded(walked.value, (), warnings, walked.origins)


def compile_file(
    source: FilePath | str | bytes,
    environ: Mapping[str, str],
    version: int,
    now_s: float,
    facts: Facts | None = None,
) -> Compiled:
    """Reads and compiles a plan; every problem of either step at once, by line.

    `now_s` is wall-clock seconds: prices are those of that day. `facts` stands in for the
    plugs and the published prices.
    """
    facts = facts or Facts(published(now_s), model_of=model_facts)
    read = _read(source, environ, None)
    if read.walked is None:
        return Compiled(None, None, tuple(in_order(read.problems)), ())
    walked = read.walked
    declared: Declared = walked.value
    problems = list(read.problems)
    plan = None
    try:
        plan = compile_plan(declared, version=version, now_s=now_s, facts=facts)
    except PlanRefused as refused:
        problems += [
            Problem(read.file, mark_of(walked.origins, c.path), c.path, c.message)
            for c in refused.complaints
            if not _said_before(c, walked.spoiled)
        ]
    if plan is None or problems:
        return Compiled(None, None, tuple(in_order(problems)), ())
    warned = [
        *about_surroundings(declared, environ),
        *about_costs(plan, declared),
        *about_limits(plan),
        *about_ladders(plan, facts),
        *about_machines(plan, declared, environ, facts),
        *about_quality(plan, declared),
        *about_revisions(declared, facts),
        *about_encoders(plan, facts),
        *about_models(plan, declared, now_s),
    ]
    return Compiled(plan, declared, (), _placed(warned, read.file, walked))


def mark_of(origins: Mapping[Path, Origin], path: Path) -> Mark:
    """Where `path` is written, or the nearest of its parents that is."""
    for end in range(len(path), -1, -1):
        if path[:end] in origins:
            return origins[path[:end]].mark
    return _START


def _read(
    source: FilePath | str | bytes, environ: Mapping[str, str], file_name: str | None
) -> _Read:
    file = file_name or (DEFAULT_FILE if isinstance(source, bytes) else str(source))
    folder = FilePath() if isinstance(source, bytes) else FilePath(source).parent
    try:
        data = source if isinstance(source, bytes) else _bytes_of(FilePath(source))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _Read(file, None, [Problem(file, _START, (), f"cannot be read: {reason}")])
    root, problems = read_tree(data, file)
    if root is None or (isinstance(root, ScalarNode) and root.kind == "nothing"):
        if not problems:
            message = "the plan is empty; it needs `providers:` and `routes:`"
            problems = [Problem(file, _START, (), message)]
        return _Read(file, None, problems)
    walked = walk(root, Declared, file, environ, str(folder))
    return _Read(file, walked, problems + walked.problems)


def _bytes_of(path: FilePath) -> bytes:
    """At most one byte more than a plan may have."""
    with path.open("rb") as opened:
        return opened.read(MAX_FILE_BYTES + 1)


def _placed(warned: Iterable[Warned], file: str, walked: Walked) -> tuple[Problem, ...]:
    found = (Problem(file, mark_of(walked.origins, w.path), w.path, w.message) for w in warned)
    return tuple(in_order(found))


def _said_before(complaint: Complaint, spoiled: set[Path]) -> bool:
    """Whether the complaint is about a value that could not even be read."""
    path = complaint.path
    return any(s[: len(path)] == path or path[: len(s)] == s for s in spoiled)
