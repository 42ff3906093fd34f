"""What may be stable: another model, another snapshot, a forged or old paper certify nothing."""

from collections.abc import Collection, Iterable, Mapping

import pytest
from msgspec.structs import replace
from tests.core.test_certificate import NOW_S, PLAIN, SECRET
from tests.gateway.rig import plan_of, target
from tests.gateway.routed import routed

from tidegate.control.certifying import Certified, CertifiedSource, models_of
from tidegate.core.certificate import Certificate, signed
from tidegate.core.plan import Plan
from tidegate.core.prompt import Pin, Prompt, RoutePrompt, Tagged, Turn


def prompt(version: str = "v4", **fields: object) -> Prompt:
    digest = PLAIN.digest if version == "v4" else f"digest-{version}"
    return Prompt("support", version, digest, (Turn("system", "x"),), **fields)  # type: ignore[arg-type]


def certified(
    *kept: Certificate, snapshots: Mapping[tuple[str, str, str], frozenset[str]] | None = None
) -> Certified:
    def of(digest: str) -> list[Certificate]:
        return [it for it in kept if it.digest == digest]

    return Certified(of, (SECRET,), NOW_S, snapshots)


def plan(model: str = "m-1", served: str = "v3", **wanted: object) -> Plan:
    routes = routed(target(1, "a", model=model), prompt=RoutePrompt("support", **wanted))  # type: ignore[arg-type]
    known = Tagged("support", {"stable": served}, {served: prompt(served)})
    return plan_of(routes=routes, prompts={"support": known})


def test_a_paper_certifies_one_version_at_one_model() -> None:
    held = certified(signed(PLAIN, SECRET))
    assert held.missing(prompt(), ["m-1"]) == []
    assert [it.model for it in held.missing(prompt(), ["m-1", "m-2"])] == ["m-2"]
    assert held.missing(prompt("v5"), ["m-1"])[0].why == "no gate was passed"


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (PLAIN, "not written by this installation"),
        (signed(PLAIN, b"other" * 8), "not written by this installation"),
        (signed(replace(PLAIN, expires_at_s=NOW_S - 1), SECRET), "expired"),
    ],
)
def test_a_forged_or_old_one_certifies_nothing(kept: Certificate, why: str) -> None:
    [missing] = certified(kept).missing(prompt(), ["m-1"])
    assert why in missing.why
    assert str(missing).startswith("uncertified_pair: support@v4 at m-1")


def test_the_paper_of_another_version_certifies_nothing_in_its_row() -> None:
    paper = signed(replace(PLAIN, digest="another"), SECRET)
    held = Certified(lambda _: [paper], (SECRET,), NOW_S)
    assert held.missing(prompt(), ["m-1"])[0].why == "no gate was passed"


def test_a_provider_that_answers_as_another_voids_it() -> None:
    paper = signed(replace(PLAIN, snapshot="m-1-2026"), SECRET)
    served = {("support", "v4", "m-1"): frozenset({"m-1-2026"})}
    assert certified(paper, snapshots=served).missing(prompt(), ["m-1"]) == []
    other = {("support", "v4", "m-1"): frozenset({"m-1-2026", "m-1-2027"})}
    [missing] = certified(paper, snapshots=other).missing(prompt(), ["m-1"])
    assert "m-1-2027" in missing.why
    fresh = signed(replace(PLAIN, id="c2", snapshot="m-1-2027"), SECRET)
    assert certified(fresh, paper, snapshots=other).missing(prompt(), ["m-1"]) == []


def test_it_is_asked_at_its_pins_and_at_what_routes_ask_by_it() -> None:
    assert models_of(plan(), prompt(pins=(Pin("m-7"),))) == {"m-1", "m-7"}
    assert models_of(plan(version="v3"), prompt()) == frozenset()
    assert models_of(plan(tag="canary", allowed=("stable",)), prompt()) == {"m-1"}
    assert models_of(plan(tag="canary"), prompt()) == frozenset()


TAGS = {"stable": "v4", "canary": "v5"}


class Fixed:
    def __init__(self, **tags: str) -> None:
        self._tags = tags

    def names(self) -> Iterable[str]:
        return ["support"]

    def tags(self, name: str) -> Mapping[str, str] | None:
        return self._tags if name == "support" else None

    def allowed(
        self, name: str, tags: Mapping[str, str], moved: Collection[str] = ()
    ) -> Mapping[str, str]:
        return tags

    def version(self, name: str, version: str) -> Prompt:
        if version == "broken":
            raise ValueError("it is broken")
        return prompt(version)


def test_stable_stays_where_it_was_until_there_is_a_paper() -> None:
    source = Fixed(**TAGS)
    held = CertifiedSource(source, plan(), certified())
    assert held.allowed("support", TAGS) == {"stable": "v3", "canary": "v5"}
    assert [it.version for it in held.refused] == ["v4"]
    held = CertifiedSource(source, plan(), certified(signed(PLAIN, SECRET)))
    assert held.allowed("support", TAGS) == TAGS
    assert held.refused == []


def test_what_never_was_stable_begins_without_and_the_broken_is_told_elsewhere() -> None:
    empty = plan_of(target(1, "a"))
    for known in (empty, None):
        assert CertifiedSource(Fixed(**TAGS), known, certified()).allowed("support", TAGS) == TAGS
    broken = CertifiedSource(Fixed(stable="broken"), plan(), certified())
    assert broken.allowed("support", {"stable": "broken"}) == {"stable": "broken"}
    assert broken.tags("other") is None
