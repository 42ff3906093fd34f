"""A number in the answer is the expected one, within a tolerance."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._plain import Plain, expected_text, passed

MAX_NUMBER_CHARS = 60
_NUMBER = re.compile(
    r"(?<![\w.])[-+\N{MINUS SIGN}]?(?:(?:\d{1,3}(?:,\d{3})++(?!\d)|\d++)(?:\.\d++)?|\.\d++)"
    r"(?:[eE][-+]?\d++)?"
)
_Least = Annotated[float, Meta(ge=0)]


class Options(Struct, frozen=True, omit_defaults=True):
    """`value`: the number, or the last one in the case's `expected`. It may be off by `absolute`,
    or by `relative` times the expected one, whichever is more. `which` number of the answer is
    compared; `only`: the answer is nothing else."""

    value: float | None = None
    absolute: _Least = 0.0
    relative: _Least = 0.0
    which: Literal["last", "first", "only"] = "last"


def numbers(text: str) -> list[Decimal]:
    """The numbers of a text in order, with a point for decimals and commas by thousands. Those that
    are longer than any that people mean are left out."""
    found = []
    for match in _NUMBER.finditer(text):
        written = match[0]
        if written and len(written) <= MAX_NUMBER_CHARS:
            try:
                found.append(Decimal(written.replace(",", "").replace("\N{MINUS SIGN}", "-")))
            except InvalidOperation:
                continue
    return found


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    wanted = _wanted(case, options)
    if wanted is None:
        return Grade("error", why="neither the check nor the case expects a number")
    output = answered.output or ""
    found = numbers(output)
    if options.which == "only" and (len(found) != 1 or not _NUMBER.fullmatch(output.strip())):
        return passed(ok=False, why="the answer is not one number alone")
    if not found:
        return passed(ok=False, why="there is no number in the answer")
    said = found[-1 if options.which == "last" else 0]
    if said.adjusted() > 400 or wanted.adjusted() > 400:
        ok = said == wanted
    else:
        allowed = max(Decimal(options.absolute), Decimal(options.relative) * abs(wanted))
        ok = abs(said - wanted) <= allowed
    return passed(ok, f"the answer says {said:g} and {wanted:g} is expected")


def _wanted(case: Case, options: Options) -> Decimal | None:
    if options.value is not None:
        return Decimal(repr(options.value))
    found = numbers(expected_text(case) or "")
    return found[-1] if found else None


def _also_wrong(options: Options) -> str | None:
    finite = all(
        abs(number) <= 1e300
        for number in (options.value or 0.0, options.absolute, options.relative)
    )
    return None if finite else "the numbers must be finite"


plug = Plain(Options, _mark, _also_wrong)
