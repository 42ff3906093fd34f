"""Simulated releases, and what the tests of a release are to find of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.release_judged import Judged
from bench.release_traffic import Outcome, Release, World, harmed
from tidegate.core.harm import HARM
from tidegate.core.rollout import DEFAULT_HARM, HarmMetric, late_guard

DRIFTING = ((10, 0.05, 1.0), (15, 0.2, 2.0), (25, 0.5, 0.7))
CALM = World(interrupted=0.0)
STAYING = World(interrupted=0.0, abandon=0.0)
DOUBLE = World(error=0.04, interrupted=0.0)
ERRORS = (HarmMetric("error", 0.02),)
TOKENS = (HarmMetric("output_tokens", 1.15),)
TTFT = (HarmMetric("ttft", 0.02),)
REFUSALS = (HarmMetric("refusal", 0.02),)
_PARTS = {"error": 3.0, "invalid": 2.0, "refusal": 2.0, "output_tokens": 2.0, "ttft": 2.0}
ALL = tuple(
    HarmMetric(row.name, row.margin, _PARTS.get(row.name, 1.0))
    for row in HARM.values()
    if not row.is_late
)
USUAL = (*DEFAULT_HARM, *map(late_guard, ("quality", "follow_up", "thumbs_down")))
LATE_DRIFTING = ((120, 0.05, 1.0), (90, 0.2, 2.5), (150, 0.5, 0.6))
ONE_IN_A_HUNDRED, THREE = World(error=0.01, interrupted=0.0), World(error=0.03, interrupted=0.0)


@dataclass(frozen=True)
class Case:
    """`asks` is harm (share of releases held back), found (median canary requests to the harm), or
    safe (share that passed the metric `within` so many canary requests). `bar` is the most that
    may be, where `at_least` the least; None where nothing is asked but the figure."""

    name: str
    asks: str
    bar: float | None
    release: Release | Judged
    runs: int = 2000
    at_least: bool = False
    within: int = 1000

    @property
    def asked(self) -> str:
        if self.bar is None:
            return "none"
        bar = f"{self.bar:.0f}" if self.asks == "found" else f"{self.bar:.0%}"
        return f"{'>=' if self.at_least else '<='} {bar}"

    @property
    def counted(self) -> str:
        is_judged = isinstance(self.release, Judged)
        return "judged canary answers" if is_judged else "canary requests"

    def until(self) -> Callable[[Outcome], bool]:
        if self.asks != "safe":
            return harmed
        metric = self.release.harm[0].name
        return lambda said: metric in said.safe_after or said.canary_requests >= self.within


def equal(canary: World, steps: Sequence[tuple[int, float, float]]) -> Release:
    return Release(canary=canary, stable=CALM, harm=ERRORS, steps=tuple(steps))


def tokens(times: float, source: str) -> Release:
    return Release(canary=World(tokens=times), harm=TOKENS, source=source)


def slower(times: float, ttft: str | float, harm: tuple[HarmMetric, ...] = TTFT) -> Release:
    return Release(canary=World(ttft=times), harm=harm, ttft=ttft)


OWN_STEPS = ((10, 0.01, 1.0), (110, 0.05, 1.0))
CASES = (
    Case(
        "A/A, drift, weight steps, sticky users",
        "harm",
        0.05,
        Release(steps=DRIFTING, sway=0.3, harm=ALL, a_user=4, correlation=0.05),
    ),
    Case(
        "the same, correlation 0.4",
        "harm",
        0.06,
        Release(steps=DRIFTING, sway=0.3, harm=ALL, a_user=8, correlation=0.4),
    ),
    Case(
        "the same, 0.4, users all back at every weight",
        "harm",
        0.06,
        Release(steps=DRIFTING, sway=0.3, harm=ALL, a_user=50, correlation=0.4, population=2000),
        500,
    ),
    Case(
        "the same on four machines",
        "harm",
        0.06,
        Release(
            steps=DRIFTING,
            sway=0.3,
            harm=ALL,
            a_user=50,
            correlation=0.4,
            population=2000,
            nodes=4,
        ),
        200,
    ),
    Case(
        "A/A, drift, weight steps, no user twice",
        "harm",
        0.05,
        Release(steps=DRIFTING, sway=0.3, harm=ALL),
    ),
    Case(
        "errors 1 -> 3 %, one metric",
        "found",
        400,
        Release(canary=THREE, stable=ONE_IN_A_HUNDRED, harm=ERRORS),
    ),
    Case(
        "errors 1 -> 3 %, default metrics",
        "found",
        600,
        Release(canary=THREE, stable=ONE_IN_A_HUNDRED),
    ),
    *[
        Case(f"output tokens x1.5, {source}", "found", 100, tokens(1.5, source))
        for source in ("azure", "sharegpt_8k", "arxiv_summarization")
    ],
    Case(
        "output tokens x1.5, azure, default metrics",
        "found",
        100,
        Release(canary=World(tokens=1.5)),
    ),
    Case(
        "output tokens x1.5, sharegpt_8k, default metrics",
        "found",
        100,
        Release(canary=World(tokens=1.5), source="sharegpt_8k"),
    ),
    Case("TTFT x1.3, by the prompt's length", "found", 320, slower(1.3, "prompt")),
    Case("TTFT x1.3, lognormal, deviation 0.5", "found", 320, slower(1.3, 0.5)),
    Case("TTFT x1.3, lognormal, deviation 0.8", "found", 320, slower(1.3, 0.8)),
    Case("TTFT x1.3, an overloaded vLLM's", "found", 320, slower(1.3, "served")),
    Case(
        "TTFT x1.3, lognormal 0.5, default metrics",
        "found",
        320,
        slower(1.3, 0.5, ()),
    ),
    Case(
        "TTFT x1.3, lognormal 0.8, default metrics",
        "found",
        320,
        slower(1.3, 0.8, ()),
    ),
    Case(
        "equal at 2 %, margin 2 points, weight 10 %",
        "safe",
        0.95,
        equal(CALM, [(50, 0.1, 1.0)]),
        at_least=True,
    ),
    Case(
        "the same, and no client leaves",
        "safe",
        0.95,
        replace(equal(STAYING, [(50, 0.1, 1.0)]), stable=STAYING),
        at_least=True,
    ),
    Case(
        "the same after a first step of 1 %, weight 5 %",
        "safe",
        0.95,
        equal(CALM, OWN_STEPS),
        at_least=True,
    ),
    Case(
        "at the margin: 2 and 4 %, weight 10 %",
        "safe",
        0.05,
        equal(DOUBLE, [(50, 0.1, 1.0)]),
    ),
    Case(
        "equal, correlation 0.4, eight requests a user, within 7,000",
        "safe",
        None,
        replace(equal(CALM, [(350, 0.1, 1.0)]), a_user=8, correlation=0.4),
        runs=200,
        at_least=True,
        within=7000,
    ),
    Case(
        "at the margin, correlation 0.4, eight requests a user, within 7,000",
        "safe",
        0.05,
        replace(equal(DOUBLE, [(350, 0.1, 1.0)]), a_user=8, correlation=0.4),
        runs=200,
        within=7000,
    ),
    Case(
        "over-refusal 27 -> 62.5 % (XSTest), one metric",
        "found",
        100,
        Release(
            canary=World(refusals="llama2orig"),
            stable=World(refusals="llama2new"),
            harm=REFUSALS,
        ),
    ),
    Case(
        "over-refusal 27 -> 62.5 % (XSTest), default metrics",
        "found",
        100,
        Release(canary=World(refusals="llama2orig"), stable=World(refusals="llama2new")),
    ),
    Case(
        "judged, A/A: drift, weight steps, a judge wrong on 10 %",
        "harm",
        0.05,
        Judged(steps=LATE_DRIFTING, noise=0.1, a_user=4, correlation=0.05),
    ),
    Case(
        "judged, A/A: the same, correlation 0.4, users all back at every weight",
        "harm",
        0.06,
        Judged(steps=LATE_DRIFTING, noise=0.1, a_user=50, correlation=0.4),
    ),
    Case(
        "rated, A/A: the same drift, a day late, bad ones sooner, users back",
        "harm",
        0.05,
        Judged(
            steps=LATE_DRIFTING,
            a_look=200,
            sampled=None,
            delay_s=86_400.0,
            bad_first=True,
            a_user=8,
            correlation=0.4,
            population=3000,
        ),
        500,
    ),
    Case("judged bad 10 -> 25 %, one metric", "found", 100, Judged(canary=0.25)),
    Case(
        "judged bad 10 -> 25 %, default metrics",
        "found",
        200,
        Judged(canary=0.25, harm=USUAL),
    ),
    Case(
        "judged bad 10 -> 25 %, one metric, a judge wrong on 10 %",
        "found",
        None,
        Judged(canary=0.25, noise=0.1),
    ),
    Case("scores 4.2 -> 3.7, bad below 3.5, one metric", "found", 78, Judged(scores=(4.2, 3.7))),
    Case(
        "scores 4.2 -> 3.7, by their mean instead",
        "found",
        None,
        Judged(scores=(4.2, 3.7), by_mean=True),
    ),
    Case(
        "scores 4.2 -> 3.9, bad below 3.5, one metric",
        "found",
        None,
        Judged(scores=(4.2, 3.9)),
    ),
    Case(
        "scores 4.2 -> 3.9, by their mean instead",
        "found",
        None,
        Judged(scores=(4.2, 3.9), by_mean=True),
    ),
    Case(
        "judged equal at 10 %, margin 5 points",
        "safe",
        None,
        Judged(steps=((700, 0.1, 1.0),)),
        runs=500,
        at_least=True,
        within=1200,
    ),
    Case(
        "judged at the margin: 10 and 15 %",
        "safe",
        0.05,
        Judged(canary=0.15, steps=((700, 0.1, 1.0),)),
        runs=500,
        within=1200,
    ),
)
