"""The answer has so many characters or words."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._figures import all_of, within, wrong_bounds
from tidegate.graders._plain import Plain

_Count = Annotated[int, Meta(ge=0)]


class Options(Struct, frozen=True, omit_defaults=True):
    """Words are what spaces part, as promptfoo counts them."""

    least_chars: _Count | None = None
    most_chars: _Count | None = None
    least_words: _Count | None = None
    most_words: _Count | None = None


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    output = answered.output or ""
    grades = []
    if options.least_chars is not None or options.most_chars is not None:
        grades.append(within(len(output), options.least_chars, options.most_chars, "characters"))
    if options.least_words is not None or options.most_words is not None:
        count = len(output.split())
        grades.append(within(count, options.least_words, options.most_words, "words"))
    return all_of(grades)


def _also_wrong(options: Options) -> str | None:
    chars = wrong_bounds(options.least_chars, options.most_chars, "chars")
    words = wrong_bounds(options.least_words, options.most_words, "words")
    if options == Options():
        return chars
    unset = "it needs a bound"
    return next((said for said in (chars, words) if said and not said.startswith(unset)), None)


plug = Plain(Options, _mark, _also_wrong)
