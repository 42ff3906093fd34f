"""Several checks as one: all of them pass, or enough of them by weight."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from tidegate.core import plugs
from tidegate.core.grading import Answered, Ask, Case, Check, Grade, Grader, checked, together
from tidegate.graders._plain import wrong

MAX_CHECKS = 100
_Share = Annotated[float, Meta(ge=0, le=1)]


class Member(Struct, frozen=True, omit_defaults=True):
    """A check of the group, as `core.grading.Check` has it."""

    grader: str
    options: dict[str, Any] = {}
    negated: bool = False
    weight: Annotated[float, Meta(ge=0)] = 1.0
    threshold: float | None = None
    metric: str | None = None


class Options(Struct, frozen=True, omit_defaults=True):
    """`checks`, none of them a group. `threshold`: the least mean score by weight, instead of every
    check having to pass."""

    checks: tuple[Member, ...]
    threshold: _Share | None = None


class _Group:
    asks = True

    @property
    def options(self) -> type[Options]:
        return Options

    def wrong(self, options: Mapping[str, Any]) -> str | None:
        return wrong(Options, options, _also_wrong)

    async def grade(
        self, case: Case, answered: Answered, options: Mapping[str, Any], ask: Ask | None
    ) -> Grade:
        said = self.wrong(options)
        if said is not None:
            return Grade("error", why=said)
        read = msgspec.convert(options, Options)
        checks, grades = [], []
        for member in read.checks:
            grader: Grader = plugs.load("graders", member.grader)
            check = check_of(member)
            grade = await grader.grade(case, answered, member.options, ask)
            checks.append(check)
            grades.append(checked(check, grade))
        return together(checks, grades, read.threshold)


def check_of(member: Member) -> Check:
    """What it is by itself."""
    return Check(
        member.grader,
        Raw(msgspec.json.encode(member.options)),
        member.negated,
        member.weight,
        member.threshold,
        member.metric,
    )


def _also_wrong(options: Options) -> str | None:
    if not options.checks:
        return "`checks` is an empty list"
    if len(options.checks) > MAX_CHECKS:
        return f"a group has at most {MAX_CHECKS} checks"
    if not any(member.weight for member in options.checks):
        return "no check of the group has a weight"
    for member in options.checks:
        if member.grader == "group":
            return "a group holds no other group"
        try:
            said = plugs.load("graders", member.grader).wrong(member.options)
        except plugs.PlugError as error:
            return str(error)
        if said is not None:
            return f"{member.grader}: {said}"
        if member.grader == "judge_pairwise" and member.options.get("against") == "baseline":
            return "what is compared with the baseline is a check of its own, not one of a group"
    return None


plug = _Group()
