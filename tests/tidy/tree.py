"""A source tree, read and parsed once, and what the checks say about it."""

import ast
import gc
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
Check = Callable[["Tree"], list[str]]


class Module:
    """One Python file: its path below the tree's root, its text and its syntax."""

    def __init__(self, path: Path, text: str, syntax: ast.Module) -> None:
        self.path = path
        self.text = text
        self.syntax = syntax
        self.nodes = tuple(ast.walk(syntax))

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def functions(self) -> Iterator[Function]:
        for node in self.nodes:
            if isinstance(node, Function):
                yield node

    def at(self, node: ast.stmt | ast.expr, complaint: str) -> str:
        return f"{self.path}:{node.lineno}: {complaint}"


class Tree:
    """A repository's root: `src/tidegate`, `tests` and `bench` below it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.package = root / "src" / "tidegate"

    @cached_property
    def source(self) -> list[Module]:
        """Modules of the package; paths are relative to it."""
        return self._read(self.package, self.package)

    @cached_property
    def tests(self) -> list[Module]:
        return self._read(self.root / "tests", self.root)

    @cached_property
    def bench(self) -> list[Module]:
        return self._read(self.root / "bench", self.root)

    @staticmethod
    def _read(folder: Path, base: Path) -> list[Module]:
        modules = []
        gc.disable()  # millions of nodes are made, and none is garbage
        for file in sorted(folder.rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            modules.append(Module(file.relative_to(base), text, ast.parse(text, str(file))))
        gc.enable()
        return modules


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute chain; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def imported_names(module: Module) -> dict[str, str]:
    """What imported names stand for: `from time import time as t` gives t: time.time."""
    names: dict[str, str] = {}
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                names[alias.asname or top] = top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def resolved(node: ast.expr, names: dict[str, str]) -> str:
    """The dotted name with its first part replaced by what was imported under it."""
    head, dot, rest = dotted(node).partition(".")
    return f"{names.get(head, head)}{dot}{rest}"
