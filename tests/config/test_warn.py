from decimal import Decimal

import pytest
from tests.core.plans import NOW_S, compiled, declared, no_price
from tests.core.revisions import revision

from tidegate.config.load import compile_file
from tidegate.config.warn import (
    about_costs,
    about_limits,
    about_models,
    about_revisions,
)
from tidegate.core.added import Added
from tidegate.core.declared_budgets import DeclaredBudget, Period
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredFacts, DeclaredTarget
from tidegate.core.facts import Facts


def paths(warned):
    return [".".join(w.path) for w in warned]


def test_a_target_of_unknown_cost_is_named_once_where_it_is_written():
    plan = declared(
        targets={"llama": DeclaredTarget("engine", "m")},
        routes={
            "a": DeclaredRoute("llama"),
            "b": DeclaredRoute("llama"),
            "c": DeclaredRoute("engine/x"),
            "d": DeclaredRoute(DeclaredTarget("engine", "m", price="free")),
        },
    )
    assert paths(about_costs(compiled(plan), plan)) == ["targets.llama", "routes.c"]


@pytest.mark.parametrize(
    ("only", "hard", "refused"),
    [
        ({}, True, True),
        ({"team": "growth", "target": "llama"}, True, True),
        ({"route": "b"}, True, True),
        ({"route": "other"}, True, False),
        ({}, False, False),
    ],
)
def test_a_hard_budget_that_can_hold_it_refuses_what_nobody_knows_the_price_of(only, hard, refused):
    plan = declared(
        targets={"llama": DeclaredTarget("engine", "m")},
        routes={
            "a": DeclaredRoute("llama"),
            "b": DeclaredRoute("llama"),
            "other": DeclaredRoute(DeclaredTarget("engine", "n", price="free")),
        },
        budgets={"b": DeclaredBudget(Decimal(5), Period(unit="day"), only=only, hard=hard)},
    )
    [warned] = about_costs(compiled(plan), plan)
    assert ('the budget "b" refuses it' in warned.message) is refused


def test_a_limit_that_a_wider_one_always_speaks_before():
    month = Period(unit="month")
    plan = declared(
        budgets={
            "all": DeclaredBudget(Decimal(50), month),
            "team": DeclaredBudget(Decimal(60), month, scope="team"),
            "key": DeclaredBudget(Decimal(10), month, scope="key"),
        }
    )
    [warned] = about_limits(compiled(plan))
    assert ".".join(warned.path) == "budgets.team"
    assert '"all" allows only $50.00' in warned.message


def test_what_the_file_has_superseded_of_what_was_moved_at_run_time_is_told():
    facts = Facts(
        no_price, added=Added(revisions=(revision(1, "promote", declared(), target="b"),))
    )
    assert list(about_revisions(declared(), facts)) == []
    edited = declared(routes={"chat": DeclaredRoute("other")})
    [warned] = about_revisions(edited, facts)
    assert warned.path == ("routes", "chat", "target")
    assert warned.message == (
        'what was moved at run time (promote "chat/longer" by operator:ana) no longer holds: '
        "the plan file says something else of `target` since"
    )


def test_kept_answers_are_to_be_judged_where_none_are_kept():
    plan = QUALITY.format(judge="mine/llama-3", capture="capture: 5%")
    plan = plan.replace("judge: grader}", "judge: grader, hits: {}}").encode()
    [said] = [str(it) for it in compile_file(plan, {}, 1, 1000.0).warnings if "hits" in str(it)]
    assert "routes.chat.quality.hits: this route keeps no answers" in said


QUALITY = """\
providers: {{mine: {{kind: vllm, base_url: "http://127.0.0.1:9/v1"}}}}
routes:
  grader: {judge}
  chat:
    target: mine/Qwen3-8B
    {capture}
    quality: {{checks: [{{judge_rubric: {{rubric: x}}}}], judge: grader}}
"""


@pytest.mark.parametrize(
    ("judge", "capture", "said"),
    [
        ("mine/llama-3", "capture: 5%", []),
        ("mine/llama-3", "unsupported: drop", ["quality: nothing of this route is captured"]),
        ("mine/qwen-max", "capture: 5%", ["quality.judge: the judge is of the family"]),
        (
            "{target: mine/llama-3, capture: {share: 1%, also: [eval]}}",
            "capture: 5%",
            ["quality.judge: what the judge is asked is captured again"],
        ),
    ],
)
def test_what_grading_of_live_answers_lacks(judge, capture, said):
    plan = QUALITY.format(judge=judge, capture=capture).encode()
    found = [str(it) for it in compile_file(plan, {}, 1, 1000.0).warnings]
    found = [it for it in found if "quality" in it]
    assert len(found) == len(said)
    assert all(f"routes.chat.{want}" in it for want, it in zip(said, found, strict=True))


def test_a_model_that_goes_is_told_by_target_with_its_routes():
    going = DeclaredTarget("engine", "old", facts=DeclaredFacts(retires_on="2026-12-01"))
    routes = {"a": DeclaredRoute("t"), "b": DeclaredRoute("t"), "c": DeclaredRoute(going)}
    plan = declared(targets={"t": going}, routes=routes)
    [of_target, of_route] = sorted(about_models(compiled(plan), plan, NOW_S))
    assert of_target.path == ("routes", "c") and of_target.message.endswith('the route "c"')
    assert of_route.path == ("targets", "t")
    assert "retires on 2026-12-01, in " in of_route.message
    assert of_route.message.endswith('the routes "a", "b"')
    assert list(about_models(compiled(plan), plan, NOW_S - 100 * 86_400)) == []
