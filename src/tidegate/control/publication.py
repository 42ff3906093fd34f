"""What a published plan moved, in words, and who published it."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tidegate.core.plan import Plan

# What is said of a plan that lay on disk and that the store has not heard of: a start after a kill.
AGAIN: Final = "what a control had published that ended before it told of it"
# Names that are told of one kind; of more, how many they are.
_MOST_NAMES: Final = 8
# What every plan has anew, and what is told by name.
_PASSED_OVER: Final = frozenset({"version", "digest", "compiled_at_s", "routes"})


class Publication(Struct, frozen=True):
    """`by` is who asked for it, or what made control read the file again."""

    version: int
    by: str
    moved: str


def moved(before: Plan | None, after: Plan) -> str:
    """Which routes are other than they were, and what else is."""
    if before is None:
        return f"the first plan, with {_named('routes', list(after.routes))}"
    there, gone, new = _compared(before.routes, after.routes)
    parts = [
        _named(words, names)
        for words, names in (("routes", there), ("new routes", new), ("without routes", gone))
        if names
    ]
    parts += [
        name
        for name in Plan.__struct_fields__
        if name not in _PASSED_OVER and getattr(before, name) != getattr(after, name)
    ]
    return "; ".join(parts) or "a file that the plan names"


def _compared(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[list[str], list[str], list[str]]:
    """Names whose value is another, names that are gone, and names that are new."""
    there = [name for name, one in after.items() if name in before and before[name] != one]
    gone = [name for name in before if name not in after]
    return there, gone, [name for name in after if name not in before]


def _named(what: str, names: list[str]) -> str:
    told = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{what} {told}" + (f" and {more} more" if more > 0 else "")
