"""Prompts and budgets of ladders. What is wrong with a rung is told of `tests/bad/bad_ladders`."""

from collections.abc import Collection, Iterable, Mapping

import pytest
from msgspec.structs import replace
from tests.core.plans import FixedDialects, declared, no_price

from tidegate.config.load import compile_file
from tidegate.core.compile import PlanRefused, compile_plan
from tidegate.core.declared_ladder import DeclaredRung, DeclaredRungPrompt
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.declared_route_prompt import DeclaredRoutePrompt
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.facts import Facts
from tidegate.core.plan import Route
from tidegate.core.prompt import Input, Prompt, Turn

INPUTS = {
    "support": (Input("question"), Input("product", default='"tea"')),
    "short": (Input("question"), Input("tone", default='"kind"')),
    "needy": (Input("question"), Input("mood")),
}


class Source:
    """Prompts in memory, each with one version."""

    def names(self) -> Iterable[str]:
        return INPUTS

    def tags(self, name: str) -> Mapping[str, str] | None:
        return {"stable": "v1"} if name in INPUTS else None

    def allowed(
        self, name: str, tags: Mapping[str, str], moved: Collection[str] = ()
    ) -> Mapping[str, str]:
        return tags

    def version(self, name: str, version: str) -> Prompt:
        return Prompt(name, version, f"digest-{name}", (Turn("system", "x"),), INPUTS[name])


def route_of(template: str, own: str | None = "support") -> Route:
    smaller = DeclaredRungPrompt(DeclaredRoutePrompt(template))
    wanted = None if own is None else DeclaredRoutePrompt(own)
    asked = DeclaredRoute("engine/m", prompt=wanted, ladder=(DeclaredRung("a", prompt=smaller),))
    facts = replace(Facts(no_price, FixedDialects()), prompts=lambda _: Source())
    plan = replace(declared(routes={"chat": asked}), prompts=DeclaredPrompts("here"))
    return compile_plan(plan, version=1, now_s=0.0, facts=facts).routes["chat"]


def test_a_second_prompt_has_no_more_to_ask_of_its_callers() -> None:
    [rung] = route_of("short").ladder
    assert rung.prompt is not None
    assert rung.prompt.name == "short"


@pytest.mark.parametrize(
    ("template", "own", "why"),
    [
        ("needy", "support", 'it needs the variable "mood", which callers of this route do not'),
        ("short", None, 'it needs the variable "question", which callers of this route do not'),
        ("shor", "support", 'there is no prompt "shor"; did you mean "short"?'),
    ],
)
def test_a_prompt_that_could_never_be_rendered(template: str, own: str | None, why: str) -> None:
    with pytest.raises(PlanRefused) as refused:
        route_of(template, own)
    [complaint] = refused.value.complaints
    assert complaint.path[:5] == ("routes", "chat", "ladder", "0", "prompt")
    assert complaint.message.startswith(why)


BUDGETED = """
providers:
  vllm: {base_url: "http://127.0.0.1:8000/v1"}
routes:
  small:
    target: vllm/m
    ladder: [{name: sorry, apology: "Sorry.", when: {budget: 90%}}]
"""


def test_a_rung_for_budgets_without_one_is_warned_of() -> None:
    found = compile_file(BUDGETED.encode(), {}, 1, 1.0)
    assert found.plan is not None
    said = [str(it) for it in found.warnings]
    assert any("ladder.0.when.budget: no budget that holds" in it for it in said)
    found = compile_file(BUDGETED.replace("budget: 90%", "forecast: 120%").encode(), {}, 1, 1.0)
    assert found.plan is not None
    [rung] = next(iter(found.plan.routes.values())).ladder
    assert rung.when.forecast_percent == 120 and rung.when.words == {"budget"}
    said = [str(it) for it in found.warnings]
    assert any("ladder.0.when.forecast: no budget that holds" in it for it in said)


def test_a_budget_that_degrades_is_told_to_gateways() -> None:
    budget = "budgets:\n  all: {amount: 5, per: day, degrade: true, hard: false, alerts: []}\n"
    found = compile_file((BUDGETED + budget).encode(), {}, 1, 1.0)
    assert found.plan is not None, found.problems
    [limit] = found.plan.limits
    assert (limit.degrades, limit.on_excess) == (True, "alert")
    assert not [it for it in found.warnings if "ladder" in str(it)]
