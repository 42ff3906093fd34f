"""The answer is JSON, or holds some, that fits a schema."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._json_within import TooTangled, json_within
from tidegate.graders._plain import Plain, passed
from tidegate.text.json_schema import Schema, SchemaProblem
from tidegate.text.strict_json import UNREADABLE

# Evaluations of a schema times characters of an answer, as the gateway bounds its contracts.
MAX_WORK = 10_000_000


class Options(Struct, frozen=True, omit_defaults=True):
    """`schema` of any draft; without one any JSON will do. `where`: the answer as a whole, or
    `anywhere` in it."""

    schema: dict[str, Any] | bool = True
    where: Literal["whole", "anywhere"] = "whole"


@lru_cache(maxsize=64)
def _compiled(schema: bytes) -> Schema:
    return Schema(schema)


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    output = answered.output or ""
    schema = _compiled(msgspec.json.encode(options.schema))
    if schema.evaluations * len(output) > MAX_WORK and options.schema is not True:
        return Grade("error", why="the schema is too costly for an answer as long as this")
    why = "the answer is not JSON" if options.where == "whole" else "there is no JSON in the answer"
    try:
        for value in _values(output, options.where):
            broken = schema.violation(value)
            if broken is None:
                return passed(ok=True, why="it is JSON that fits")
            why = f"{broken.path or 'the whole'} breaks `{broken.rule}`"
    except TooTangled:
        return Grade("error", why="the answer has too many brackets to look for JSON in it")
    except (ValueError, OverflowError, RecursionError):
        return Grade("error", why="the answer's JSON cannot be held against a schema")
    return passed(ok=False, why=why)


def _values(output: str, where: str) -> Iterator[Any]:
    if where == "anywhere":
        yield from json_within(output)
        return
    try:
        yield msgspec.json.decode(output)
    except UNREADABLE:
        return


def _also_wrong(options: Options) -> str | None:
    try:
        _compiled(msgspec.json.encode(options.schema))
    except SchemaProblem as problem:
        return str(problem)
    return None


plug = Plain(Options, _mark, _also_wrong)
