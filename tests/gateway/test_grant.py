"""Which limits a kept answer counts for, and which no leaves it alone."""

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.cached import ASK, house
from tests.gateway.rig import run

from tidegate.core import plugs
from tidegate.core.plan import Limit
from tidegate.gateway.in_force import InForce, counts_unasked


def in_force(kind: str, **fields: Any) -> InForce:
    return InForce(Limit("l", kind, 10, **fields), plugs.load("limits", kind), None)


@pytest.mark.parametrize(
    ("kind", "counts"),
    [("requests", True), ("concurrency", True), ("tokens", False), ("spend", False)],
)
def test_a_kept_answer_is_a_request_without_tokens_and_money(kind: str, counts: bool) -> None:
    assert counts_unasked(in_force(kind, per_s=60.0)) is counts


@pytest.mark.parametrize("kind", ["requests", "tokens"])
def test_only_what_is_spent_leaves_the_kept_answer(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        amount = 2 if kind == "requests" else 130
        limits = (Limit("the", kind, amount, per_s=86_400.0),)
        async with house(tmp_path, limits=limits) as it:
            replies = [await it.it.ask(body={**ASK, "max_tokens": 5}) for _ in range(3)]
            last = 429 if kind == "requests" else 200
            assert [reply.status for reply in replies] == [200, 200, last]

    run(main())


def test_who_has_to_wait_for_requests_is_refused_on_other_routes_as_ever(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (Limit("the", "tokens", 20, per_s=86_400.0),)
        async with house(tmp_path, limits=limits, deterministic="required") as it:
            reply = await it.it.ask(body={**ASK, "seed": None, "max_tokens": 19})
            assert reply.status == 429
            receipt = await it.it.receipt(1)
            assert (receipt.cache, receipt.refused_by, receipt.holds) == ("bypass", "the", [])

    run(main())
