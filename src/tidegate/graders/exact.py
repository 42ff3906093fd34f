"""The answer is what is expected: as text, or as JSON of the same value."""

import msgspec
from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._plain import Plain, expected_texts, passed
from tidegate.graders._words import folded, normalised, spaced
from tidegate.text.strict_json import UNREADABLE


class Options(Struct, frozen=True, omit_defaults=True):
    """`value`: what is expected, or a list of which one is; the case's `expected` without it.
    `json`: compared as JSON, numbers by value. `trim` says that spaces around do not count."""

    value: str | tuple[str, ...] | None = None
    ignore_case: bool = False
    trim: bool = False
    normalise: bool = False
    json: bool = False


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    wanted = _wanted(case, options)
    if not wanted:
        return Grade("error", why="neither the check nor the case says what is expected")
    output = answered.output or ""
    if options.json:
        return _as_json(output, wanted)
    found = _form(output, options) in {_form(text, options) for text in wanted}
    return passed(found, "the answer is as expected" if found else "the answer is another")


def _wanted(case: Case, options: Options) -> tuple[str, ...]:
    if options.value is None:
        return expected_texts(case)
    return (options.value,) if isinstance(options.value, str) else options.value


def _form(text: str, options: Options) -> str:
    if options.normalise:
        return normalised(text)
    if options.ignore_case:
        text = folded(text)
    return spaced(text) if options.trim else text


def _as_json(output: str, wanted: tuple[str, ...]) -> Grade:
    try:
        said = msgspec.json.decode(output)
    except UNREADABLE:
        return passed(ok=False, why="the answer is not JSON")
    for text in wanted:
        try:
            value = msgspec.json.decode(text)
        except UNREADABLE:
            return Grade("error", why="what is expected is not JSON")
        if same(said, value):
            return passed(ok=True, why="the answer is the JSON that is expected")
    return passed(ok=False, why="the answer is other JSON")


def same(one: object, other: object) -> bool:
    """Whether two decoded JSON values are one. 1 and 1.0 are; 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def _also_wrong(options: Options) -> str | None:
    if options.json and (options.ignore_case or options.trim or options.normalise):
        return "`json` compares values; `ignore_case`, `trim` and `normalise` are of texts"
    return "`value` is an empty list" if options.value == () else None


plug = Plain(Options, _mark, _also_wrong)
