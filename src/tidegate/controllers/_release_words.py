"""What the release controller sees at one tick, and where a rollout stands between two.

Durations are counted in seconds of the loop at work (`active_s`): neither a stopped loop nor a
clock that was set adds to them. Wall-clock seconds are for people only.
"""

from typing import Literal

from msgspec import Struct

from tidegate.core.rollout import Rollout
from tidegate.core.rollout_state import State
from tidegate.core.signal import Signal

# What a move does beside the new state. `advance` goes to the next weight, the others revise.
Effect = Literal["", "start", "advance", "promote", "withdraw", "restore", "retire"]


class Standing(Struct, frozen=True, omit_defaults=True):
    """Where a rollout stands, and why: in words, and `by` which row. `step` counts from 0.

    `clock_s` is when, in `active_s`, its step began, or its shadow, pause or soak, and
    `requests_before` how many requests the candidate had served then. `back_to` is where `resume`
    leads, and `asked_for` that a person paused it. `is_void`: its sample was not as assigned, so
    that what was counted counts no longer. `approved_by` are the people who let it take its next
    gate, `gates` the checks that it passed, `shadowed_s` when copies for it began, `copied_as` by
    which names receipts told of them, `skipped` that a person took the analysis of this step on
    themselves, `waived` that one did so with the certificates that it lacks, `shift_told` that
    people know of answers of another length. `burned` are the objectives that burn since before its
    promotion, and are not held against it.
    """

    state: State = "created"
    step: int = 0
    since_s: float = 0.0
    clock_s: float = 0.0
    why: str = ""
    waits_for: tuple[str, ...] = ()
    requests_before: int = 0
    back_to: State = "step"
    asked_for: bool = False
    is_void: bool = False
    approved_by: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    skipped: bool = False
    waived: bool = False
    shift_told: bool = False
    burned: tuple[str, ...] = ()
    by: str = ""
    shadowed_s: float | None = None
    copied_as: tuple[str, ...] = ()


class Finding(Struct, frozen=True, omit_defaults=True):
    """What the blocks so far have shown, each entry in words.

    `hard` are limits that act at once, `harmed` metrics that are shown to be worse, `shifted` that
    answers have another length, which is told at the first step. `harmed_late` are those of the
    harmed that are found of answers afterwards. `unsafe` are metrics not yet shown to be safe, of
    those that have to be, `unproven` the others, `missing` those without data whose absence pauses,
    `failed` those whose absence ends it. `units` and `requests` are the candidate's, in all.
    """

    hard: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()
    harmed_late: tuple[str, ...] = ()
    shifted: str = ""
    unsafe: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    ratio_broken: bool = False
    units: int = 0
    requests: int = 0
    evidence: tuple[Signal, ...] = ()


class ShadowSeen(Struct, frozen=True, omit_defaults=True):
    """Copies of requests that the candidate has answered, and how many of them were bad. They have
    cost `cost_nanousd`, of all gateways and since the first of them, but for `unpriced` of the
    `copies`, whose cost nobody knows. `name` is by which receipts tell of it now, where they are to
    be told from another's."""

    requests: int = 0
    failed: int = 0
    invalid: int = 0
    copies: int = 0
    cost_nanousd: int = 0
    unpriced: int = 0
    name: str | None = None


class Burning(Struct, frozen=True):
    """An objective of the route burns its budget at the fastest tier. `canary_bad` is the
    candidate's share of the bad requests, `canary_traffic` its share of all; None: not known. Of a
    latency `within_s` is what is good, of a turn with `per_output_token_s` more for each token."""

    objective: str
    canary_bad: float | None
    canary_traffic: float | None
    within_s: float | None = None
    per_output_token_s: float = 0.0


class Bounds(Struct, frozen=True, omit_defaults=True):
    """What binds a release from outside. `policy_rank` is of the error budget: 0 normal, 1 caution,
    2 restricted, 3 frozen; while it is restricted so many `approvers` say yes to a fix. `refusal`
    is why the plan did not take what was last asked of it, and `obeyed` that every gateway serves
    what it took. `uncertified` is what of it has no certificate and needs one, each in words, and
    `not_graded` why the route's answers are not graded though they should be."""

    policy_rank: int = 0
    approvers: int = 2
    frozen: bool = False
    in_hours: bool = True
    refusal: str = ""
    obeyed: bool = True
    burning: tuple[Burning, ...] = ()
    uncertified: tuple[str, ...] = ()
    not_graded: str = ""


class Wishes(Struct, frozen=True, omit_defaults=True):
    """What people ask at this tick, each with who and why; empty where nobody does."""

    start: str = ""
    pause: str = ""
    resume: str = ""
    rollback: str = ""
    skip: str = ""


class Sight(Struct, frozen=True):
    """Everything that one move is decided by."""

    rollout: Rollout
    standing: Standing
    finding: Finding
    bounds: Bounds
    shadow: ShadowSeen
    wishes: Wishes
    now_s: float
    active_s: float
