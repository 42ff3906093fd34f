"""A release's declaration to its rollout. What is wrong with a file is told in
`tests/config/test_releases.py`."""

from typing import Any

import pytest
from msgspec.structs import replace

from tidegate.core.compile_rollout import compile_rollout, guarded, never_known
from tidegate.core.declared_capture import DeclaredCapture
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.declared_rollout import DeclaredMove, DeclaredRollout
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.rollout import DEFAULT_HARM, HarmMetric, Rollout, late_guard


def of(written: set[str], **move: object) -> tuple[object, list[tuple[tuple[str, ...], str]]]:
    said: list[tuple[tuple[str, ...], str]] = []
    declared = DeclaredRollout("ana", DeclaredMove(**move))  # type: ignore[arg-type]
    found = compile_rollout("chat", "x", declared, written, lambda *what: said.append(what))
    return found, said


def test_the_usual_metrics_are_known_and_have_their_own_margins() -> None:
    found, _ = of({"target"}, target="llama")
    assert found.harm == DEFAULT_HARM  # type: ignore[attr-defined]


def test_what_is_no_part_of_a_release_is_refused() -> None:
    _, said = of({"target", "slo"}, target="llama")
    assert said == [(("change", "slo"), "a release does not change this; the plan file does")]


def test_whoever_changes_one_target_has_several_no_more() -> None:
    found, _ = of({"targets"}, targets={"a": 1.0})
    members = {name: bytes(value) for name, value in found.members.items()}  # type: ignore[attr-defined]
    assert members == {"target": b"null", "targets": b'{"a":1.0}'}


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        ({}, ("thumbs_down",)),
        ({"quality": DeclaredQuality()}, ("thumbs_down",)),
        ({"quality": DeclaredQuality(checks="[]")}, ("thumbs_down",)),
        (
            {"quality": DeclaredQuality(checks="[]"), "capture": DeclaredCapture(0.1)},
            ("quality", "follow_up", "thumbs_down"),
        ),
        (
            {"quality": DeclaredQuality(), "capture": DeclaredCapture(0.1)},
            ("follow_up", "thumbs_down"),
        ),
    ],
)
def test_one_without_metrics_is_guarded_by_what_is_found_afterwards_too(
    declared: dict[str, Any], names: tuple[str, ...]
) -> None:
    route = DeclaredRoute("llama", **declared)
    plain = Rollout("chat/x", "chat", "d", "ana", {}, harm=DEFAULT_HARM)
    found = guarded(plain, route)
    assert found.harm == (*DEFAULT_HARM, *map(late_guard, names))
    assert found.digest == plain.digest
    named = Rollout("chat/x", "chat", "d", "ana", {}, harm=DEFAULT_HARM[:1])
    assert guarded(named, route) is named


def test_of_what_it_names_and_its_route_never_finds_the_lack_is_said() -> None:
    named = tuple(HarmMetric(name, 0.05) for name in ("error", "quality", "thumbs_down"))
    plain = Rollout("chat/x", "chat", "d", "ana", {}, harm=named)
    [told] = never_known(plain, DeclaredRoute("llama"))
    assert told.startswith("harm quality: nothing will be known of it")
    graded = DeclaredRoute(
        "llama", quality=DeclaredQuality(checks="[]"), capture=DeclaredCapture(0.1)
    )
    assert never_known(plain, graded) == []
    usual = guarded(replace(plain, harm=DEFAULT_HARM), DeclaredRoute("llama"))
    assert never_known(usual, DeclaredRoute("llama")) == []
