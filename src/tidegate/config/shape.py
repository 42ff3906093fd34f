"""The grammar of a plan file, taken from the classes of `core.declared`.

The reader, the JSON Schema and the reference of keys all walk these shapes, so that they cannot
disagree.
"""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import NODEFAULT, Meta, Struct
from msgspec import field as struct_field
from msgspec.structs import fields


class Scalar(Struct, frozen=True):
    """One YAML scalar. `read` names its reading; bounds are None where there is none."""

    read: str
    above: float | None = None
    least: float | None = None
    most: float | None = None
    min_length: int | None = None
    max_length: int | None = None


class Choice(Struct, frozen=True):
    """One of a few words."""

    values: tuple[str, ...]


class Items(Struct, frozen=True):
    """A list."""

    item: "Shape"


class Table(Struct, frozen=True):
    """A mapping from names to one shape."""

    key: Scalar
    value: "Shape"


class Key(Struct, frozen=True):
    """One key of a record. `name` is the attribute, `key` what is written."""

    name: str
    key: str
    shape: "Shape"
    required: bool
    default: Any
    description: str


class Record(Struct, frozen=True):
    """A mapping with known keys. A plain text stands for the key `shorthand`, if there is one.
    `by_key` has the same keys by what is written."""

    cls: type[Any]
    keys: tuple[Key, ...]
    by_key: dict[str, Key]
    shorthand: str | None = None


class OneOf(Struct, frozen=True):
    """Several shapes; what is written tells which."""

    options: "tuple[Shape, ...]"


Shape = Scalar | Choice | Items | Table | Record | OneOf

_READS = {str: "text", int: "int", float: "float", bool: "bool"}


class _Notes(Struct):
    """What the annotations around a type say together; inner ones first."""

    read: str | None = None
    shorthand: str | None = None
    description: str = ""
    bounds: dict[str, Any] = struct_field(default_factory=dict)

    def add(self, meta: Meta) -> None:
        extra = meta.extra or {}
        self.read = extra.get("read", self.read)
        self.shorthand = extra.get("shorthand", self.shorthand)
        self.description = meta.description or self.description
        for ours, theirs in (
            ("above", meta.gt),
            ("least", meta.ge),
            ("most", meta.le),
            ("min_length", meta.min_length),
            ("max_length", meta.max_length),
        ):
            if theirs is not None:
                self.bounds[ours] = theirs


def shape_of(tp: Any) -> Shape:
    """The shape of a declared class or of the type of one of its fields."""
    return _shape(tp)[0]


def _shape(tp: Any, outer: tuple[Meta, ...] = ()) -> tuple[Shape, _Notes]:
    metas: tuple[Meta, ...] = ()
    if get_origin(tp) is Annotated:
        tp, *found = get_args(tp)
        metas = tuple(m for m in found if isinstance(m, Meta))
    metas += outer
    notes = _Notes()
    for meta in metas:
        notes.add(meta)
    if get_origin(tp) in (Union, types.UnionType):
        return _union(tp, metas), notes
    return _plain(tp, notes), notes


def _plain(tp: Any, notes: _Notes) -> Shape:
    origin, args = get_origin(tp), get_args(tp)
    if notes.read is not None and origin is None:
        return Scalar(notes.read, **notes.bounds)
    if origin is Literal:
        return Choice(args)
    if origin is tuple:
        return Items(shape_of(args[0]))
    if origin is dict:
        key = shape_of(args[0])
        if not isinstance(key, Scalar):
            raise TypeError(f"a table's key must be a scalar, not {args[0]}")
        return Table(key, shape_of(args[1]))
    if isinstance(tp, type) and issubclass(tp, Struct):
        keys = tuple(_key(f) for f in fields(tp))
        return Record(tp, keys, {key.key: key for key in keys}, notes.shorthand)
    return Scalar(_READS[tp], **notes.bounds)


def _union(tp: Any, metas: tuple[Meta, ...]) -> Shape:
    options = tuple(_shape(a, metas)[0] for a in get_args(tp) if a is not types.NoneType)
    return options[0] if len(options) == 1 else OneOf(options)


def _key(info: Any) -> Key:
    shape, notes = _shape(info.type)
    default = info.default
    if info.default_factory is not NODEFAULT:
        default = info.default_factory()
    return Key(
        name=info.name,
        key=info.encode_name,
        shape=shape,
        required=info.required,
        default=None if info.required else default,
        description=notes.description,
    )
