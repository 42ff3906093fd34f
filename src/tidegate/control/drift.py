"""Drift: what revisions make of the plan file's routes, and the patch that would have the file say
the same. Pure, but for reading the file."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.config.load import load
from tidegate.config.write_back import Moves, written_back
from tidegate.control.shapes_drift import WriteBack
from tidegate.core.added import Added
from tidegate.core.change import Revision
from tidegate.core.declared import Declared
from tidegate.core.revised import Superseded, revised

_json = msgspec.json.Encoder(decimal_format="number").encode


class Moved(Struct, frozen=True):
    """One member of a route that is another than the file says. Both values are JSON."""

    route: str
    member: str
    file: str
    served: str
    revision: Revision


class Drift(Struct, frozen=True):
    """`superseded` are revisions that the file has overtaken. `wanted` is what the file would have
    to say, as it is declared."""

    moved: list[Moved]
    superseded: tuple[Superseded, ...]
    wanted: Moves


def drift(declared: Declared, added: Added) -> Drift:
    """How far what is served is from what is declared."""
    now = revised(declared, added.revisions, added.rollouts, lambda path, message: None)
    moved, wanted = [], {}
    for name, members in sorted(now.moved.items()):
        file, served = declared.routes[name], now.declared.routes[name]
        wanted[name] = {member: getattr(served, member) for member in members}
        for member, revision in members.items():
            said, is_now = (_json(getattr(it, member)).decode() for it in (file, served))
            moved.append(Moved(name, member, said, is_now, revision))
    return Drift(moved, now.superseded, wanted)


def write_back(file: Path, environ: Mapping[str, str], wanted: Moves) -> WriteBack:
    """The patch by which the file says what is wanted. It is tried on the file before it is given:
    what the file would not come to say is left out. OSError, UnicodeDecodeError."""
    text = file.read_bytes().decode("utf-8")
    every = [(route, member) for route, members in wanted.items() for member in members]
    done = every if _comes_to(text, every, wanted, environ) else []
    for one in every if not done else ():
        if _comes_to(text, [*done, one], wanted, environ):
            done.append(one)
    after = written_back(text, _only(wanted, done))
    before, now = text.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(before, now, str(file), str(file))
    patch = "".join(_ended(line) for line in lines)
    return WriteBack(patch, [f"routes.{r}.{m}" for r, m in every if (r, m) not in done])


def _comes_to(
    text: str, which: list[tuple[str, str]], wanted: Moves, environ: Mapping[str, str]
) -> bool:
    after = written_back(text, _only(wanted, which))
    found = load(after.encode(), environ).declared
    return found is not None and all(
        getattr(found.routes.get(route), member, None) == wanted[route][member]
        for route, member in which
    )


def _only(wanted: Moves, which: list[tuple[str, str]]) -> Moves:
    some: dict[str, dict[str, Any]] = {}
    for route, member in which:
        some.setdefault(route, {})[member] = wanted[route][member]
    return some


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
