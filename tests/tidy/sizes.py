"""Sizes and shapes: files, functions, parameters, folders, dependencies."""

import ast
import re
import tomllib
from pathlib import Path

from tests.tidy.tree import Function, Module, Tree

FILE_P90_LINES = 300
FILE_MAX_LINES = 500
FUNCTION_P90_LINES = 30
FUNCTION_MAX_LINES = 70
MAX_PARAMETERS = 5
LIFE_MAX_LINES = 150
MAX_DEPENDENCIES = 15
MOST_LINES_OF_KIN = 30
DEEPER_FOLDERS = (Path("gateway/http"), Path("stores/migrations"))
BANNED_NOUNS = frozenset(
    {
        *("policy", "action", "mitigation", "override", "rule", "event"),
        *("manager", "service", "handler", "util", "helper"),
    }
)


def p90(sizes: list[int]) -> int:
    """The smallest size that nine in ten do not exceed; 0 of nothing."""
    ordered = sorted(sizes)
    return ordered[-(-len(ordered) * 9 // 10) - 1] if ordered else 0


def file_sizes(tree: Tree) -> list[str]:
    found = [
        f"{module.path}: {module.lines} lines, over {FILE_MAX_LINES}"
        for module in tree.source + tree.tests + tree.bench
        if module.lines > FILE_MAX_LINES
    ]
    for name, modules in (("src", tree.source), ("tests", tree.tests)):
        typical = p90([module.lines for module in modules])
        if typical > FILE_P90_LINES:
            found.append(f"{name}: nine in ten files have up to {typical} lines, not 300")
    return found


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def function_sizes(tree: Tree) -> list[str]:
    found = [
        module.at(function, f"{function.name} has {_length(function)} lines, over 70")
        for module in tree.source + tree.tests + tree.bench
        for function in module.functions()
        if _length(function) > FUNCTION_MAX_LINES
    ]
    typical = p90([_length(function) for module in tree.source for function in module.functions()])
    if typical > FUNCTION_P90_LINES:
        found.append(f"src: nine in ten functions have up to {typical} lines, not 30")
    return found


def _parameters(function: Function) -> int:
    given = function.args
    named = [a.arg for a in (*given.posonlyargs, *given.args)]
    own = 1 if named[:1] in (["self"], ["cls"]) else 0
    spread = (given.vararg is not None) + (given.kwarg is not None)
    return len(named) - own + len(given.kwonlyargs) + spread


def parameters(tree: Tree) -> list[str]:
    return [
        module.at(function, f"{function.name} takes {_parameters(function)} parameters, over 5")
        for module in tree.source
        for function in module.functions()
        if _parameters(function) > MAX_PARAMETERS
    ]


def life_size(tree: Tree) -> list[str]:
    return [
        f"{module.path}: {module.lines} lines, over {LIFE_MAX_LINES}"
        for module in tree.source
        if module.path == Path("gateway/life.py") and module.lines > LIFE_MAX_LINES
    ]


def folders(tree: Tree) -> list[str]:
    return [
        f"{module.path}: folders are one deep"
        for module in tree.source
        if len(module.path.parts) > 2
        and not any(module.path.is_relative_to(deeper) for deeper in DEEPER_FOLDERS)
    ]


def dependencies(tree: Tree) -> list[str]:
    with (tree.root / "pyproject.toml").open("rb") as file:
        direct = tomllib.load(file)["project"].get("dependencies", [])
    if len(direct) <= MAX_DEPENDENCIES:
        return []
    return [f"pyproject.toml: {len(direct)} direct dependencies, over {MAX_DEPENDENCIES}"]


def _words(name: str) -> set[str]:
    """Lower-case words of a snake_case or CamelCase name, plurals as their singular too."""
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}
    return words | {re.sub(r"(?<!s)s$", "", re.sub(r"ies$", "y", word)) for word in words}


def nouns(tree: Tree) -> list[str]:
    found = []
    for module in tree.source:
        for part in (*module.path.parent.parts, module.path.stem):
            if banned := _words(part) & BANNED_NOUNS:
                found.append(f"{module.path}: {', '.join(banned)} is no word of this house")
        for node in module.nodes:
            if isinstance(node, ast.ClassDef) and (banned := _words(node.name) & BANNED_NOUNS):
                found.append(module.at(node, f"{node.name}: {', '.join(banned)} is no word here"))
    return found


def _mirror(module: Module) -> Path:
    return Path("tests") / module.path.parent / f"test_{module.path.stem.lstrip('_')}.py"


def _is_kin(module: Module) -> bool:
    """A provider of a few lines on another's wire."""
    public = not module.path.stem.startswith("_")
    return public and module.path.parent == Path("providers") and module.lines <= MOST_LINES_OF_KIN


def mirrors(tree: Tree) -> list[str]:
    """Every module has its test file. Migrations are proven by their store's tests, providers of a
    few lines by one for all (tests/providers/test_family.py)."""
    return [
        f"{module.path}: {_mirror(module)} is missing"
        for module in tree.source
        if module.path.name not in ("__init__.py", "__main__.py")
        and not module.path.is_relative_to("stores/migrations")
        and not _is_kin(module)
        and not (tree.root / _mirror(module)).is_file()
    ]
