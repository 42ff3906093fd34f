"""What of a case other tools have no place for and do not read: kept for us below one name."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.grading import Case

OURS: Final = "tidegate"


class Kept(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Members of a case as `core.grading.Case` has them."""

    id: str | None = None
    turns: tuple[tuple[str, str], ...] | None = None
    context: tuple[str, ...] | None = None
    must_pass: bool | None = None
    strata: dict[str, str] | None = None
    threshold: float | None = None
    description: str | None = None


def kept_of(case: Case, names: tuple[str, ...]) -> dict[str, Any]:
    """Those of these members of which the case says anything, as built-in values."""
    said = {name: getattr(case, name) for name in names}
    usual = {name: getattr(_BARE, name) for name in names}
    found = Kept(**{name: it for name, it in said.items() if it != usual[name]})
    built: dict[str, Any] = msgspec.to_builtins(found)
    return built


def members(value: Any) -> Mapping[str, Any]:
    """What was kept, by the names of a case's members. ValueError when it is not of that form."""
    try:
        found = msgspec.convert(value, Kept)
    except msgspec.ValidationError as error:
        raise ValueError(f"`{OURS}` is not as it was written: {error}") from None
    names = Kept.__struct_fields__
    return {name: it for name in names if (it := getattr(found, name)) is not None}


_BARE: Final = Case("")
