"""The answer, or its first token, came within so many seconds."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._figures import all_of, within
from tidegate.graders._plain import Plain

_Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Options(Struct, frozen=True, omit_defaults=True):
    """`most_s`: of the whole answer; `most_ttft_s`: of its first token."""

    most_s: _Seconds | None = None
    most_ttft_s: _Seconds | None = None


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    grades = []
    if options.most_s is not None:
        grades.append(within(answered.total_s, None, options.most_s, "seconds in all"))
    if options.most_ttft_s is not None:
        first = within(answered.ttft_s, None, options.most_ttft_s, "seconds to its first token")
        grades.append(first)
    return all_of(grades)


def _also_wrong(options: Options) -> str | None:
    if options.most_s is None and options.most_ttft_s is None:
        return "it needs a bound: `most_s` or `most_ttft_s`"
    return None


plug = Plain(Options, _mark, _also_wrong)
