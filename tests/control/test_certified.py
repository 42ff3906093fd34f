"""Another model, another snapshot, a forged or old paper certify nothing; what is asked at what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.certifieds import certified, plan, prompt, route
from tests.core.test_certificate import NOW_S, PLAIN, SECRET

from tidegate.control.certified import (
    ANY,
    Certified,
    models_at,
    models_of,
    served_pairs,
    version_of,
)
from tidegate.core.certificate import Certificate, Fingerprint, signed
from tidegate.core.prompt import Pin, RoutePrompt


def test_a_paper_certifies_one_version_at_one_model() -> None:
    held = certified(signed(PLAIN, SECRET))
    assert held.missing(prompt(), ["m-1"]) == []
    assert [it.model for it in held.missing(prompt(), ["m-1", "m-2"])] == ["m-2"]
    assert held.missing(prompt("v5"), ["m-1"])[0].why == "no gate was passed"


@given(st.sets(st.sampled_from(["m-1", "m-2", "m-3"])), st.sets(st.sampled_from(["m-1", "m-3"])))
def test_what_is_missing_is_what_is_wanted_and_has_no_paper(
    wanted: set[str], papers: set[str]
) -> None:
    held = certified(*(signed(replace(PLAIN, id=it, model=it), SECRET) for it in papers))
    found = {it.model for it in held.missing(prompt(), wanted)}
    assert found == (wanted - papers if wanted else set() if papers else {ANY})


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
    [nowhere] = certified(kept).missing(prompt(), [])
    assert (nowhere.model, why in nowhere.why) == (ANY, True)


def test_the_paper_of_another_version_certifies_nothing_in_its_row() -> None:
    paper = signed(replace(PLAIN, digest="another"), SECRET)
    held = Certified(lambda _: [paper], (SECRET,), NOW_S)
    assert held.missing(prompt(), ["m-1"])[0].why == "no gate was passed"


def test_a_provider_that_answers_as_another_voids_it() -> None:
    paper = signed(replace(PLAIN, snapshot="m-1-2026"), SECRET)
    place, later_s = ("support", "v4", "m-1"), NOW_S + 9
    same = {place: {"m-1-2026": later_s, "m-1-2025": NOW_S - 9}}
    assert certified(paper, snapshots=same).missing(prompt(), ["m-1"]) == []
    other = {place: {"m-1-2026": later_s, "m-1-2027": later_s}}
    [missing] = certified(paper, snapshots=other).missing(prompt(), ["m-1"])
    assert "m-1-2027" in missing.why
    fresh = signed(replace(PLAIN, id="c2", snapshot="m-1-2027"), SECRET)
    assert certified(fresh, paper, snapshots=other).missing(prompt(), ["m-1"]) == []


def test_only_the_newest_paper_says_that_its_provider_told_no_snapshot() -> None:
    told = replace(PLAIN, id="c2", snapshot="m-1-2026")
    silent = replace(PLAIN, snapshot=None)
    moved_on = {("support", "v4", "m-1"): {"m-1-2027": NOW_S + 9}}

    def missing(*papers: Certificate) -> list[str]:
        signs = (signed(it, SECRET) for it in papers)
        return [it.why for it in certified(*signs, snapshots=moved_on).missing(prompt(), ["m-1"])]

    assert missing(silent) == []
    assert (
        missing(replace(silent, issued_at_s=NOW_S - 5), replace(told, issued_at_s=NOW_S - 9)) == []
    )
    [why] = missing(replace(told, issued_at_s=NOW_S - 5), replace(silent, issued_at_s=NOW_S - 9))
    assert "m-1-2027" in why


A, B, ELSEWHERE = (Fingerprint(*it) for it in (("up", "fp_a"), ("up", "fp_b"), ("other", "fp_c")))


@pytest.mark.parametrize(
    ("told", "served", "void"),
    [
        ((A,), {A: 9}, False),
        ((A,), {A: 9, B: 9}, True),
        ((A,), {B: -9}, False),  # before it was issued
        ((A, B), {A: 9, B: 9}, False),  # both have answered in the run
        ((), {B: 9}, False),  # nothing told in the run
        ((A,), {}, False),  # nothing told since
        ((A,), {ELSEWHERE: 9}, False),  # of whom the run told nothing
    ],
)
def test_another_build_voids_it_and_an_unknown_one_does_not(
    told: tuple[Fingerprint, ...], served: dict[Fingerprint, float], void: bool
) -> None:
    paper = signed(replace(PLAIN, fingerprints=told), SECRET)
    at = {("support", "v4", "m-1"): {it: NOW_S + since_s for it, since_s in served.items()}}
    missing = certified(paper, fingerprints=at).missing(prompt(), ["m-1"])
    whys = ["up answers with the fingerprint fp_b now, which was not tried"] if void else []
    assert [it.why for it in missing] == whys


def test_what_any_valid_paper_tried_is_known_and_the_newest_says_whose_builds_count() -> None:
    old = replace(PLAIN, issued_at_s=NOW_S - 9, fingerprints=(A,))
    at = {("support", "v4", "m-1"): {A: NOW_S + 9, B: NOW_S + 9}}

    def missing(newest: Certificate) -> int:
        kept = (signed(it, SECRET) for it in (newest, old))
        return len(certified(*kept, fingerprints=at).missing(prompt(), ["m-1"]))

    newest = replace(PLAIN, id="c2")
    assert missing(replace(newest, fingerprints=(B,))) == 0
    assert missing(newest) == 0
    assert missing(replace(newest, fingerprints=(replace(A, fingerprint="fp_z"),))) == 1


def test_it_is_asked_at_its_pins_and_at_what_routes_ask_by_it() -> None:
    assert models_of(plan(), prompt(pins=(Pin("m-7"),))) == {"m-1", "m-7"}
    assert models_of(plan(version="v3"), prompt()) == frozenset()
    assert models_of(plan(tag="canary", allowed=("stable",)), prompt()) == {"m-1"}
    assert models_of(plan(tag="canary"), prompt()) == frozenset()
    assert models_at(route("m-1", falls_back_to="m-2")) == {"m-1"}


def test_a_release_under_way_asks_by_it_too() -> None:
    assert models_of(plan(candidate=route("m-2")), prompt()) == {"m-1", "m-2"}
    assert models_of(plan(candidate=route("m-2", version="v7")), prompt()) == {"m-1"}


def test_what_serves_is_told_at_each_model_that_it_may_be_asked_at() -> None:
    def pairs(**wanted: object) -> list[tuple[str, str, bool]]:
        found = served_pairs(plan(**wanted))
        return [(it.prompt.version, it.model, bool(it.told)) for it in found]

    assert pairs() == [("v3", "m-1", False)]
    assert pairs(falls_back_to="m-2") == [("v3", "m-1", False), ("v3", "m-2", True)]
    assert pairs(version="v7", falls_back_to="m-2") == [("v7", "m-1", False), ("v7", "m-2", True)]
    assert pairs(tag="canary") == []
    assert pairs(candidate=route("m-2", version="v7")) == [
        ("v3", "m-1", False),
        ("v7", "m-2", False),
    ]


def test_a_version_that_is_named_stands_before_tags() -> None:
    def at(**wanted: str) -> str | None:
        found = version_of(plan(), RoutePrompt("support", **wanted))  # type: ignore[arg-type]
        return None if found is None else found.version

    assert (at(), at(version="v7"), at(tag="gone")) == ("v3", "v7", None)
    assert version_of(plan(), RoutePrompt("other")) is None
