"""The smallest value that a JSON Schema allows, for `response_format` and tool arguments."""

from typing import Any

MAX_DEPTH = 12
_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "a@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
}


class SchemaProblem(ValueError):
    """A schema that no small value can be made for. The message is for its sender."""


def instance(schema: Any) -> Any:
    """A value valid under `schema`, the smallest that is easily found. SchemaProblem."""
    return _Walk(schema).value(schema, 0)


class _Walk:
    def __init__(self, root: Any) -> None:
        self._root = root

    def value(self, schema: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise SchemaProblem(f"the schema asks for more than {MAX_DEPTH} levels")
        if schema is True or schema == {}:
            return {} if depth == 0 else None
        if not isinstance(schema, dict):
            raise SchemaProblem("a schema must be an object")
        if "$ref" in schema:
            return self.value(self._resolve(schema["$ref"]), depth + 1)
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        if schema.get("enum"):
            return schema["enum"][0]
        for choice in ("anyOf", "oneOf"):
            if schema.get(choice):
                return self.value(schema[choice][0], depth + 1)
        if schema.get("allOf"):
            return self._all_of(schema["allOf"], depth)
        return self._typed(schema, depth)

    def _all_of(self, schemas: list[Any], depth: int) -> Any:
        values = [self.value(schema, depth + 1) for schema in schemas]
        if all(isinstance(value, dict) for value in values):
            return {name: v for value in values for name, v in value.items()}
        return values[0]

    def _resolve(self, reference: Any) -> Any:
        at = self._root
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise SchemaProblem(f"the reference {reference!r} leaves the schema")
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                at = at.get(part) if isinstance(at, dict) else None
        if at is None:
            raise SchemaProblem(f"the reference {reference!r} leads nowhere")
        return at

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = kind[0] if kind else None
        if kind == "object" or (kind is None and "properties" in schema):
            properties = schema.get("properties") or {}
            required = schema.get("required") or []
            return {name: self.value(properties.get(name, True), depth + 1) for name in required}
        if kind == "array":
            item = schema.get("items", True)
            count = min(int(schema.get("minItems") or 0), 64)
            return [self.value(item, depth + 1) for _ in range(count)]
        if kind in ("integer", "number"):
            return _number(schema, integral=kind == "integer")
        if kind == "string":
            text = _FORMATS.get(schema.get("format", ""), "tide")
            length = min(int(schema.get("minLength") or 0), 4096)
            return text.ljust(length, "e")[: int(schema.get("maxLength") or 4096)]
        return False if kind == "boolean" else None


def _number(schema: dict[str, Any], *, integral: bool) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value = 0 if low is None or (low < 0 and (high is None or high > 0)) else low
    if value == schema.get("exclusiveMinimum"):
        value = value + 1 if integral or high is None else (value + high) / 2
    if high is not None and value > high:
        value = high
    return int(value) if integral else value
