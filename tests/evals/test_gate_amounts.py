"""Longer, slower, dearer."""

from random import Random
from typing import Any

import pytest
from tests.evals.runs import pair, side

from tidegate.core.grading import Case
from tidegate.evals.finding import Finding
from tidegate.evals.gate_amounts import findings
from tidegate.evals.outcome import Outcome, Paired

INPUT, OUTPUT = (1.2, 1.5), (1.15, 1.5)


def _found(pairs: list[Paired]) -> dict[str, Finding]:
    return {it.check: it for it in findings(pairs, INPUT, OUTPUT, 0.05)}


def _grown(name: str, ratio: float, count: int = 100, spread: float = 0.2) -> Finding:
    draw = Random(4)
    pairs = [
        pair(
            str(n),
            [True],
            [True],
            before={name: 200 * draw.lognormvariate(0, spread)},
            after={name: 200 * ratio * draw.lognormvariate(0, spread)},
        )
        for n in range(count)
    ]
    return _found(pairs)[name]


def test_input_is_compared_exactly() -> None:
    def of(after: int) -> Finding:
        pairs = [pair("a", [True], [True], after={"input_tokens": after})]
        return _found(pairs)["input_tokens"]

    assert [of(it).verdict for it in (100, 120, 121, 150, 151)] == [
        "pass", "pass", "warn", "warn", "block",
    ]  # fmt: skip


def test_unknown_input_is_no_pass() -> None:
    pairs = [pair("a", [True], [True], after={"input_tokens": None})]
    assert _found(pairs)["input_tokens"].verdict == "inconclusive"


def test_output_twice_as_long_blocks() -> None:
    assert _grown("output_tokens", 2.0).verdict == "block"
    assert _grown("output_tokens", 1.25).verdict == "warn"
    assert _grown("output_tokens", 1.0).verdict == "pass"


def test_few_cases_of_wide_spread_cannot_tell() -> None:
    found = _grown("output_tokens", 1.0, count=5, spread=1.5)
    assert found.verdict == "inconclusive"
    assert found.needs is not None
    assert _grown("output_tokens", 1.0, count=found.needs * 2, spread=1.5).verdict != "inconclusive"


def test_what_nobody_measures_is_left_out_and_a_missing_price_told() -> None:
    free = {"cost_nanousd": None}
    found = _found([pair(it, [True], [True], before=free, after=free) for it in "ab"])
    assert "ttft_s" not in found
    assert found["cost_nanousd"].verdict == "warn"
    assert "price" in found["cost_nanousd"].why


@pytest.mark.parametrize("name", ["output_tokens", "ttft_s", "total_s", "cost_nanousd"])
def test_amounts_of_a_part_of_the_cases_are_no_pass(name: str) -> None:
    equal = [pair(str(n), [True], [True], before={name: 9}, after={name: 9}) for n in range(50)]
    assert _found(equal)[name].verdict == "pass"
    for before, after in ((9, None), (None, 9), (None, None)):
        one = pair("odd", [True], [True], before={name: before}, after={name: after})
        it = _found([*equal, one])[name]
        assert it.verdict == "inconclusive"
        assert f"nobody knows the {name} of 1 of 51 cases" in it.why
    never = [pair(str(n), [True], [True], before={name: 9}, after={name: None}) for n in range(9)]
    assert _found(never)[name].verdict == "inconclusive"


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "total_s", "cost_nanousd"])
def test_amounts_of_a_part_of_the_repeats_are_no_pass(name: str) -> None:
    def of(*repeats: dict[str, Any]) -> tuple[Outcome, ...]:
        return tuple(outcome for it in repeats for outcome in side("x", [True], **it))

    many = [pair(str(n), [True], [True], before={name: 9}, after={name: 9}) for n in range(50)]
    fair, part = of({}, {name: 9}), of({name: None}, {name: 9})
    for odd in (Paired(Case("x"), fair, part), Paired(Case("x"), part, part)):
        assert _found([*many, odd])[name].verdict == "inconclusive"
    assert _found([Paired(Case("x"), part, part)])[name].verdict == "inconclusive"
    declined = of({name: None, "failure": "refused_by_safety"}, {name: 9})
    equal = of({name: 9}, {name: 9})
    assert _found([*many, Paired(Case("x"), equal, declined)])[name].verdict == "pass"


def test_a_case_that_a_provider_declined_has_no_amounts() -> None:
    fair = [pair(str(n), [True], [True]) for n in range(50)]
    nothing = {"failure": "refused_by_safety", "input_tokens": None, "output_tokens": None}
    for sides in ({"after": nothing}, {"before": nothing}, {"before": nothing, "after": nothing}):
        found = _found([*fair, pair("odd", [True], [True], **sides)])
        assert {found[it].verdict for it in ("input_tokens", "output_tokens")} == {"pass"}


def test_an_empty_answer_is_no_infinite_ratio() -> None:
    pairs = [
        pair(str(n), [True], [True], before={"output_tokens": 0}, after={"output_tokens": 1})
        for n in range(5)
    ]
    assert _found(pairs)["output_tokens"].figures["ratio"] == 1.0


def test_the_smallest_growth_that_could_be_seen_is_told() -> None:
    few, many = _grown("output_tokens", 1.0, count=20), _grown("output_tokens", 1.0, count=500)
    assert few.smallest is not None
    assert many.smallest is not None
    assert 1 < many.smallest < few.smallest
