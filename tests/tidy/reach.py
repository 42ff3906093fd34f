"""No dead files: every module is reached from what is started."""

import ast
from pathlib import Path

from tests.tidy.tree import Module, Tree

# Started by name: the console script. What `python -m` runs is a `__main__`, or named.
ROOTS = ("tidegate", "tidegate.boot.entry")
# Rooms whose files are found by their names (core.plugs, Alembic).
FOUND_BY_NAME = (
    "actuators",
    "callers",
    "cli",
    "dialects",
    "encoders",
    "engines",
    "graders",
    "guardrails",
    "identities",
    "limits",
    "providers",
    "signatures",
)
FOUND_BY_NAME += ("stores/migrations",)
FOUND_BY_NAME += ("stores/postgresql.py", "prompts/git.py", "evals/jobs.py")
FOUND_BY_NAME += ("config/prices.py", "stores/upgrade.py", "stores/postgresql_insert.py")
FOUND_BY_NAME += ("text/personal.py", "text/vocabularies.py")
FOUND_BY_NAME += ("stores/litellm_tables.py", "stores/litellm_spend_logs.py")
FOUND_BY_NAME += (
    "stores/hnsw_vectors.py",
    "stores/pgvector_vectors.py",
    "stores/qdrant_vectors.py",
)


def _name(module: Module) -> str:
    parts = ("tidegate", *module.path.with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _mentions(module: Module, known: set[str]) -> set[str]:
    """Modules that this one imports, or names in a string such as a `python -m` argument."""
    found = set()
    for node in module.nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found & known


def dead_modules(tree: Tree) -> list[str]:
    modules = {_name(module): module for module in tree.source}
    waiting = [
        name
        for name, module in modules.items()
        if name in ROOTS
        or name.endswith(".__main__")
        or (
            any(module.path.is_relative_to(room) for room in FOUND_BY_NAME)
            and not module.path.name.startswith("_")
        )
    ]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _mentions(modules[name], set(modules))
    return [
        f"{Path(*modules[name].path.parts)}: nothing reaches it"
        for name in sorted(set(modules) - reached)
        if modules[name].path.name != "__init__.py"
    ]
