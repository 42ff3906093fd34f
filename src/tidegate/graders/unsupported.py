"""A check of another tool that is not run here, such as somebody's script. Never a pass."""

from typing import Any

from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._plain import Plain


class Options(Struct, frozen=True, omit_defaults=True):
    """`type` is the check's name where it comes from, `why` the reason it is not run, `written`
    the check as it is written there."""

    type: str
    why: str = ""
    written: dict[str, Any] | None = None


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    why = f": {options.why}" if options.why else ""
    return Grade("error", why=f"`{options.type}` is unsupported, not executed{why}")


plug = Plain(Options, _mark, reads_text=False)
