"""A pattern is found in the answer, in time linear in it whatever the pattern: no look-around and
no back-references."""

from functools import lru_cache

from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._plain import Plain, passed
from tidegate.text.json_schema import Regex, SchemaProblem

MAX_PATTERN_CHARS = 10_000


class Options(Struct, frozen=True):
    """`^` and `$` bind the pattern to the whole."""

    pattern: str
    ignore_case: bool = False


@lru_cache(maxsize=256)
def _compiled(pattern: str, ignore_case: bool) -> Regex:
    return Regex(f"(?i){pattern}" if ignore_case else pattern)


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    found = _compiled(options.pattern, options.ignore_case).found_in(answered.output or "")
    return passed(found, "the pattern is found" if found else "the pattern is not found")


def _also_wrong(options: Options) -> str | None:
    if len(options.pattern) > MAX_PATTERN_CHARS:
        return f"the pattern is longer than {MAX_PATTERN_CHARS} characters"
    try:
        _compiled(options.pattern, options.ignore_case)
    except SchemaProblem as problem:
        return str(problem)
    return None


plug = Plain(Options, _mark, _also_wrong)
