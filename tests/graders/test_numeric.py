"""Numbers in an answer."""

import asyncio
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.graders.graded import case, grade

from tidegate.core.grading import Answered
from tidegate.graders.numeric import numbers, plug


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it costs $1,234.50.", ["1234.50"]),
        ("from -3 to +4, 5-6", ["-3", "4", "5", "6"]),
        ("v2 of item7 and 1.5e3", ["1.5e3"]),
        ("1,23 and 1,2345", ["1", "23", "1", "2345"]),
        (".5 or 0.5", ["0.5", "0.5"]),
        ("\N{MINUS SIGN}18", ["-18"]),
        ("9" * 80, []),
        ("none", []),
    ],
)
def test_numbers_of_a_text(text: str, found: list[str]) -> None:
    assert numbers(text) == [Decimal(it) for it in found]


def test_which_number_and_how_far_off() -> None:
    of = case(expected="2 + 2 #### 4")
    assert grade("numeric", {}, "2 and 2 make 4", of).verdict == "pass"
    assert grade("numeric", {"which": "first"}, "2 and 2 make 4", of).verdict == "fail"
    assert grade("numeric", {"which": "only"}, " 4 ", of).verdict == "pass"
    assert grade("numeric", {"which": "only"}, "it is 4", of).verdict == "fail"
    assert grade("numeric", {"absolute": 0.1}, "4.1", of).verdict == "pass"
    assert grade("numeric", {"absolute": 0.1}, "4.11", of).verdict == "fail"
    assert grade("numeric", {}, "four", of).verdict == "fail"
    assert grade("numeric", {}, "4", case(expected="four")).verdict == "error"


SOLVED = Path(__file__).resolve().parents[2].parent / "shared/evals/gsm8k"


@pytest.mark.evals
def test_stored_solutions_of_sums_are_graded_as_they_were() -> None:
    async def marks() -> list[bool]:
        found = []
        for line in (SOLVED / "example_model_solutions.jsonl").read_bytes().splitlines():
            row = msgspec.json.decode(line)
            of = case(expected=row["ground_truth"])
            for said in (it for it in row.values() if isinstance(it, dict)):
                given = await plug.grade(of, Answered(said["solution"]), {}, None)
                found.append((given.verdict == "pass") == said["is_correct"])
        return found

    same = asyncio.run(marks())
    print(f"{sum(same)} of {len(same)}")
    assert len(same) > 5000
    assert all(same)
