"""A route's guardrails, ready: their detectors, and one automaton that says whether any of them has
anything to look for in a text."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from tidegate.core import plugs
from tidegate.core.guardrail import (
    Detector,
    Guardrail,
    Kind,
    RouteGuardrails,
    SentenceBuffer,
    Side,
    SourceDetector,
)
from tidegate.core.plan import Plan
from tidegate.gateway.guard_check import Check
from tidegate.text.hints import Hints

_ALWAYS: Final[Callable[[str], bool]] = bool


class Guard(Struct, eq=False, frozen=True):
    """One guardrail that looks itself. Without `may_have` it looks at any text."""

    guardrail: Guardrail
    detector: Detector
    may_have: Callable[[str], bool] | None

    @property
    def stops(self) -> bool:
        """Whether anything that it finds must not go out."""
        actions = (self.guardrail.action, *(action for _, action in self.guardrail.actions))
        return any(action != "mark" for action in actions)


class Looking(Struct, eq=False, frozen=True):
    """One side of a route. Of `every`, `running` look through a stream as it comes, those `at_end`
    once it is whole; `withholds`: nothing of it goes out before, `asks_by_sentence`: nothing that
    an address has not been asked about. `judges` look at a request's texts by whose they are
    (`guard_sources`), and at none otherwise. `may_have` says of a text whether
    any of `every` may find something, and `settled` of one that grows how much of it is held no
    more for any of `running`, by each of their ways to tell."""

    side: Side
    every: tuple[Guard, ...]
    checks: tuple[Check, ...]
    may_have: Callable[[str], bool]
    running: tuple[Guard, ...]
    at_end: tuple[Guard, ...]
    withholds: bool
    judges: tuple[Guard, ...] = ()
    asks_by_sentence: bool = False
    settled: tuple[Callable[[str, int], int], ...] = ()


class PreparedGuardrails(Struct, eq=False, frozen=True):
    """None of a side: nothing looks through it."""

    input: Looking | None
    output: Looking | None
    buffer: SentenceBuffer | None


def prepare_guardrails(
    declared: RouteGuardrails | None,
    buffer: SentenceBuffer | None,
    checks: Mapping[Guardrail, Check],
) -> PreparedGuardrails | None:
    """None where the route has none. ValueError or PlugError where one is not to be had. `checks`
    are all of the plan's that ask an address."""
    if declared is None and buffer is None:
        return None
    if declared is None:
        return PreparedGuardrails(None, None, buffer)
    return PreparedGuardrails(
        _side("input", declared.input, checks, buffer),
        _side("output", declared.output, checks, buffer),
        buffer,
    )


def guardrails_of(plan: Plan) -> list[Guardrail]:
    """Every guardrail that a route of the plan names, each once."""
    found: dict[Guardrail, None] = {}
    for route in plan.routes.values():
        for one in (route, *(candidate.route for candidate in route.candidates)):
            if one.guardrails is not None:
                found |= dict.fromkeys((*one.guardrails.input, *one.guardrails.output))
    return list(found)


def is_remote(guardrail: Guardrail) -> bool:
    """Whether it asks an address. PlugError."""
    kind: Kind = plugs.load("guardrails", guardrail.kind)
    return kind.remote


def _side(
    side: Side,
    guardrails: tuple[Guardrail, ...],
    known: Mapping[Guardrail, Check],
    buffer: SentenceBuffer | None,
) -> Looking | None:
    if not guardrails:
        return None
    checks = tuple(known[it] for it in guardrails if it in known)
    every = tuple(_guard(it, side) for it in guardrails if it not in known)
    at_end = tuple(it for it in every if it.detector.judges_whole or not it.stops)
    always = any(it.may_have is None for it in every)
    hints = Hints([hint for it in every for hint in it.detector.hints]).any
    whole = any(it.stops for it in at_end) or (
        bool(checks) and (buffer is None or not all(it.guardrail.by_sentence for it in checks))
    )
    running = tuple(it for it in every if it not in at_end)
    return Looking(
        side=side,
        every=every,
        checks=checks,
        may_have=_ALWAYS if always else hints,
        running=running,
        at_end=at_end,
        withholds=whole,
        asks_by_sentence=bool(checks) and not whole,
        judges=tuple(it for it in every if it.may_have is _never),
        settled=tuple(dict.fromkeys(it.detector.settled for it in running)),
    )


def _never(text: str) -> bool:
    del text
    return False


def _guard(guardrail: Guardrail, side: Side) -> Guard:
    kind: Kind = plugs.load("guardrails", guardrail.kind)
    detector = kind.detector(guardrail)
    if side == "input" and isinstance(detector, SourceDetector):
        return Guard(guardrail, detector, _never)
    hints = detector.hints
    return Guard(guardrail, detector, Hints(hints).any if hints else None)
