"""Answers meet their receipts, whichever comes first."""

import asyncio

from tests.gateway.rig import run

from tidegate.core.grading import Answered
from tidegate.core.receipt import Receipt
from tidegate.evals.receipts import Page, Receipts, Unread, told


def receipt(id: str, **fields: object) -> Receipt:
    made = Receipt(id, 1.0, "g", "chat")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_what_the_receipt_knows_stands_first_and_unknown_is_never_nothing() -> None:
    said = Answered("x", input_tokens=1, output_tokens=2, total_s=9.0, receipt_id="r")
    known = receipt(
        "r", input_tokens=5, cache_read_tokens=3, output_tokens=7, reasoning_tokens=4,
        cost_nanousd=0, model_refusal="full", validity="valid", total_s=1.5, ttft_s=0.5,
        model_wanted="m", model_served="m-1", finish_reason="stop",
    )  # fmt: skip
    assert told(said, known) == Answered(
        "x", None, (), "stop", "full", "valid", 8, 11, 0, 0.5, 1.5, "m", "m-1", "r"
    )
    assert told(said, receipt("r")) == said


def test_early_late_and_missing_receipts_and_a_control_that_is_away() -> None:
    async def main() -> None:
        looks = 0

        def read(cursor: int) -> Page:
            nonlocal looks
            looks += 1
            if looks == 1:
                raise Unread
            if cursor == 0:
                return Page([receipt("a", cost_nanousd=1), receipt("b", cost_nanousd=2)], 7)
            assert cursor == 7
            return Page([], 7)

        async with Receipts(read, patience_s=0.5) as receipts:
            first = await receipts(Answered("x", receipt_id="a"))
            second = await receipts(Answered("x", receipt_id="b"))
            assert (first.cost_nanousd, second.cost_nanousd) == (1, 2)
            missing = Answered("x", receipt_id="c")
            assert await receipts(missing) == missing
            assert await receipts(Answered("x")) == Answered("x")

    run(main())


def test_what_came_before_the_run_is_not_read() -> None:
    async def main() -> None:
        def read(cursor: int) -> Page:
            return Page([receipt("a", cost_nanousd=1)] if cursor >= 5_000_000 else [], cursor)

        async with Receipts(read, patience_s=5, after=5_000_000) as receipts:
            assert (await receipts(Answered("x", receipt_id="a"))).cost_nanousd == 1

    run(main())


def test_nobody_waits_nobody_reads() -> None:
    async def main() -> None:
        def read(cursor: int) -> Page:
            raise AssertionError

        async with Receipts(read):
            await asyncio.sleep(0.01)

    run(main())
