"""The whole controller over virtual traffic: what is worse goes back, what is equal goes through,
and what nobody can judge never does."""

import random
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.controllers.release_world import METRICS, World, equal

from tidegate.controllers.release import Bounds, Burning, View, plug, read_memory
from tidegate.core.arm import Arm
from tidegate.core.controller import Revise, Set
from tidegate.core.rollout import HarmMetric, Shadow, late_guard
from tidegate.core.rollout_state import Asked


def longer(chance: random.Random, arm: Arm) -> dict[str, Any]:
    said = equal(chance, arm)
    return said if arm == "stable" else {**said, "output_tokens": said["output_tokens"] * 2}


def slower(chance: random.Random, arm: Arm) -> dict[str, Any]:
    said = equal(chance, arm)
    return said if arm == "stable" else {**said, "ttft_s": said["ttft_s"] * 2}


def refusing(chance: random.Random, arm: Arm) -> dict[str, Any]:
    rate = 0.27 if arm == "stable" else 0.625
    return {**equal(chance, arm), "model_refusal": "full" if chance.random() < rate else "none"}


def invalid(chance: random.Random, arm: Arm) -> dict[str, Any]:
    bad = arm == "canary" and chance.random() < 0.3
    return {**equal(chance, arm), "validity": "schema_violation" if bad else "valid"}


def failing(chance: random.Random, arm: Arm) -> dict[str, Any]:
    down = {"error_code": "upstream_error", "error_fault": "provider"}
    return {**equal(chance, arm), **(down if arm == "canary" else {})}


def kinds(world: World) -> list[str]:
    return [one.kind for one in world.proposals if isinstance(one, Revise)]


def test_an_equal_release_is_promoted_and_what_it_replaced_retired() -> None:
    world = World()
    assert world.run() == "done", world.known.standing
    assert kinds(world) == ["start", "promote", "retire"]


@pytest.mark.parametrize("answer", [longer, slower, refusing, invalid, failing])
def test_a_release_that_is_worse_is_rolled_back(answer: Any) -> None:
    world = World(answer)
    assert world.run() == "rolled_back", world.known.standing
    assert kinds(world) == ["start", "withdraw"]
    assert world.weight == 0


def test_one_that_fails_at_once_is_rolled_back_by_a_hard_limit() -> None:
    world = World(failing)
    world.run()
    assert "too many of its first requests" in world.known.standing.why
    assert read_memory(world.memory).standing.step == 0


def test_without_traffic_nothing_is_ever_promoted() -> None:
    world = World(per_tick=0)
    assert world.run() == "rolled_back"
    assert "promote" not in kinds(world)


def test_with_fewer_units_than_asked_for_nothing_is_ever_promoted() -> None:
    world = World(users=120)  # 6 of them at five per cent, where 20 are asked for
    assert world.run() == "rolled_back"
    assert "promote" not in kinds(world)


def test_a_metric_that_nobody_knows_pauses_or_is_ignored_as_its_file_says() -> None:
    unknown = [HarmMetric("error", 0.05), HarmMetric("ttft", 0.05), HarmMetric("itl", 0.05)]

    def blind(chance: random.Random, arm: Arm) -> dict[str, Any]:
        return {**equal(chance, arm), "itl_mean_s": None}

    world = World(blind, harm=tuple(unknown))
    world.run(most=60)
    assert world.state == "paused"
    assert "no data of itl" in world.known.standing.why
    unknown[2] = HarmMetric("itl", 0.05, no_data="ignore")
    assert World(blind, harm=tuple(unknown)).run() == "done"
    unknown[2] = HarmMetric("itl", 0.05, no_data="fail")
    assert World(blind, harm=tuple(unknown)).run() == "rolled_back"


def test_half_the_metrics_missing_is_a_failure_whatever_each_of_them_says() -> None:
    def blind(chance: random.Random, arm: Arm) -> dict[str, Any]:
        return {**equal(chance, arm), "itl_mean_s": None}

    half = (HarmMetric("error", 0.05), HarmMetric("itl", 0.05, no_data="ignore"))
    world = World(blind, harm=half)
    assert world.run() == "rolled_back"
    assert "no data" in world.known.standing.why


def test_a_shadow_comes_before_any_user() -> None:
    world = World(shadow=Shadow(share=0.1, min_requests=50))
    world.ask("start")
    for _ in range(3):
        world.tick()
    assert world.state == "shadow"
    assert world.weight == 0
    levers = {one.lever for one in world.proposals if isinstance(one, Set)}
    assert levers == {"shadow_share"}


def test_the_weight_only_rises() -> None:
    world = World()
    world.run()
    weights = [one.value for one in world.proposals if isinstance(one, Set)]
    assert weights == sorted(weights)


def test_what_was_seen_is_not_counted_again() -> None:
    world = World()
    world.ask("start")
    for _ in range(8):
        world.tick()
    before = read_memory(world.memory)
    again = plug.decide(world.views[-1], world.memory)
    assert read_memory(again.memory).analysis == before.analysis


def test_the_same_views_lead_to_the_same_decisions() -> None:
    world = World(longer)
    world.run()
    memory, proposed = Raw(b""), []
    for view in world.views:
        decision = plug.decide(view, memory)
        memory = decision.memory
        proposed += decision.proposals
    assert proposed == world.proposals
    assert memory == world.memory


def test_a_burning_objective_that_is_its_own_doing_ends_it_and_restores_after_promotion() -> None:
    world = World()
    world.ask("start")
    for _ in range(5):
        world.tick()
    world.bounds = Bounds(burning=(Burning("answers", 0.9, 0.05),))
    world.tick()
    assert world.state == "rolled_back"
    soaking = World(soak_s=1e6)
    soaking.run(most=120)
    assert soaking.state == "soak"
    soaking.bounds = Bounds(burning=(Burning("answers", None, None),))
    soaking.tick()
    assert kinds(soaking)[-1] == "restore"


def judged(
    canary: float = 0.1, harm: HarmMetric | None = None, metric: str = "quality", **given: Any
) -> World:
    """A world whose answers are judged afterwards, by default as a release that names nothing."""
    world = World(harm=(*METRICS, harm or late_guard(metric)), **given)
    world.judged, world.bad["canary"], world.metric = 8, canary, metric
    return world


@pytest.mark.parametrize("metric", ["quality", "follow_up", "thumbs_down"])
def test_one_that_is_fast_and_valid_and_judged_worse_is_rolled_back(metric: str) -> None:
    world = judged(0.6, metric=metric)
    assert world.run() == "rolled_back"
    assert world.known.standing.why.startswith(f"{metric} is worse: +")
    assert kinds(world) == ["start", "withdraw"]


def test_one_that_is_judged_equal_or_not_at_all_is_promoted() -> None:
    for world in (judged(), judged(metric="thumbs_down")):
        assert world.run() == "done", world.known.standing
    unknown = judged()
    unknown.judged = 0
    assert unknown.run() == "done"
    whys = [one.reason for one in unknown.proposals if isinstance(one, Revise)]
    assert whys[1].endswith("safe, and nothing is of quality")


def test_a_release_that_names_it_is_promoted_once_it_is_shown_to_be_safe_and_never_without() -> (
    None
):
    named = HarmMetric("quality", 0.2)
    assert judged(harm=named).run() == "done"
    unknown = judged(harm=named)
    unknown.judged = 0
    assert unknown.run() == "rolled_back"
    assert "no data of quality" in unknown.known.standing.why
    assert "promote" not in kinds(unknown)


def test_what_is_judged_worse_after_the_promotion_restores_what_was_there() -> None:
    world = judged(soak_s=1e6)
    world.run(most=150)
    assert world.state == "soak"
    world.weight, world.bad["canary"] = 0.5, 0.9  # what users say of the days before
    for at in range(20):
        late = tuple(enumerate(world._late(1000.0), 10_000_000 + at))
        decision = plug.decide(View(world.rollout, 1e5, 1e5, late), world.memory)
        world.memory = decision.memory
        world.proposals += decision.proposals
        if world.state == "rolled_back":
            break
    assert world.known.standing.why.startswith("quality is worse")
    assert kinds(world)[-1] == "restore"


def test_while_answers_are_not_graded_it_pauses_and_then_goes_on() -> None:
    world = judged()
    world.ask("start")
    for _ in range(5):
        world.tick()
    world.bounds = Bounds(not_graded="its answers are not graded since 10:00: the judge is away")
    for _ in range(30):
        world.tick()
    assert world.state == "paused"
    assert world.known.standing.why == world.bounds.not_graded
    assert world.weight > 0
    world.bounds = Bounds()
    world.tick()
    assert world.state == "step"
    assert world.run() == "done"


def test_what_is_found_of_a_void_sample_later_does_not_count() -> None:
    world = judged()
    world.ask("start")
    for _ in range(5):
        world.tick()
    known = world.known
    void = replace(known.standing, state="paused", back_to="step", is_void=True, by="ratio_broken")
    memory = Raw(msgspec.msgpack.encode(replace(known, standing=void)))
    asked = (Asked(99, world.rollout.id, "resume", "ada", 0.0),)
    decision = plug.decide(View(world.rollout, 500.0, 500.0, asked=asked), memory)
    begun = read_memory(decision.memory).analysis
    assert begun is not None and begun.since_s == 500.0
