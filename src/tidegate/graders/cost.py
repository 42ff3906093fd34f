"""The request cost no more than so much."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._plain import Plain

_NANO = 1e9


class Options(Struct, frozen=True):
    """In dollars. A cost that nobody knows is an error."""

    most_usd: Annotated[float, Meta(ge=0, le=1e6)]


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    if answered.cost_nanousd is None:
        return Grade("error", why="nobody knows its cost")
    if answered.cost_nanousd < 0:
        return Grade("error", why="its cost is below zero")
    cheap = answered.cost_nanousd <= round(options.most_usd * _NANO)
    why = f"it cost {answered.cost_nanousd / _NANO:.6g} USD, {options.most_usd:g} is allowed"
    return Grade("pass" if cheap else "fail", float(cheap), why)


plug = Plain(Options, _mark)
