"""Simulated releases through the product's own fold and analysis: what is found, what wrongly.

The fast form has few releases and made lengths; the long form is the bench's, 2,000 releases each.
"""

from dataclasses import replace

import pytest
from bench.release_cases import CASES, Case
from bench.release_judged import Judged
from bench.release_stats import measure
from bench.release_traffic import TRACES, World

NEEDS_TRACES = ("served", "XSTest", "vLLM", "sharegpt", "arxiv")
# Name: releases that are enough to tell a broken test from one that works.
FAST = {
    "A/A, drift, weight steps, sticky users": 6,
    "the same, correlation 0.4": 6,
    "errors 1 -> 3 %, one metric": 15,
    "errors 1 -> 3 %, default metrics": 10,
    "output tokens x1.5, azure": 15,
    "TTFT x1.3, lognormal, deviation 0.5": 10,
    "equal at 2 %, margin 2 points, weight 10 %": 10,
    "judged, A/A: the same, correlation 0.4, users all back at every weight": 10,
    "judged bad 10 -> 25 %, one metric": 15,
}
# Name: how far the bar is missed, as docs/releases-statistics.md says; no further.
MISSED = {
    "equal at 2 %, margin 2 points, weight 10 %": 0.92,
    "the same, and no client leaves": 0.92,
    "the same after a first step of 1 %, weight 5 %": 0.92,
}


def made(case: Case) -> Case:
    if isinstance(case.release, Judged):
        return case
    return replace(case, release=replace(case.release, source="made"))


@pytest.mark.parametrize("name", FAST)
def test_a_few_releases(name):
    case = next(case for case in CASES if case.name == name)
    figure = measure(made(case), FAST[name], seed=5_000_000)
    if case.asks == "harm":
        assert figure.share <= 1 / FAST[name]
    elif case.asks == "safe":
        assert figure.share >= 0.7
    else:
        assert figure.share >= 0.8
        assert figure.median <= 1.4 * case.bar


def test_a_model_that_refuses_harmless_prompts_is_held_back():
    case = next(case for case in CASES if "XSTest" in case.name)
    refusing = replace(
        case.release,
        canary=World(refusal=0.625),
        stable=World(refusal=0.27),
        source="made",
    )
    figure = measure(replace(case, release=refusing), 5)
    assert figure.share == 1
    assert figure.median <= case.bar


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_bar(case):
    if not TRACES.is_dir():
        assert not any(word in case.name for word in NEEDS_TRACES), f"no traces at {TRACES}"
        case = made(case)
    figure = measure(replace(case, bar=MISSED.get(case.name, case.bar)), case.runs)
    print(figure)
    assert figure.is_kept
