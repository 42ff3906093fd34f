"""As much of JSON Schema as the plan's schema uses, to hold a parsed YAML value against it."""

import re
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
KNOWN = {
    *("$schema", "$defs", "title", "description", "default", "$ref", "anyOf", "enum", "type"),
    *("pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "items"),
    *("properties", "required", "additionalProperties", "propertyNames"),
}


def conforms(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether `value` is valid. Fails loudly on a keyword that is not checked here."""
    assert schema.keys() <= KNOWN, schema.keys() - KNOWN
    if "$ref" in schema:
        return conforms(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema and not any(conforms(value, s, root) for s in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "type" in schema and not _is_type(value, schema["type"]):
        return False
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None and schema.get(
            "minLength", 0
        ) <= len(value) <= schema.get("maxLength", 10**6)
    if isinstance(value, dict):
        return _object(value, schema, root)
    if isinstance(value, list):
        return all(conforms(v, schema.get("items", {}), root) for v in value)
    return _in_range(value, schema)


def _is_type(value: Any, name: str | list[str]) -> bool:
    if isinstance(name, list):
        return any(_is_type(value, one) for one in name)
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, TYPES[name])


def _object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any]) -> bool:
    properties = schema.get("properties", {})
    if any(name not in value for name in schema.get("required", [])):
        return False
    rest = schema.get("additionalProperties", True)
    names = schema.get("propertyNames", {})
    for name, inner in value.items():
        below = properties.get(name, rest)
        if below is False or not conforms(name, names, root):
            return False
        if below is not True and not conforms(inner, below, root):
            return False
    return True


def _in_range(value: Any, schema: dict[str, Any]) -> bool:
    if not isinstance(value, int | float):
        return True
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
    )
