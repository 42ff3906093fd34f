"""The members of a route's declaration that a release or a revision may move, as JSON and back.

JSON as the plan file would have it below `routes.NAME`, with the values that variables stand for;
a secret stays a reference.
"""

import types
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import fields, replace

from tidegate.core.declared_routes import DeclaredRoute

MOVABLE: Final = (
    *("target", "targets", "balance", "fallbacks", "retry", "unsupported", "contract"),
    *("parameters", "system_prompt", "prompt"),
)
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_decode: Final = msgspec.json.Decoder().decode
_kinds: Final[Mapping[str, Any]] = get_type_hints(DeclaredRoute)
# Of these two a route has one.
_INSTEAD: Final = {"target": "targets", "targets": "target"}


def members_of(route: DeclaredRoute, names: Iterable[str]) -> dict[str, Raw]:
    """Those members of the declaration, also where they are at their defaults."""
    return {name: Raw(_encode(getattr(route, name))) for name in names}


def moved_names(written: Iterable[str]) -> tuple[str, ...]:
    """`written` in the order of a declaration, with `targets` for `target` and the other way
    about: what has one has the other no more."""
    names = set(written)
    names |= {_INSTEAD[name] for name in names & _INSTEAD.keys()}
    return tuple(name for name in MOVABLE if name in names)


def value_of(name: str, member: Raw) -> Any:
    """What a member says. ValueError when it is none of a route's, or not of its kind."""
    if name not in MOVABLE:
        raise ValueError(f"a route has no `{name}` that could be moved")
    try:
        return _value(_decode(member), _kinds[name])
    except (msgspec.DecodeError, RecursionError, _Other) as error:
        raise ValueError(f"`{name}`: {str(error) or 'this is no value of its kind'}") from None


def with_members(route: DeclaredRoute, members: Mapping[str, Raw]) -> DeclaredRoute:
    """The route with those members moved. ValueError as `value_of`."""
    values = {name: value_of(name, member) for name, member in members.items()}
    return replace(route, **values) if values else route


class _Other(Exception):
    """A value of another kind than is wanted."""


def _value(found: Any, wanted: Any) -> Any:
    """What was JSON as the declaration has it. Bounds were kept when it was first read."""
    origin = get_origin(wanted)
    if origin is Literal:
        return _same(found, found in get_args(wanted))
    if origin in (Union, types.UnionType):
        return _one_of(found, get_args(wanted))
    if origin is tuple:
        _same(found, isinstance(found, list))
        return tuple(_value(item, get_args(wanted)[0]) for item in found)
    if origin is dict:
        _same(found, isinstance(found, dict))
        return {name: _value(item, get_args(wanted)[1]) for name, item in found.items()}
    if isinstance(wanted, type) and issubclass(wanted, Struct):
        return _record(found, wanted)
    if wanted in (float, Decimal):
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return wanted(_same(str(found), is_number))
    return _same(found, type(found) is wanted)


def _record(found: Any, wanted: type[Struct]) -> Struct:
    _same(found, isinstance(found, dict))
    hints = get_type_hints(wanted)
    known = {one.encode_name: one for one in fields(wanted)}
    for name in found:
        if name not in known:
            raise _Other(f"unknown key `{name}`")
    for name, one in known.items():
        if one.required and name not in found:
            raise _Other(f"`{name}` is missing")
    return wanted(**{known[n].name: _value(v, hints[known[n].name]) for n, v in found.items()})


def _one_of(found: Any, options: Iterable[Any]) -> Any:
    why = _Other()
    for option in options:
        try:
            return _value(found, option)
        except _Other as error:
            why = error if str(error) else why
    raise why


def _same(found: Any, fits: bool) -> Any:
    if not fits:
        raise _Other
    return found
