"""The answer is in one of the languages that are asked. Where none can be told, it is an error."""

from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.core.words import quoted
from tidegate.graders._plain import Plain, passed
from tidegate.text.language import language_of
from tidegate.text.language_profiles import LANGUAGES


class Options(Struct, frozen=True):
    """`any` of these, by ISO 639-1, such as `en` or `pt`."""

    any: tuple[str, ...]


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    found = language_of(answered.output or "")
    if found is None:
        return Grade("error", why="its language cannot be told: too short, mixed, or not known")
    return passed(found in options.any, f"it is in {quoted(found)}")


def _also_wrong(options: Options) -> str | None:
    if not options.any:
        return "`any` is an empty list"
    unknown = [it for it in options.any if it not in LANGUAGES]
    told = f"; those that can be told are {', '.join(LANGUAGES)}"
    return f"the language {quoted(unknown[0])} is not known{told}" if unknown else None


plug = Plain(Options, _mark, _also_wrong)
