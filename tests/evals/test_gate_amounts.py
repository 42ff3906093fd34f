"""Longer, slower, dearer."""

from random import Random

from tests.evals.runs import pair

from tidegate.evals.finding import Finding
from tidegate.evals.gate_amounts import findings
from tidegate.evals.outcome import Paired

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


def test_what_nobody_measured_is_left_out() -> None:
    pairs = [pair("a", [True], [True]), pair("b", [True], [True])]
    assert "cost_nanousd" not in _found(pairs)
    assert "ttft_s" not in _found(pairs)


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
