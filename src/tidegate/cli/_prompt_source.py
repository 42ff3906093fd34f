"""Which prompts a command is about: of a repository at a ref, of working files, of the plan."""

import os
import re
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final, NoReturn, ParamSpec, TypeVar

import click
from msgspec import Struct

from tidegate.config.load import DEFAULT_FILE, load
from tidegate.config.problem import Problem
from tidegate.core.prompt import STABLE, Prompt
from tidegate.core.words import nearest, quoted
from tidegate.prompts.folder import FolderSource
from tidegate.prompts.index import FOLDER, Index, Listed, read_index
from tidegate.prompts.registry import read_prompt, version_of
from tidegate.prompts.source import (
    Repository,
    Source,
    SourceError,
    is_bare,
    is_repository,
    open_repository,
)

_P = ParamSpec("_P")
_R = TypeVar("_R")
_PATH: Final = click.Path(path_type=Path)
_DIGITS: Final = re.compile(r"([0-9]+)")


class Where(Struct, frozen=True):
    """What was said on the command line."""

    repository: Path | None
    ref: str | None
    folder: str | None
    plan: Path | None


class Prompts(Struct, frozen=True):
    """An open source and what it has."""

    source: Source
    index: Index

    def listed(self, name: str) -> Listed:
        """The prompt of that name; the command stops where there is none."""
        found = self.index.prompts.get(name)
        if found is None:
            near = nearest(name, self.index.prompts)
            stop(f"{self.index.source}: there is no prompt {quoted(name)}{near}")
        return found

    def version(self, name: str, wanted: str | None) -> str:
        """The version that a tag or itself names; without one that of `stable`, else the newest by
        name."""
        listed = self.listed(name)
        if not listed.versions:
            stop(f"{self.index.source}: {name} has no version")
        if wanted is None:
            return listed.tags.get(STABLE) or in_order(listed.versions)[-1]
        found = version_of(listed, wanted)
        if found is None:
            there = ", ".join((*in_order(listed.versions), *listed.tags))
            stop(f"{self.index.source}: {name} has no version or tag {quoted(wanted)}: {there}")
        return found

    def prompt(self, name: str, wanted: str | None) -> Prompt:
        """That version, read; the command stops with all that is wrong with it."""
        read = read_prompt(self.source, self.index, name, self.version(name, wanted))
        if read.held is None:
            stop_with(read.problems)
        return read.held.prompt


def in_order(versions: Any) -> list[str]:
    """Names of versions as people count: v9 before v10."""
    return sorted(versions, key=lambda it: [int(p) if p.isdigit() else p for p in _parts(it)])


def _parts(text: str) -> list[str]:
    return _DIGITS.split(text)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say where prompts lie; the command gets a `where`."""

    @wraps(command)
    def with_where(*given: Any, **named: Any) -> Any:
        where = Where(*(named.pop(name) for name in ("repository", "ref", "folder", "file")))
        try:
            return command(*given, where=where, **named)
        except SourceError as error:
            stop(str(error))

    options = (
        click.option("-f", "--file", type=_PATH, help=f"The plan file. [default: {DEFAULT_FILE}]"),
        click.option("--folder", help=f"The folder of prompts in it. [default: {FOLDER}]"),
        click.option(
            "--ref", help="Read it at this branch, tag or commit; else its working files."
        ),
        click.option(
            "--repository",
            type=_PATH,
            help="A local repository, or any folder. [default: `prompts` of the plan file, or .]",
        ),
    )
    for option in options:
        with_where = option(with_where)
    return with_where


def open_prompts(where: Where) -> Prompts:
    """Opens what is meant. SourceError."""
    source, folder = open_source(where)
    return Prompts(source, read_index(source, folder))


def open_source(where: Where) -> tuple[Source, str]:
    """The source, and its folder of prompts."""
    repository, ref, folder = _meant(where)
    if ref is not None:
        return open_repository(repository, ref), folder
    if is_bare(repository) and not (repository / folder).is_dir():
        return open_repository(repository, "HEAD"), folder
    working: Source = FolderSource(repository)
    return working, folder


def root_of(where: Where) -> Path:
    """The folder that the prompts' folder lies in."""
    return _meant(where)[0]


def open_past(where: Where) -> tuple[Repository, str]:
    """The repository with its past, and its folder of prompts. SourceError where it has none."""
    repository, ref, folder = _meant(where)
    if not is_repository(repository):
        raise SourceError(f"{repository}: this is no repository, and has no history")
    return open_repository(repository, ref or "HEAD"), folder


def _meant(where: Where) -> tuple[Path, str | None, str]:
    """Repository, ref (None: working files) and folder. The plan's section where none is named."""
    folder = where.folder or FOLDER
    if where.repository is not None:
        return where.repository, where.ref, folder
    plan = where.plan or Path(DEFAULT_FILE)
    if where.plan is None and not plan.exists():
        return Path(), where.ref, folder
    loaded = load(plan, os.environ)
    if loaded.declared is None:
        stop_with(loaded.problems)
    declared = loaded.declared.prompts
    if declared is None:
        return Path(), where.ref, folder
    repository = Path(declared.repository)
    usual = declared.ref if is_repository(repository) else None
    return repository, where.ref or usual, where.folder or declared.folder


def stop(message: str) -> NoReturn:
    """Ends the command: nothing could be read."""
    click.echo(message, err=True)
    sys.exit(2)


def stop_with(problems: tuple[Problem, ...]) -> NoReturn:
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    sys.exit(2)
