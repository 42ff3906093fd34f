"""A release's file to its Rollout: whole, or everything that is wrong with it said. Pure.

Whether its targets exist is said where the plan is compiled with it.
"""

import hashlib
from collections.abc import Iterable, Set
from typing import Final

import msgspec
from msgspec.structs import asdict, replace

from tidegate.core.assemble import Path, Say
from tidegate.core.business_hours import read_business_hours
from tidegate.core.declared_rollout import (
    DeclaredAssignment,
    DeclaredHard,
    DeclaredHarm,
    DeclaredRollout,
    DeclaredShadow,
    DeclaredStep,
)
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.harm import HARM
from tidegate.core.rollout import (
    DEFAULT_HARM,
    DEFAULT_STEPS,
    Approvals,
    HardLimits,
    HarmMetric,
    Rollout,
    Runtime,
    Shadow,
    Step,
    late_guard,
)
from tidegate.core.route_members import MOVABLE, members_of, moved_names
from tidegate.core.units import usd_to_nanousd
from tidegate.core.words import nearest, quoted

_WHOSE: Final = ("key", "team", "customer")


def compile_rollout(
    route: str, name: str, declared: DeclaredRollout, written: Set[str], say: Say
) -> Rollout:
    """The rollout of that name on that route; what is wrong with it is said, by paths from the
    file's root. `written` are the keys that stand below `change`."""
    _check_change(declared, written, say)
    _check_assignment(declared.assign, say)
    if declared.business_hours is not None:
        try:
            read_business_hours(declared.business_hours)
        except ValueError as error:
            say(("business_hours",), str(error))
    rollout = Rollout(
        id=f"{route}/{name}",
        route=route,
        digest="",
        owner=declared.owner,
        members=members_of(declared.change, moved_names(written)),
        why=declared.why or "",
        runtime=Runtime(**asdict(declared.change.runtime)),
        units=declared.assign.units,
        always=declared.assign.always,
        never=declared.assign.never,
        shadow=_shadow(declared.shadow, say),
        steps=_steps(declared.steps, say),
        harm=_harm(declared.harm, say),
        harm_alpha=declared.harm_alpha,
        safe_alpha=declared.safe_alpha,
        hard=_hard(declared.hard, say),
        approvals=Approvals(**asdict(declared.approvals)),
        soak_s=declared.soak_s,
        business_hours=declared.business_hours,
        labels=declared.labels,
        gates=declared.gates,
        orthogonal=declared.orthogonal,
    )
    return replace(rollout, digest=_digest(rollout))


def guarded(rollout: Rollout, route: DeclaredRoute) -> Rollout:
    """One that names no metrics, guarded by what is found of the route's answers afterwards too.
    Its digest stays: it is of what its file says, and not of what the route declares beside it."""
    if rollout.harm != DEFAULT_HARM:
        return rollout
    return replace(rollout, harm=(*DEFAULT_HARM, *map(late_guard, _found_late(route))))


def never_known(rollout: Rollout, route: DeclaredRoute) -> list[str]:
    """Of each guard that it names and of which its route finds nothing, what is missing there."""
    found = _found_late(route)
    lacking = {
        "quality": "its route declares no `quality` with `checks`, and `capture`",
        "follow_up": "its route declares no `quality` with `follow_up`, and `capture`",
    }
    return [
        f"harm {one.name}: nothing will be known of it, {lacking[one.name]}"
        for one in rollout.harm
        if one.must_be_safe and one.name in lacking and one.name not in found
    ]


def _found_late(route: DeclaredRoute) -> tuple[str, ...]:
    """The metrics that are found of the route's answers afterwards; anybody may rate."""
    quality = route.quality if route.capture is not None else None
    if quality is None:
        return ("thumbs_down",)
    has = {"quality": quality.checks is not None, "follow_up": quality.follow_up}
    return (*(name for name, is_there in has.items() if is_there), "thumbs_down")


def _digest(rollout: Rollout) -> str:
    return hashlib.sha256(msgspec.json.encode(rollout, order="deterministic")).hexdigest()


def _check_change(declared: DeclaredRollout, written: Set[str], say: Say) -> None:
    for name in sorted(written):
        if name not in MOVABLE and name != "runtime":
            say(("change", name), "a release does not change this; the plan file does")
    if {"target", "targets"} <= written:
        say(("change", "targets"), "`target` is written too; remove one of them")
    if not written & set(MOVABLE):
        runtime = "; another runtime has an address of its own: write its `target`"
        say(("change",), "it changes nothing of the route" + (runtime if written else ""))


def _check_assignment(declared: DeclaredAssignment, say: Say) -> None:
    if not declared.units:
        say(("assign", "units"), "the list is empty; write `[request]` to assign each by itself")
    _check_twice(("assign", "units"), declared.units, say)
    for key in ("always", "never"):
        whose: tuple[str, ...] = getattr(declared, key)
        for index, one in enumerate(whose):
            kind, _, name = one.partition(":")
            if kind not in _WHOSE or not name:
                say(("assign", key, str(index)), "write key:ID, team:NAME or customer:NAME")
        _check_twice(("assign", key), whose, say)
    for index, one in enumerate(declared.never):
        if one in declared.always:
            say(("assign", "never", str(index)), f"{quoted(one)} is in `always` too")


def _check_twice(path: Path, listed: Iterable[str], say: Say) -> None:
    seen: set[str] = set()
    for index, one in enumerate(listed):
        if one in seen:
            say((*path, str(index)), f"{quoted(one)} is here twice")
        seen.add(one)


def _shadow(declared: DeclaredShadow | None, say: Say) -> Shadow | None:
    if declared is None:
        return None
    nanousd = usd_to_nanousd(declared.usd)
    if not declared.share or not nanousd:
        key = "usd" if declared.share else "share"
        say(("shadow", key), "so nothing would ever be copied; remove `shadow`")
    return Shadow(declared.share, declared.min_requests, declared.max_s, nanousd)


def _steps(declared: tuple[DeclaredStep, ...], say: Say) -> tuple[Step, ...]:
    """Rising weights; the smoke steps come before the others."""
    before, judged = 0.0, False
    for index, step in enumerate(declared):
        path = ("steps", str(index))
        if step.weight <= before:
            say((*path, "weight"), f"{step.weight:g} comes after {before:g}; write rising weights")
        if step.min_s > step.max_s:
            say((*path, "min"), f"it lasts {step.min_s:g} s at least and {step.max_s:g} s at most")
        if step.smoke and judged:
            say((*path, "smoke"), "a step before it is judged; the smoke steps come first")
        before, judged = step.weight, judged or not step.smoke
    if declared and not judged:
        say(("steps",), "every step is smoke, so nothing would ever be shown to be safe")
    return tuple(Step(**asdict(step)) for step in declared) or DEFAULT_STEPS


def _harm(declared: dict[str, DeclaredHarm], say: Say) -> tuple[HarmMetric, ...]:
    if not declared:
        return DEFAULT_HARM
    found = []
    for name, harm in declared.items():
        row = HARM.get(name)
        path = ("harm", name)
        if row is None:
            known = ", ".join(HARM)
            near = nearest(name, HARM) or f"; there are {known}"
            say(path, f"there is no harm metric {quoted(name)}{near}")
            continue
        margin = row.margin if harm.margin is None else harm.margin
        if row.kind == "amount" and margin <= 1:
            say((*path, "margin"), "a ratio of amounts is above 1, such as 1.15")
        elif row.kind != "amount" and margin >= 1:
            say((*path, "margin"), "points of a share are below 1, such as 0.02")
        found.append(HarmMetric(name, margin, harm.weight, harm.no_data))
    return tuple(found)


def _hard(declared: DeclaredHard, say: Say) -> HardLimits:
    if declared.bad > declared.of:
        say(("hard", "bad"), f"{declared.bad} of {declared.of} there can never be")
    first = (declared.bad, declared.of)
    return HardLimits(first, declared.invalid, declared.invalid_least, declared.cost_ratio)
