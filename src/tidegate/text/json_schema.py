"""JSON Schema and regular expressions, compiled once and held against answers.

Both may be a stranger's. Patterns run in time linear in the text (no look-around and no
back-references), nothing is fetched, and a schema whose cost could explode is refused before it
is used. What is told of a violation is where it is and which keyword says so, never the value.
"""

from collections.abc import Callable
from typing import Any

import jsonschema_rs
import msgspec
from msgspec import Struct

from tidegate.text.redact import redact
from tidegate.text.schema_cost import MAX_DEPTH, TooCostly, check_cost

MAX_SCHEMA_BYTES = 64 * 1024
MAX_PATH_CHARS = 200
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=1024 * 1024, dfa_size_limit=1024 * 1024)
_MORE = "..."

__all__ = ["MAX_DEPTH", "Regex", "Schema", "SchemaProblem", "Violation"]


class SchemaProblem(ValueError):
    """What is wrong with a schema or a pattern, in words for who wrote it."""


class Violation(Struct, frozen=True):
    """`path` is a JSON Pointer into the value, cut where it is long; `rule` the keyword."""

    path: str
    rule: str


class Schema:
    """One JSON Schema of any draft. SchemaProblem when it is none, or could cost too much.

    `evaluations` is the most that one value can need.
    """

    def __init__(self, text: bytes | str) -> None:
        if len(text) > MAX_SCHEMA_BYTES:
            raise SchemaProblem(f"the schema is longer than {MAX_SCHEMA_BYTES} bytes")
        try:
            schema: Any = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SchemaProblem(f"the schema is not JSON: {error}") from None
        if not isinstance(schema, dict | bool):
            raise SchemaProblem("a schema must be a mapping")
        try:
            self.evaluations = check_cost(schema)
        except TooCostly as error:
            raise SchemaProblem(str(error)) from None
        self._validator = _compiled(schema)

    def violation(self, value: Any) -> Violation | None:
        """The first place where `value`, as JSON is decoded, does not fit."""
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            path = "".join(f"/{_escaped(part)}" for part in error.instance_path)
            return Violation(_short(redact(path)), error.kind.name)
        return None


class Regex:
    """A pattern that is looked for anywhere in a text. SchemaProblem when it is none."""

    def __init__(self, pattern: str) -> None:
        self.found_in: Callable[[str], bool] = _compiled({"pattern": pattern}).is_valid


class _Checks:
    """What compiling a plan asks of its schemas and patterns."""

    def wrong_schema(self, text: str) -> str | None:
        return _wrong(Schema, text)

    def wrong_regex(self, pattern: str) -> str | None:
        return _wrong(Regex, pattern)


def _wrong(kind: type[Schema] | type[Regex], text: str) -> str | None:
    try:
        kind(text)
    except SchemaProblem as problem:
        return str(problem)
    return None


def _compiled(schema: dict[str, Any] | bool) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(
            schema, pattern_options=_PATTERNS, validate_formats=False, offline=True
        )
    except jsonschema_rs.ValidationError as error:
        what = str(error).split("\n", 1)[0]
        if '"regex"' in what or "regular expression" in what:
            what += ": look-around and back-references are not supported"
        raise SchemaProblem(_short(what)) from None


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _short(text: str) -> str:
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean if len(clean) <= MAX_PATH_CHARS else clean[: MAX_PATH_CHARS - 3] + _MORE


plug = _Checks()
