"""JSON Schema (draft 2020-12) and the reference of every key, from the same shapes."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, get_args

import msgspec

from tidegate.config.scalars import EXPECTED
from tidegate.config.shape import Choice, Items, Key, OneOf, Record, Scalar, Shape, Table, shape_of
from tidegate.core.address import Listen
from tidegate.core.declared import Declared
from tidegate.core.limit import ATTRIBUTE, CALLER_DIMENSIONS, GLOBAL, TARGET_DIMENSIONS
from tidegate.core.plan import PeriodUnit

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DAY_S = 86_400
_VARIABLE = {"type": "string", "pattern": r"\$\{|^os\.environ/"}
_NUMBERS = {"int": "integer", "float": "number", "usd": "number"}
_TEXT_OR_NUMBER = {
    "size": "integer",
    "duration": "number",
    "quantity": "integer",
    "money": "number",
    "percent": "integer",
    "share": "number",
    "percentage": "number",
    "rate_period": "number",
    "budget_period": "number",
}
_DIMENSION = f"{'|'.join((*CALLER_DIMENSIONS, *TARGET_DIMENSIONS))}|{re.escape(ATTRIBUTE)}.+"
_UNITS = "|".join(get_args(PeriodUnit))
_PATTERNS = {
    "size": r"^[0-9]+ *(B|KB|MB|GB|KiB|MiB|GiB)?$",
    "duration": r"^[0-9.]+ *(ms|s|m|h|d)$",
    "quantity": r"^[0-9.]+ *[kM]?$",
    "money": r"^\$?[0-9.]+$",
    "percent": r"^[0-9]+ *%?$",
    "share": r"^[0-9.]+ *%?$",
    "percentage": r"^[0-9.]+ *%?$",
    "moment": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)$",
    "rate_period": r"^(second|minute|hour|day|[0-9.]+ *(ms|s|m|h|d))$",
    "budget_period": rf"^({_UNITS}|[0-9.]+ *(ms|s|m|h|d))$",
    "dimension": rf"^({_DIMENSION})$",
    "scope": rf"^({GLOBAL}|{_DIMENSION})$|\$\{{|^os\.environ/",
    "url": r"^https?://|\$\{|^os\.environ/",
    "listen": r":[0-9]+$|\$\{|^os\.environ/",
    "secret": r"^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|os\.environ/[A-Za-z_][A-Za-z0-9_]*|file:.+|none)$",
    "database": r"^postgres(ql)?://|^\$\{[A-Za-z_][A-Za-z0-9_]*\}$|^os\.environ/|^file:.+",
    "counters": r"^rediss?://|^unix://|^\$\{[A-Za-z_][A-Za-z0-9_]*\}$|^os\.environ/|^file:.+",
    "vectors": r"^(rediss?|postgres(ql)?|https?|unix)://|^\$\{[A-Za-z_][A-Za-z0-9_]*\}$|^os\.environ/"
    r"|^file:.+",
    "name": r"^[A-Za-z0-9][A-Za-z0-9._-]*$|\$\{|^os\.environ/",
}


def schema(file: type[Any] = Declared) -> dict[str, Any]:
    """The JSON Schema of a plan file, or of a release's (`DeclaredRollout`)."""
    defs: dict[str, Any] = {"Variable": _VARIABLE}
    body = _schema(shape_of(file), defs)
    title = "Tidegate plan" if file is Declared else "Tidegate release"
    return {"$schema": DIALECT, "title": title, **body, "$defs": defs}


def _schema(shape: Shape, defs: dict[str, Any]) -> dict[str, Any]:
    match shape:
        case Record():
            return _record(shape, defs)
        case Table():
            names = {k: v for k, v in _scalar(shape.key).items() if k in ("pattern", "maxLength")}
            value = _schema(shape.value, defs)
            return {"type": "object", "propertyNames": names, "additionalProperties": value}
        case Items():
            return {"type": "array", "items": _schema(shape.item, defs)}
        case Choice():
            return {"anyOf": [{"enum": list(shape.values)}, _ref("Variable")]}
        case OneOf():
            return {"anyOf": [_schema(option, defs) for option in shape.options]}
        case Scalar():
            return _scalar(shape)


def _record(shape: Record, defs: dict[str, Any]) -> dict[str, Any]:
    name = shape.cls.__name__.removeprefix("Declared") or "Plan"
    if name not in defs:
        defs[name] = {}  # taken before its keys are read
        defs[name] = {
            "type": "object",
            "description": " ".join((shape.cls.__doc__ or "").split()),
            "additionalProperties": False,
            "properties": {k.key: _property(k, defs) for k in shape.keys},
            "required": [k.key for k in shape.keys if k.required],
        }
    if shape.shorthand is None:
        return _ref(name)
    return {"anyOf": [{"type": "string", "minLength": 1}, _ref(name)]}


def _property(key: Key, defs: dict[str, Any]) -> dict[str, Any]:
    out = {"description": key.description, **_schema(key.shape, defs)}
    default = default_text(key)
    if default is not None and isinstance(key.default, str | int | float | bool):
        out["default"] = key.default
    return out


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _scalar(shape: Scalar) -> dict[str, Any]:
    bounds = {
        "exclusiveMinimum": shape.above,
        "minimum": shape.least,
        "maximum": shape.most,
    }
    held = {k: v for k, v in bounds.items() if v is not None}
    if shape.read == "usd":
        held = {"minimum": 0}
    if shape.read == "json":
        return {"type": ["object", "string"]}
    if shape.read == "value":
        return {}
    if shape.read == "bool":
        return {"anyOf": [{"type": "boolean"}, _ref("Variable")]}
    if shape.read in _NUMBERS:
        return {"anyOf": [{"type": _NUMBERS[shape.read], **held}, _ref("Variable")]}
    if shape.read in _TEXT_OR_NUMBER:
        number = {"type": _TEXT_OR_NUMBER[shape.read], **held}
        text = {"type": "string", "pattern": _PATTERNS[shape.read]}
        return {"anyOf": [number, text, _ref("Variable")]}
    out: dict[str, Any] = {"type": "string"}
    if shape.read in _PATTERNS:
        out["pattern"] = _PATTERNS[shape.read]
    if shape.min_length:
        out["minLength"] = shape.min_length
    if shape.max_length:
        out["maxLength"] = shape.max_length
    return out


def default_text(key: Key) -> str | None:
    """A key's default as one writes it; None where there is none to show."""
    default = key.default
    if key.required or default is None or isinstance(default, msgspec.Struct | dict | Decimal):
        return str(default) if isinstance(default, Listen) else None
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(repr(d) for d in default)}]" if default else None
    if isinstance(key.shape, Scalar) and key.shape.read == "size":
        return _size_text(default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def _bound_text(shape: Scalar, bound: float) -> str:
    if shape.read == "size":
        return _size_text(int(bound))
    if shape.read in ("duration", "rate_period") and bound >= _DAY_S:
        return f"{bound / _DAY_S:g}d"
    return f"{bound:,.0f}" if bound == int(bound) else f"{bound:g}"


def _size_text(size_bytes: int) -> str:
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size_bytes % factor == 0:
            return f"{size_bytes // factor}{unit}"
    return str(size_bytes)


def reference(file: type[Any] = Declared) -> str:
    """Every key in Markdown: one section a record, one row a key. What the plan file has too is
    told there."""
    lines: list[str] = []
    told: set[type[Any]] = set()
    if file is not Declared:
        told = {record.cls for _, record in _records(shape_of(Declared), "")}
    for title, record in _records(shape_of(file), "The file"):
        if record.cls in told:
            continue
        text = " ".join((record.cls.__doc__ or "").split())
        lines += [f"### {title}", "", text, ""]
        lines += ["| key | is | default | says |", "|---|---|---|---|"]
        for key in record.keys:
            default = (
                "**required**" if key.required else f"`{d}`" if (d := default_text(key)) else ""
            )
            lines.append(f"| `{key.key}` | {_kind(key.shape)} | {default} | {key.description} |")
        lines.append("")
    return "\n".join(lines)


def _records(shape: Shape, title: str) -> Iterator[tuple[str, Record]]:
    """Every record below `shape` with the way to it, each class once."""
    seen: set[type[Any]] = set()
    waiting = [(title, "", shape)]
    while waiting:
        title, way, shape = waiting.pop(0)
        match shape:
            case Record() if shape.cls not in seen:
                seen.add(shape.cls)
                yield title, shape
                below = f"{way}." if way else ""
                waiting += [(f"`{below}{k.key}`", f"{below}{k.key}", k.shape) for k in shape.keys]
            case Table():
                waiting.append((f"`{way}.NAME`", f"{way}.NAME", shape.value))
            case OneOf():
                waiting += [(told, way, it) for told, it in _told_apart(title, shape.options)]
            case Items():
                waiting.append((title, way, shape.item))
            case _:
                pass


def _told_apart(title: str, options: Sequence[Shape]) -> Iterator[tuple[str, Shape]]:
    """Each with the title of its section: of several records at one place with its own name."""
    several = sum(isinstance(option, Record) for option in options) > 1
    for option in options:
        if several and isinstance(option, Record):
            yield f"{title} ({_name(option)})", option
        else:
            yield title, option


def _name(record: Record) -> str:
    return record.cls.__name__.removeprefix("Declared")


def _kind(shape: Shape) -> str:
    match shape:
        case Scalar():
            return EXPECTED[shape.read] + _bounds(shape)
        case Choice():
            return " or ".join(f"`{v}`" for v in shape.values)
        case Items():
            return f"a list of: {_kind(shape.item)}"
        case Table():
            return f"a mapping from names to: {_kind(shape.value)}"
        case OneOf():
            return ", or ".join(_kind(option) for option in shape.options)
        case Record():
            return f"a mapping ({_name(shape)})"


def _bounds(shape: Scalar) -> str:
    bounds = (("above", shape.above), ("at least", shape.least), ("at most", shape.most))
    said = [f"{word} {_bound_text(shape, b)}" for word, b in bounds if b is not None]
    return f" ({', '.join(said)})" if said else ""
