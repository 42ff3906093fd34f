"""Routes and their prompts: what is not to be had is said where it is wanted."""

from collections.abc import Collection, Iterable, Mapping

import pytest
from msgspec.structs import replace
from tests.core.plans import FixedDialects, declared, no_price

from tidegate.core.added import Added
from tidegate.core.compile import PlanRefused, compile_plan
from tidegate.core.compile_prompts import MAX_PROMPT_BYTES
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.declared_route_prompt import DeclaredRoutePrompt
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.facts import Facts
from tidegate.core.plan import Plan
from tidegate.core.prompt import Prompt, TagFlip, Turn

HERE = DeclaredPrompts("prompts")


class Fixed:
    """Prompts in memory."""

    def __init__(self, tags: Mapping[str, Mapping[str, str]], broken: Iterable[str] = ()) -> None:
        self._tags = tags
        self._broken = set(broken)
        self.text = "You answer."

    def names(self) -> Iterable[str]:
        return self._tags

    def tags(self, name: str) -> Mapping[str, str] | None:
        return self._tags.get(name)

    def allowed(
        self, name: str, tags: Mapping[str, str], moved: Collection[str] = ()
    ) -> Mapping[str, str]:
        return tags

    def version(self, name: str, version: str) -> Prompt:
        if version in self._broken or not version.startswith("v"):
            raise ValueError(f"{name}/{version}.jinja2:3:1: there is no such version")
        return Prompt(name, version, f"digest-{version}", (Turn("system", self.text),))


def plan(
    wanted: DeclaredRoutePrompt | None,
    source: Fixed | None,
    *,
    prompts: DeclaredPrompts | None = HERE,
    flips: tuple[TagFlip, ...] = (),
    **route: object,
) -> Plan:
    asked = DeclaredRoute("engine/m", prompt=wanted, **route)
    found = declared(routes={"a": asked})
    known = replace(
        Facts(no_price, FixedDialects()),
        added=Added(flips=flips),
        prompts=None if source is None else lambda _: source,
    )
    return compile_plan(replace(found, prompts=prompts), version=1, now_s=0.0, facts=known)


def complaint(*arguments: object, **named: object) -> tuple[str, str]:
    with pytest.raises(PlanRefused) as refused:
        plan(*arguments, **named)
    first = refused.value.complaints[0]
    return ".".join(first.path), first.message


def flip(version: str | None, base: str | None, seq: int = 1, tag: str = "stable") -> TagFlip:
    return TagFlip(seq, f"f{seq}", "support", tag, version, base, "operator:ana", "why", 1.0)


SUPPORT = DeclaredRoutePrompt("support")


def test_a_route_has_the_version_that_its_tag_points_at() -> None:
    found = plan(SUPPORT, Fixed({"support": {"stable": "v1", "canary": "v2"}}))
    assert found.prompts["support"].tags == {"stable": "v1", "canary": "v2"}
    assert sorted(found.prompts["support"].versions) == ["v1", "v2"]
    prompt = found.routes["a"].prompt
    assert prompt is not None and (prompt.name, prompt.tag) == ("support", "stable")


def test_another_version_is_another_release() -> None:
    one = plan(SUPPORT, Fixed({"support": {"stable": "v1"}}))
    two = plan(SUPPORT, Fixed({"support": {"stable": "v2"}}))
    assert one.routes["a"].release.name != two.routes["a"].release.name
    assert one.digest != two.digest


def test_a_version_may_be_named_that_no_tag_points_at() -> None:
    found = plan(DeclaredRoutePrompt("support", version="v7"), Fixed({"support": {"stable": "v1"}}))
    assert sorted(found.prompts["support"].versions) == ["v1", "v7"]


@pytest.mark.parametrize(
    ("wanted", "path", "words"),
    [
        (DeclaredRoutePrompt("suport"), "routes.a.prompt.name", 'did you mean "support"'),
        (DeclaredRoutePrompt("support", tag="beta"), "routes.a.prompt.tag", "no version of"),
        (DeclaredRoutePrompt("support", version="x"), "routes.a.prompt.version", ":3:1"),
        (
            DeclaredRoutePrompt("support", allow_tags=("stable", "beta")),
            "routes.a.prompt.allow_tags.1",
            "no version of",
        ),
    ],
)
def test_what_is_not_to_be_had_is_said_in_its_place(
    wanted: DeclaredRoutePrompt, path: str, words: str
) -> None:
    where, what = complaint(wanted, Fixed({"support": {"stable": "v1"}}))
    assert where == path
    assert words in what


def test_a_broken_version_is_said_where_a_route_wants_it_and_left_out_elsewhere() -> None:
    source = Fixed({"support": {"stable": "v1"}, "other": {"stable": "v2"}}, broken=["v2"])
    assert sorted(plan(SUPPORT, source).prompts) == ["support"]
    assert complaint(DeclaredRoutePrompt("other"), source)[0] == "routes.a.prompt.tag"


def test_a_prompt_without_a_repository_and_beside_a_system_prompt_is_refused() -> None:
    assert "`prompts` is missing" in complaint(SUPPORT, None, prompts=None)[1]
    source = Fixed({"support": {"stable": "v1"}})
    assert complaint(SUPPORT, source, system_prompt="x")[0] == "routes.a.system_prompt"


def test_a_repository_that_cannot_be_read_is_said() -> None:
    class Away(Fixed):
        def __init__(self) -> None:
            raise ValueError("prompts: there is no such folder")

    asked = replace(declared(routes={"a": DeclaredRoute("engine/m")}), prompts=HERE)
    known = replace(Facts(no_price, FixedDialects()), prompts=lambda _: Away())
    with pytest.raises(PlanRefused, match="no such folder"):
        compile_plan(asked, version=1, now_s=0.0, facts=known)


def test_where_nobody_reads_prompts_a_route_is_believed() -> None:
    assert plan(SUPPORT, None).routes["a"].prompt is not None


@pytest.mark.parametrize(
    ("flips", "declared_tags", "served"),
    [
        ((flip("v2", "v1"),), {"stable": "v1"}, "v2"),
        ((flip("v2", "v1"),), {"stable": "v2"}, "v2"),
        ((flip("v2", "v1"),), {"stable": "v3"}, "v3"),
        ((flip("v2", "v1"), flip("v1", "v1", 2)), {"stable": "v1"}, "v1"),
        ((flip("v2", "v1"), flip("v3", "v1", 2)), {"stable": "v2"}, "v2"),
        ((flip("v2", None),), {}, "v2"),
    ],
)
def test_a_flip_stands_until_the_file_says_another_word(
    flips: tuple[TagFlip, ...], declared_tags: dict[str, str], served: str
) -> None:
    found = plan(SUPPORT, Fixed({"support": declared_tags}), flips=flips)
    assert found.prompts["support"].tags == {"stable": served}


def test_a_tag_that_was_taken_away_is_gone() -> None:
    source = Fixed({"support": {"stable": "v1", "canary": "v2"}})
    found = plan(SUPPORT, source, flips=(flip(None, "v2", tag="canary"),))
    assert found.prompts["support"].tags == {"stable": "v1"}


def test_more_than_a_plan_can_carry_is_refused() -> None:
    source = Fixed({"support": {"stable": "v1"}})
    source.text = "x" * MAX_PROMPT_BYTES
    path, words = complaint(SUPPORT, source)
    assert path == "prompts"
    assert "a plan carries" in words
