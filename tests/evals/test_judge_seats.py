"""Each judge of a plan is there once, for all routes whose answers it looks at."""

from decimal import Decimal
from typing import Any

import msgspec
from tests.evals.online_room import declared

from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.grading import judge_digest
from tidegate.evals.judge_seats import most_nanousd_per_day, parameters_of, seats_of

KIND = {"judge_rubric": {"rubric": "kind"}, "metric": "kindness"}
TRUE = {"judge_rubric": {"rubric": "true"}}


def quality(*checks: Any, **fields: Any) -> DeclaredQuality:
    plain: dict[str, Any] = {"judge": "referee", "anchors": "evals/a.jsonl"}
    return DeclaredQuality(checks=msgspec.json.encode(checks).decode(), **{**plain, **fields})


def test_the_same_judge_of_several_routes_is_one() -> None:
    plan = declared({"chat": quality(KIND, "contains", TRUE), "mail": quality(KIND)})
    kind, true = seats_of(plan)
    assert (kind.name, kind.route, kind.used_by) == ("kindness", "referee", ("chat", "mail"))
    assert (true.name, true.used_by) == ("judge_rubric", ("chat",))
    assert kind.id != true.id


def test_another_route_rubric_or_parameter_is_another_seat() -> None:
    other = (
        quality(KIND, judge="other"),
        quality(TRUE),
        quality(KIND, judge_parameters='{"temperature": 0}'),
    )
    named = {f"r{n}": it for n, it in enumerate((quality(KIND), *other))}
    assert len({it.id for it in seats_of(declared(named))}) == 4


def test_one_is_held_against_the_anchors_of_all_its_routes() -> None:
    files = {"a": "x.jsonl", "b": "y.jsonl", "c": "x.jsonl"}
    [seat] = seats_of(declared({it: quality(KIND, anchors=file) for it, file in files.items()}))
    assert (seat.anchors, seat.used_by) == (("x.jsonl", "y.jsonl"), ("a", "b", "c"))


def test_what_has_no_anchors_or_compares_two_is_held_against_nobody() -> None:
    nobody = {
        "a": quality(KIND, anchors=None),
        "b": quality(KIND, judge=None),
        "c": DeclaredQuality(judge="referee", anchors="a.jsonl"),
        "d": quality("judge_pairwise", "contains"),
        "e": None,
    }
    assert seats_of(declared(nobody)) == []


def test_a_judge_of_a_group_is_one_by_itself() -> None:
    group = {"group": {"checks": [{"grader": "judge_rubric", "options": {"rubric": "kind"}}]}}
    [seat] = seats_of(declared({"chat": quality(group, KIND)}))
    assert seat.check.grader == "judge_rubric"


def test_its_digest_is_the_one_by_which_runs_know_it() -> None:
    warm = quality(KIND, judge_parameters='{"temperature": 0, "seed": [1]}')
    assert parameters_of(warm) == (("seed", "[1]"), ("temperature", "0"))
    [seat] = seats_of(declared({"chat": warm}))
    assert seat.digest("m-1") == judge_digest(seat.prompt, "m-1", {"seed": [1], "temperature": 0})


def test_money_of_a_judge_is_that_of_all_its_routes() -> None:
    both = {name: quality(KIND, most_usd_per_day=Decimal("0.5")) for name in ("a", "b")}
    plan = declared({**both, "c": quality(KIND, judge="other"), "d": None})
    assert most_nanousd_per_day(plan, "referee") == 1_000_000_000
    assert most_nanousd_per_day(plan, "nobody") == 0
