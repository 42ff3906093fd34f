"""Where a plan has judges look at live answers: each check by a judge at a route, with parameters,
once, whichever routes it is for."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.core import plugs
from tidegate.core.checks import Graders, checks_of
from tidegate.core.declared import Declared
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.grading import Check, Grader, judge_digest
from tidegate.core.judged_hit import seated
from tidegate.core.units import usd_to_nanousd
from tidegate.evals.calibrating import PAIRWISE
from tidegate.evals.checking import members
from tidegate.evals.grading import with_threshold
from tidegate.evals.hit_matter import HIT_CHECK

Parameters = tuple[tuple[str, str], ...]


class JudgeSeat(Struct, frozen=True):
    """A judge's `route` that is asked by `prompt` with `parameters` (each JSON), for the live
    answers of the routes of `used_by`. Who sits there is told by who answers. `anchors` are paths,
    those of all its routes, and `check` is how it is asked."""

    route: str
    prompt: str
    parameters: Parameters
    check: Check
    anchors: tuple[str, ...]
    used_by: tuple[str, ...]

    @property
    def id(self) -> str:
        """SHA-256 (hex) of what makes it this one."""
        parts = msgspec.json.encode([self.route, self.prompt, self.parameters])
        return sha256(parts).hexdigest()[:32]

    @property
    def name(self) -> str:
        return self.check.metric or self.check.grader

    def digest(self, model: str) -> str:
        """Of the judge that such a model is there."""
        asked = {name: msgspec.json.decode(value) for name, value in self.parameters}
        return judge_digest(self.prompt, model, asked)


def seats_of(declared: Declared) -> list[JudgeSeat]:
    """All that a plan has anchors for."""
    found: dict[str, JudgeSeat] = {}
    for name, route in sorted(declared.routes.items()):
        for seat in () if route.quality is None else _of_route(name, route.quality):
            known = found.get(seat.id)
            found[seat.id] = seat if known is None else _joined(known, seat)
    return list(found.values())


def _joined(one: JudgeSeat, other: JudgeSeat) -> JudgeSeat:
    anchors = tuple(dict.fromkeys(one.anchors + other.anchors))
    return replace(one, anchors=anchors, used_by=one.used_by + other.used_by)


def most_nanousd_per_day(declared: Declared, judge_route: str) -> int:
    """What the routes that a judge's route is asked for may spend of it, together."""
    asked = (it.quality for it in declared.routes.values())
    most = (it.most_usd_per_day for it in asked if it is not None and it.judge == judge_route)
    return usd_to_nanousd(sum(most, Decimal(0)))


def parameters_of(quality: DeclaredQuality) -> Parameters:
    """Members of each question to its judge, each JSON."""
    if quality.judge_parameters is None:
        return ()
    read: Mapping[str, Any] = msgspec.json.decode(quality.judge_parameters)
    return tuple(sorted((name, msgspec.json.encode(it).decode()) for name, it in read.items()))


def _of_route(name: str, quality: DeclaredQuality) -> Iterable[JudgeSeat]:
    if quality.judge is None:
        return
    at = quality.judge, parameters_of(quality)
    if quality.anchors is not None and quality.checks is not None:
        checks = checks_of(quality.checks, Graders(), lambda _path, _what: None)
        yield from _of_checks(at, checks, quality.anchors, name)
    if quality.hits is not None and quality.hits.anchors is not None:
        yield from _of_checks(at, [HIT_CHECK], quality.hits.anchors, seated(name))


def _of_checks(
    at: tuple[str, Parameters], checks: Iterable[Check], anchors: str, used_by: str
) -> Iterable[JudgeSeat]:
    """Each judge of them once, at a route with parameters."""
    prompts = set[str]()
    for check in (it for whole in checks for it in members(whole)):
        prompt = _prompt(check)
        if prompt is not None and prompt not in prompts:
            prompts.add(prompt)
            yield JudgeSeat(at[0], prompt, at[1], check, (anchors,), (used_by,))


def _prompt(check: Check) -> str | None:
    """What a judge of one answer is told of its own; None for who asks nobody, or compares."""
    grader: Grader = plugs.load("graders", check.grader)
    told = getattr(grader, "prompt", None)
    if not grader.asks or told is None or check.grader == PAIRWISE:
        return None
    prompt: str = told(with_threshold(msgspec.json.decode(check.options), check.threshold))
    return prompt
