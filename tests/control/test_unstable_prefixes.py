"""Captured questions compared, at the plan's prices."""

import msgspec
from tests.stores import rig

from tidegate.control.unstable_prefixes import compared
from tidegate.core.plan import Plan, Release, Route, Target
from tidegate.core.price import Price, Rate
from tidegate.stores.questions import Question

CACHED = Price("v", "plan", input=Rate(2_000_000_000), cache_read=Rate(200_000_000))


def plan(price: Price | None = CACHED) -> Plan:
    target = Target("big", "house", "openai", "m", (), price=price)
    routes = {name: Route(name, Release("r", target)) for name in ("chat", "quiet")}
    return Plan(1, "d", rig.NOON_S, routes)


def questions(count: int = 9, **fields: str | None) -> list[Question]:
    made = []
    for number in range(count):
        rules = "Say what you mean and mean what you say. " * 1
        system = "".join(f"{at} {rules}" for at in range(200))
        told = [{"role": "system", "content": f"It is 2026-03-0{number % 9 + 1}.\n{system}"}]
        usual = ("chat", "7", "m", "big", msgspec.json.encode(told).decode(), None)
        values = dict(zip(Question.__struct_fields__[1:], usual, strict=True))
        made.append(Question(str(number), **{**values, **fields}))  # type: ignore[arg-type]
    return made


def test_what_it_costs_a_day_is_at_the_target_s_price() -> None:
    page = compared(questions(), plan(), {("chat", "7", "m"): 1000})
    [only] = page.unstable
    assert (only.route, only.found.kind, only.exact) == ("chat", "date", False)
    assert only.found.saved_tokens > 1000
    assert only.saved_a_day_nanousd == only.found.saved_tokens * 1000 * 1800
    assert (page.too_few, page.uncaptured) == (0, ["quiet"])


def test_without_a_rate_of_cached_input_nobody_knows() -> None:
    for price in (None, Price("v", "plan", input=Rate(1))):
        [only] = compared(questions(), plan(price), {}).unstable
        assert (only.saved_a_day_nanousd, only.requests_a_day) == (None, 0)
    [only] = compared(questions(target="gone"), plan(), {}).unstable
    assert only.saved_a_day_nanousd is None


def test_groups_are_compared_apart_and_those_too_small_are_counted() -> None:
    several = [*questions(), *questions(prompt_version="8", model=None), *questions(2, route="x")]
    broken = questions(6, route="y", messages="{")
    page = compared([*several, *broken], plan(), {})
    assert {(it.prompt_version, it.model) for it in page.unstable} == {("7", "m"), ("8", "")}
    assert page.too_few == 2


def test_a_model_whose_tokenizer_is_known_is_counted_exactly() -> None:
    [only] = compared(questions(5, model="gpt-4o-mini"), plan(), {}).unstable
    assert only.exact
