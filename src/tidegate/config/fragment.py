"""One value of the plan file's grammar that came from elsewhere, read by the file's own rules."""

from typing import Any

from tidegate.config.problem import dotted, in_order
from tidegate.config.tree import read_tree
from tidegate.config.walk import walk


def read_fragment(data: bytes, cls: type[Any]) -> tuple[Any, list[str]]:
    """(the value, []), or (None, what is wrong with it). `data` is YAML, of which JSON is a part.

    No variable is set for it: whoever sends it must not read our environment.
    """
    root, problems = read_tree(data, "")
    found = list(problems)
    value = None
    if root is not None:
        walked = walk(root, cls, "", {}, ".")
        found += walked.problems
        value = walked.value
    if root is None and not found:
        return None, ["there is nothing"]
    if not found:
        return value, []
    told = (f"{dotted(p.path)}: {p.message}" if p.path else p.message for p in in_order(found))
    return None, list(told)
