"""A route's ladder, from what its plan declares. What could never be reached, or would ask the same
again, fails the plan."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from tidegate.core.assemble import Path, Say
from tidegate.core.compile_routes import Find
from tidegate.core.declared_ladder import DeclaredHistory, DeclaredRung, DeclaredWhen
from tidegate.core.declared_route_prompt import DeclaredRoutePrompt
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.ladder import (
    FAILURES,
    MAX_RUNGS,
    FailureWord,
    Handover,
    History,
    Rung,
    RungKind,
    When,
)
from tidegate.core.limit import reaches
from tidegate.core.plan import Limit, Route, Target
from tidegate.core.prompt import RoutePrompt
from tidegate.core.words import quoted

# The version of a prompt that a rung is asked by; None, and a complaint, where it is not to be had.
OfPrompt = Callable[[DeclaredRoutePrompt, Path], RoutePrompt | None]
_ENDING: Final = ("stale_s", "batch_only", "handover", "apology")
_ASKING: Final = ("output", "prompt", "target", "system_prompt")
# After these the same target has nothing to say that it has not said.
_SAME: Final[frozenset[str]] = frozenset({"unavailable", "timeout", "rate_limited"})
_ALWAYS: Final = "apology"
_NO_CHANGES: Final = Rung("").changes


def compile_ladder(
    declared: DeclaredRoute, route: Route, find: Find, prompt: OfPrompt, say: Say
) -> Route:
    """The route with its ladder; what is wrong with it is said."""
    path: Path = ("routes", route.name, "ladder")
    if len(declared.ladder) > MAX_RUNGS:
        say(path, f"a ladder has {MAX_RUNGS} rungs at most; this one has {len(declared.ladder)}")
        return route
    rungs: list[Rung] = []
    targets: dict[str, Target] = {}
    for index, one in enumerate(declared.ladder):
        at = (*path, str(index))
        target = None if one.target is None else find(one.target, (*at, "target"))
        if target is not None:
            targets[target.name] = target
        rung = _rung(one, target, prompt, at, say)
        _check(rung, route, target, at, say)
        _check_before(rung, rungs, at, say)
        rungs.append(rung)
    found = replace(route, ladder=tuple(rungs), rung_targets=tuple(targets.values()))
    stale_s = max((rung.stale_s for rung in rungs), default=0.0)
    if stale_s and found.cache is not None and found.cache.exact is not None:
        exact = replace(found.cache.exact, stale_rung_s=stale_s)
        found = replace(found, cache=replace(found.cache, exact=exact))
    return found


def check_degrading(
    routes: Mapping[str, Route], limits: Iterable[Limit], declared: Collection[str], say: Say
) -> None:
    """A budget that the file has degrade needs a rung for budgets. What is set at run time comes
    and goes, and what keys bring with them."""
    for limit in limits:
        if limit.degrades and limit.name in declared and not _is_watched(limit, routes):
            say(
                ("budgets", limit.name, "degrade"),
                "no route that it pays for has a rung with `when.budget`, so that nothing would "
                "come of it: write one below that route's `ladder`, or remove this",
            )


def _is_watched(limit: Limit, routes: Mapping[str, Route]) -> bool:
    return any(budget_rungs(route) and reaches(limit, route) for route in routes.values())


def budget_rungs(route: Route) -> list[int]:
    """The places of its rungs for budgets."""
    return [at for at, rung in enumerate(route.ladder) if "budget" in rung.when.words]


def _rung(
    declared: DeclaredRung, target: Target | None, prompt: OfPrompt, at: Path, say: Say
) -> Rung:
    kind = _kind(declared, at, say)
    smaller, handover = declared.prompt, declared.handover
    asked = None
    if smaller is not None and smaller.template is not None:
        asked = prompt(smaller.template, (*at, "prompt", "template"))
        if declared.system_prompt is not None:
            say((*at, "system_prompt"), "`prompt.template` is written too; remove one of them")
    history = None if smaller is None or smaller.history is None else smaller.history
    text = (declared.apology or "") if handover is None else handover.answer
    return Rung(
        name=declared.name,
        kind=kind,
        when=_when(declared.when, (*at, "when"), say),
        max_output_tokens=None if declared.output is None else declared.output.max_tokens,
        target=None if target is None else target.name,
        system_prompt=declared.system_prompt,
        prompt=asked,
        history=None if history is None else _history(history, (*at, "prompt", "history"), say),
        stale_s=declared.stale_s or 0.0,
        handover=None
        if handover is None
        else Handover(handover.url, handover.token, handover.conversation, handover.ca_file),
        text=text,
    )


def _kind(declared: DeclaredRung, at: Path, say: Say) -> RungKind:
    asking = [name for name in _ASKING if getattr(declared, name) is not None]
    ending = [name for name in _ENDING if getattr(declared, name)]
    shown = [name.removesuffix("_s") for name in ending]
    if not asking and not ending:
        say(at, "this rung changes nothing; write one of output, prompt, target, system_prompt, "
            "stale, batch_only, handover, apology")  # fmt: skip
    if len(ending) > 1 or (ending and asking):
        rest = [*asking, *shown][-2]
        say((*at, shown[-1]), f"`{rest}` is written too, and this stands alone: make it a rung of "
            "its own")  # fmt: skip
    kinds: dict[str, RungKind] = {
        "stale_s": "stale",
        "batch_only": "batch_only",
        "handover": "handover",
        "apology": "apology",
    }
    return kinds[ending[0]] if ending else "model"


def _when(declared: DeclaredWhen, at: Path, say: Say) -> When:
    failures: tuple[FailureWord, ...] = ()
    for word in declared.failure:
        failures += FAILURES if word == "any" else (word,)
    for index, word in enumerate(declared.failure):
        if word in declared.failure[:index]:
            say((*at, "failure", str(index)), f"{quoted(word)} is here twice")
    return When(
        failures=tuple(dict.fromkeys(failures)),
        budget_percent=declared.budget,
        forecast_percent=declared.forecast,
        slow_first_token_s=declared.slow_first_token_s,
        slow_answer_s=declared.slow_answer_s,
        quality=tuple(dict.fromkeys(declared.quality)),
        pressure=declared.pressure,
    )


def _history(declared: DeclaredHistory, at: Path, say: Say) -> History:
    found = History(
        declared.keep_first_turns,
        declared.keep_last_turns,
        declared.max_tokens,
        declared.tool_results == "drop",
        declared.whitespace == "squeeze",
    )
    if replace(found, keep_first=0) == History():
        say(at, "this leaves every conversation as it is; write keep_last_turns, max_tokens, "
            "tool_results or whitespace")  # fmt: skip
    return found


def _check(rung: Rung, route: Route, target: Target | None, at: Path, say: Say) -> None:
    """Whether it could do what it says, of what leads there."""
    words = rung.when.words
    of_contract = route.contract is not None and route.contract.on_violation != "mark"
    if "invalid" in words and not of_contract:
        say(
            (*at, "when", "quality"),
            "no answer is turned down as `invalid` here: give the route a `contract` whose "
            "`on_violation` is `fail`, `retry` or `fallback`",
        )
    if rung.kind == "stale" and (route.cache is None or route.cache.exact is None):
        say((*at, "stale"), "the route keeps no answers: write `cache: {exact: {}}`")
    if "pressure" in words and rung.kind == "model":
        what = "asking a model takes as much of the gateway as the request itself would"
        say((*at, "when", "pressure"), f"{what}; name a rung that asks nobody")
    if rung.text and route.contract is not None:
        _check_text(rung, route, at, say)
    own = {share.target.name for share in route.release.shares}
    if (
        target is not None
        and own == {target.name}
        and rung.changes == Rung("", target=target.name).changes
    ):
        say((*at, "target"), "that is the route itself: it asks this target, and asks no other way")
    if rung.kind != "model" or not rung.when.failures:
        return
    if words <= _SAME and (target is None or own == {target.name}):
        say((*at, "when", "failure"), "this asks the targets again that have just failed so; name "
            "another `target`")  # fmt: skip
    if words == {"overflow"} and rung.history is None and rung.prompt is None:
        rooms = [share.target.context_tokens for share in route.release.shares]
        widest = max((room or 0 for room in rooms), default=0)
        room = widest if target is None else target.context_tokens
        if None not in rooms and room is not None and room <= widest:
            say((*at, "when", "failure"), "what was too long is not shorter here, and the context "
                "no larger: write `prompt.history`, or a `target` with more room")  # fmt: skip


def _check_text(rung: Rung, route: Route, at: Path, say: Say) -> None:
    contract = route.contract
    if contract is None or not (contract.json or contract.json_schema is not None):
        return
    try:
        msgspec.json.decode(rung.text)
    except (msgspec.DecodeError, RecursionError):
        key = ("apology",) if rung.kind == "apology" else ("handover", "answer")
        say((*at, *key), "callers of this route read JSON, as its `contract` says: write JSON")


def _check_before(rung: Rung, before: list[Rung], at: Path, say: Say) -> None:
    """Whether those before it leave it anything to do."""
    words = rung.when.words
    ended: set[str] = set()
    for one in before:
        if one.name == rung.name:
            say((*at, "name"), f"another rung is called {quoted(rung.name)}")
        if one.changes == rung.changes != _NO_CHANGES:
            say(at, f"this does what the rung {quoted(one.name)} does; write both `when` there")
        if one.kind == _ALWAYS:
            ended |= one.when.words
        _check_rising(rung, one, at, say)
    if words and words <= ended:
        last = next(one for one in reversed(before) if one.kind == _ALWAYS)
        say((*at, "when"), f"nothing ever comes here: the rung {quoted(last.name)} answers each of "
            "these before")  # fmt: skip


def _check_rising(rung: Rung, before: Rung, at: Path, say: Say) -> None:
    for name, key in (
        ("budget_percent", "budget"),
        ("forecast_percent", "forecast"),
        ("slow_first_token_s", "slow_first_token"),
        ("slow_answer_s", "slow_answer"),
    ):
        mine, theirs = getattr(rung.when, name), getattr(before.when, name)
        if mine is not None and theirs is not None and mine <= theirs:
            say(
                (*at, "when", key),
                f"the rung {quoted(before.name)} above has {theirs:g}, and rungs further down need "
                "more",
            )
