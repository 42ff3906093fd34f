"""The answer calls the tools that are expected, and with the arguments that are expected."""

from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.core.words import quoted
from tidegate.graders._alike import harmonic
from tidegate.graders._plain import MAX_CHARS, Plain, graded, passed
from tidegate.graders.exact import same
from tidegate.text.json_schema import Schema, SchemaProblem
from tidegate.text.strict_json import UNREADABLE

MAX_CALLS = 200
MAX_WORK = 10_000_000


class Call(Struct, frozen=True, omit_defaults=True):
    """A call that is expected. `arguments`: these members with these values, `exactly` no others.
    Without them only the name counts."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    arguments: dict[str, Any] | None = None
    exactly: bool = False


class Options(Struct, frozen=True, omit_defaults=True):
    """`calls` that are expected: names, or names with arguments; `[]` for none at all.

    `score` is the F1 of what was called and what is expected, each call counted once; with `names`
    alone, as sets of names. `order`: they come in this order too. `schemas`: by a tool's name the
    JSON Schema that every call's arguments must fit; a tool that is not there may not be called.
    """

    calls: tuple[str | Call, ...] | None = None
    threshold: Annotated[float, Meta(ge=0, le=1)] = 1.0
    by: Literal["calls", "names"] = "calls"
    order: bool = False
    schemas: dict[str, dict[str, Any] | bool] | None = None


@lru_cache(maxsize=64)
def _compiled(schema: bytes) -> Schema:
    return Schema(schema)


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    if answered.failure is not None:
        return Grade("error", why=f"there is no answer: {answered.failure}")
    if answered.output is None and not answered.tool_calls:
        return Grade("error", why="there is no answer")
    if len(answered.tool_calls) > MAX_CALLS:
        return Grade("error", why=f"it calls more than {MAX_CALLS} tools")
    if sum(len(arguments) for _, arguments in answered.tool_calls) > MAX_CHARS:
        return Grade("error", why=f"its calls are longer than {MAX_CHARS} characters")
    if options.schemas is not None:
        broken = _misfit(answered, options.schemas)
        if broken is not None or options.calls is None:
            return broken or passed(ok=True, why="every call fits its tool")
    wanted = [Call(it) if isinstance(it, str) else it for it in options.calls or ()]
    if options.by == "names":
        names, expected = {name for name, _ in answered.tool_calls}, {it.name for it in wanted}
        found = len(names & expected)
        return _scored(found, len(names), len(expected), options)
    return _scored(
        _matched(answered, wanted, options), len(answered.tool_calls), len(wanted), options
    )


def _scored(found: int, said: int, wanted: int, options: Options) -> Grade:
    if not said and not wanted:
        return passed(ok=True, why="no tool is expected, and none is called")
    score = harmonic(found / wanted if wanted else 0.0, found / said if said else 0.0)
    return graded(score, options.threshold, f"{found} of {wanted} calls, F1")


def _matched(answered: Answered, wanted: list[Call], options: Options) -> int:
    """How many calls are expected ones. Those that ask the most of their arguments choose first."""
    left = list(answered.tool_calls)
    found = 0
    order = wanted if options.order else sorted(wanted, key=lambda it: -len(it.arguments or ()))
    for call in order:
        at = next((i for i, (name, text) in enumerate(left) if _fits(call, name, text)), None)
        if at is not None:
            found += 1
            left = left[at + 1 :] if options.order else left[:at] + left[at + 1 :]
    return found


def _fits(call: Call, name: str, arguments: str) -> bool:
    if name != call.name:
        return False
    if call.arguments is None:
        return True
    said = _read(arguments)
    if not isinstance(said, dict) or (call.exactly and said.keys() != call.arguments.keys()):
        return False
    return all(key in said and same(said[key], value) for key, value in call.arguments.items())


def _read(arguments: str) -> Any:
    try:
        return msgspec.json.decode(arguments or "{}")
    except (*UNREADABLE, UnicodeEncodeError):
        return None


def _misfit(answered: Answered, schemas: dict[str, dict[str, Any] | bool]) -> Grade | None:
    """The grade of calls that do not fit their tools. No call at all is one too."""
    if not answered.tool_calls:
        return passed(ok=False, why="no tool is called")
    for name, arguments in answered.tool_calls:
        if name not in schemas:
            return passed(ok=False, why=f"there is no tool {quoted(name)}")
        said = _read(arguments)
        if not isinstance(said, dict):
            return passed(ok=False, why=f"the arguments of {quoted(name)} are no JSON object")
        schema = _compiled(msgspec.json.encode(schemas[name]))
        if schema.evaluations * len(arguments) > MAX_WORK:
            return Grade("error", why=f"the schema of {quoted(name)} is too costly for this call")
        try:
            broken = schema.violation(said)
        except (ValueError, OverflowError, RecursionError):
            return Grade("error", why=f"a call of {quoted(name)} cannot be held against a schema")
        if broken is not None:
            where = f"{broken.path or 'the whole'} breaks `{broken.rule}`"
            return passed(ok=False, why=f"in a call of {quoted(name)} {where}")
    return None


def _also_wrong(options: Options) -> str | None:
    if options.calls is None and options.schemas is None:
        return "it needs `calls`, which may be `[]`, or `schemas`"
    if "" in (options.calls or ()):
        return "a tool in `calls` has no name"
    for name, schema in (options.schemas or {}).items():
        try:
            _compiled(msgspec.json.encode(schema))
        except SchemaProblem as problem:
            return f"the schema of {quoted(name)}: {problem}"
    return None


plug = Plain(Options, _mark, _also_wrong, reads_text=False)
