"""Error budgets: what a route's objectives have left binds its releases, and burning is told.

The states and their bounds are data (`core.objective.ErrorBudget`); the alerts are those of
`stats.burn`. Nothing is decided by what is not known: without requests a state stays as it is.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from tidegate.controllers import _error_budget_tells as tells
from tidegate.controllers._error_budget_burns import Judged, judge
from tidegate.controllers._error_budget_words import (
    UNKNOWN,
    Memory,
    MoneySeen,
    ObjectiveSeen,
    Review,
    View,
)
from tidegate.core.block import Tally
from tidegate.core.controller import Decision, Proposal, Set
from tidegate.core.objective import DAY_S, HOUR_S, STATES, Exemption, State
from tidegate.stats import burn

__all__ = [
    "FastBurn",
    "Found",
    "Judged",
    "Memory",
    "MoneySeen",
    "ObjectiveSeen",
    "View",
    "fast_burns",
    "look",
    "plug",
    "read_memory",
]

LEVER: Final = "release_policy"
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Memory).decode


class Found(Struct, frozen=True):
    """What is made of a route: its state and why, and each of its objectives."""

    state: State
    why: str
    objectives: tuple[Judged, ...]
    memory: Memory


class FastBurn(Struct, frozen=True):
    """`canary_bad` is a release candidate's share of the bad requests of the fastest tier's long
    window, `canary_traffic` its share of all; None where it had none, or nothing was bad."""

    objective: str
    canary_bad: float | None
    canary_traffic: float | None


def read_memory(memory: Raw) -> Memory:
    """That of a route which nobody has looked at yet is empty."""
    return _decode(memory) if memory else Memory()


class _ErrorBudget:
    name = "error_budget"
    view_type: type[Struct] = View

    def decide(self, view: View, memory: Raw) -> Decision:
        before = read_memory(memory)
        found = look(view, before)
        proposals: list[Proposal] = [*tells.all_of(view, before, found.memory, found.objectives)]
        proposals += tells.of_state(view, before, found.memory, found.why)
        if found.state != "normal":
            evidence = tells.evidence(view, found.objectives)
            value = float(STATES.index(found.state))
            proposals.append(Set(LEVER, view.route, value, found.why, evidence))
        return Decision(tuple(proposals), Raw(_encode(found.memory)))


def look(view: View, before: Memory) -> Found:
    """The route now, after what was known of it. One without objectives is bound by none."""
    if not view.objectives:
        return Found("normal", "it has no objectives", (), Memory())
    judged = tuple(
        judge(seen, view, before.objectives.get(seen.objective.sli, UNKNOWN))
        for seen in view.objectives
    )
    pages = any(one.lit("page") for one in judged)
    review = _review(view, before.review, judged)
    paged_at_s = view.now_s // HOUR_S * HOUR_S + HOUR_S if pages else before.paged_at_s
    if paged_at_s is not None:  # the clock may have been ahead
        paged_at_s = min(paged_at_s, view.now_s // HOUR_S * HOUR_S + HOUR_S)
    state, why = max(
        _reasons(view, judged, paged_at_s, review), key=lambda reason: STATES.index(reason[0])
    )
    exemption = _exemption(view, state)
    memory = Memory(
        objectives={one.seen.objective.sli: one.known for one in judged if one.known != UNKNOWN},
        state=state if exemption is None else exemption.at_most,
        paged_at_s=paged_at_s,
        absent=_is_absent(view, was=before.absent),
        review=review,
        exempt_until_s=before.exempt_until_s if exemption is None else exemption.until_s,
    )
    if exemption is not None:
        why = f"{why}; {exemption.by} allows {exemption.at_most} for now: {exemption.why}"
    return Found(memory.state, why, judged, memory)


def fast_burns(view: View) -> tuple[FastBurn, ...]:
    """The objectives that burn now at the fastest tier, and what of it is a candidate's."""
    found = []
    day_s = burn.tiers(view.budget.period_s)[2].long_s
    for seen in view.objectives:
        target = seen.objective.target
        if seen.counted(day_s).bad < burn.COUNT_TICKET:
            continue
        fastest = burn.fastest(view.budget.period_s, target, seen.counted, view.known_of_s(seen))
        if fastest.fires:
            whole = seen.counted(fastest.tier.long_s)
            found.append(FastBurn(seen.objective.sli, *_shares(seen.canary, whole)))
    return tuple(found)


def _shares(canary: Tally | None, whole: Tally) -> tuple[float | None, float | None]:
    """Of what was bad and of all. Where bad requests are counted, over longer windows, there may be
    none in this one."""
    if canary is None or not whole.bad:
        return None, None
    return canary.bad / whole.bad, canary.judged / whole.judged


def _reasons(
    view: View, judged: tuple[Judged, ...], paged_at_s: float | None, review: Review | None
) -> list[tuple[State, str]]:
    """Every state that something asks for, with what it is."""
    found: list[tuple[State, str]] = [("normal", "enough of every error budget is left")]
    found += [(one.state, _scarce(view, one)) for one in judged if one.state != "normal"]
    for one in judged:
        if one.lit("ticket"):
            found.append(("caution", tells.reason(one, "ticket")))
        if one.lit("page"):
            found.append(("restricted", tells.reason(one, "page")))
    if paged_at_s is not None and view.now_s - paged_at_s < DAY_S:
        found.append(("restricted", "an objective burned fast within the last day"))
    if review is not None:
        cost = f"{review.cost:.0%} of its error budget"
        found.append(("restricted", f"an incident of {review.sli} cost {cost}, and is unreviewed"))
    return found + [_of_money(view, one) for one in view.money]


def _scarce(view: View, one: Judged) -> str:
    """That little is left of an objective's budget; the same as long as the state is."""
    budget, sli = view.budget, one.seen.objective.sli
    if one.state == "frozen":
        return f"the error budget of {sli} is spent; releases wait for {budget.thaw:.0%} of it"
    bound = budget.restricted if one.state == "restricted" else budget.caution
    return f"less than {bound:.0%} of the error budget of {sli} is left"


def _of_money(view: View, one: MoneySeen) -> tuple[State, str]:
    """What an alert of a money budget asks for. What is only foreseen asks for care at most."""
    will = "will have spent" if one.forecast else "has spent"
    why = f"the money budget {one.budget} ({one.scope}) {will} {one.percent} %"
    if one.percent >= view.budget.restricted_percent and not one.forecast:
        return "restricted", why
    return ("caution" if one.percent >= view.budget.caution_percent else "normal"), why


def _review(view: View, before: Review | None, judged: tuple[Judged, ...]) -> Review | None:
    """What is still to be reviewed: of several incidents the dearest."""
    if before is not None and (view.reviewed_at_s or 0.0) >= before.since_s:
        before = None
    for one in judged:
        incident = one.known.incident
        if incident is None or incident.cost <= view.budget.review:
            continue
        if (view.reviewed_at_s or 0.0) >= incident.began_s:
            continue
        if before is None or incident.cost > before.cost:
            before = Review(one.seen.objective.sli, incident.began_s, incident.cost)
    return before


def _exemption(view: View, state: State) -> Exemption | None:
    """The mildest that holds now and changes anything."""
    holding = [
        one
        for one in view.budget.exemptions
        if view.now_s < one.until_s and STATES.index(one.at_most) < STATES.index(state)
    ]
    return min(holding, key=lambda one: STATES.index(one.at_most), default=None)


def _is_absent(view: View, *, was: bool) -> bool:
    """Whether nothing comes though it should, of none of its objectives. It stays so until
    something comes, or nothing is expected any more for a day."""
    if view.in_maintenance or view.comes:
        return False
    period_s, week_ago_per_s = view.budget.period_s, view.week_ago_per_s
    if was:
        return any(burn.came_lately(seen.counted, period_s) for seen in view.objectives)
    return any(burn.is_due(seen.counted, period_s, week_ago_per_s) for seen in view.objectives)


plug: Final = _ErrorBudget()
