"""What releases and revisions compile to, and how what is wrong with them is told."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.plans import compiled, declared
from tests.core.revisions import ROLLOUT, revision, rollout

from tidegate.core.added import Added
from tidegate.core.arm import Lane
from tidegate.core.compile import PlanRefused
from tidegate.core.declared import Declared
from tidegate.core.declared_routes import DeclaredRetry, DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.plan import Plan
from tidegate.core.rollout import Rollout

TARGETS = {name: DeclaredTarget("engine", name, price="free") for name in ("a", "b", "c")}


def file(**route: Any) -> Declared:
    return declared(targets=TARGETS, routes={"chat": DeclaredRoute(**{"target": "a"} | route)})


def under_way(release: Rollout, plan: Declared) -> Plan:
    added = Added(revisions=(revision(1, "start", plan),), rollouts={ROLLOUT: release})
    return compiled(plan, added=added)


def complaints(plan: Declared, added: Added) -> list[tuple[str, str]]:
    with pytest.raises(PlanRefused) as refused:
        compiled(plan, added=added)
    return [(".".join(c.path), c.message) for c in refused.value.complaints]


def test_a_release_under_way_is_its_routes_candidate_and_its_targets_are_in_the_plan() -> None:
    plan = under_way(rollout(target="b"), file())
    route = plan.routes["chat"]
    assert route.candidate is not None
    assert (route.candidate.rollout, route.candidate.salt) == (ROLLOUT, "salt 1")
    assert route.candidate.route.name == "chat"
    assert route.candidate.route.release.target.name == "b"
    assert [it.name for it in route.targets] == ["a"]
    assert set(plan.targets) == {"a", "b"}


def test_a_candidate_has_all_of_its_route_that_it_does_not_change() -> None:
    plan = under_way(rollout(target="b"), file(system_prompt="Be brief.", unsupported="drop"))
    found = plan.routes["chat"].candidate
    assert found is not None
    assert found.route.system_prompt == "Be brief." and found.route.drops_unsupported


@pytest.mark.parametrize(
    "moved",
    [{"target": "b"}, {"system_prompt": "Be brief."}, {"parameters": '{"temperature":0.2}'},
     {"retry": DeclaredRetry(attempts=1)}],
)  # fmt: skip
def test_a_candidates_release_has_a_name_of_its_own(moved: dict[str, Any]) -> None:
    route = under_way(rollout(**moved), file()).routes["chat"]
    assert route.candidate is not None
    assert route.candidate.route.release.name != route.release.name


def test_the_plan_is_another_with_a_release_and_the_same_without() -> None:
    plan = file()
    gone = (revision(1, "start", plan), revision(2, "withdraw", plan))
    added = Added(revisions=gone, rollouts={ROLLOUT: rollout(target="b")})
    assert under_way(rollout(target="b"), plan).digest != compiled(plan).digest
    assert compiled(plan, added=added).digest == compiled(plan).digest


def test_what_is_wrong_with_a_candidate_is_told_of_its_release() -> None:
    added = Added(
        revisions=(revision(1, "start", file()),), rollouts={ROLLOUT: rollout(target="nowhere")}
    )
    assert complaints(file(), added) == [
        ("releases.chat/longer.change.target", 'there is no target "nowhere"')
    ]


def test_what_is_wrong_with_a_moved_member_says_that_the_file_does_not_have_it() -> None:
    moved = revision(1, "promote", file(), target="gone")
    [(path, message)] = complaints(file(), Added(revisions=(moved,)))
    assert path == "routes.chat.target"
    assert message.endswith('; it was moved there at run time (promote "chat/longer")')


def test_what_a_promotion_replaced_stays_in_the_plan_until_it_retires() -> None:
    plan = file()
    promotion = revision(1, "promote", plan, target="b")
    kept = compiled(plan, added=Added(revisions=(promotion,)))
    assert [it.name for it in kept.routes["chat"].kept_warm] == ["a"]
    retired = (promotion, revision(2, "retire", plan))
    assert compiled(plan, added=Added(revisions=retired)).routes["chat"].kept_warm == ()


def test_a_version_says_by_which_release_it_came_and_which_were_taken_back() -> None:
    plan = file()
    coming = under_way(rollout(target="b"), plan).routes["chat"]
    assert coming.candidate is not None
    assert (coming.came_by, coming.candidate.route.came_by) == ((), (ROLLOUT,))
    promotion = revision(1, "promote", plan, target="b")
    promoted = compiled(plan, added=Added(revisions=(promotion,))).routes["chat"]
    assert (promoted.came_by, promoted.taken_back) == ((ROLLOUT,), ())
    restored = (promotion, revision(2, "restore", plan))
    back = compiled(plan, added=Added(revisions=restored)).routes["chat"]
    assert (back.came_by, back.taken_back) == ((), (ROLLOUT,))
    retired = (promotion, revision(2, "retire", plan))
    over = compiled(plan, added=Added(revisions=retired)).routes["chat"]
    assert (over.came_by, over.taken_back) == ((), ())


def test_two_orthogonal_releases_are_both_their_routes_candidates_in_a_lane_each() -> None:
    plan = file()
    one = replace(rollout(target="b"), orthogonal=True)
    two = replace(rollout("brief", system_prompt="Be brief."), orthogonal=True)
    starts = (revision(1, "start", plan), revision(2, "start", plan, two.id))
    known = {it.id: it for it in (one, two)}
    route = compiled(plan, added=Added(revisions=starts, rollouts=known)).routes["chat"]
    assert route.candidate is not None and route.beside is not None
    assert [it.rollout for it in route.candidates] == [one.id, two.id]
    assert [it.lane for it in route.candidates] == [Lane("salt 1", 0), Lane("salt 1", 1)]
    assert [it.salt for it in route.candidates] == ["salt 1", "salt 2"]
    assert route.candidate.route.system_prompt is None
    assert route.beside.route.release.target.name == "a"
    names = {it.route.release.name for it in route.candidates} | {route.release.name}
    assert len(names) == 3
    promoted = (*starts, revision(3, "promote", plan, target="b"))
    route = compiled(plan, added=Added(revisions=promoted, rollouts=known)).routes["chat"]
    assert route.candidate is not None and route.beside is None
    assert route.candidate.lane == Lane("salt 1", 1)
    assert route.candidate.route.release.target.name == "b", "it goes on beside what was promoted"
    assert route.candidate.route.came_by == (one.id, two.id)


def test_what_is_kept_warm_may_leave_the_plan_file() -> None:
    promotion = revision(1, "promote", file(), target="b")
    targets = {name: it for name, it in TARGETS.items() if name != "a"}
    plan = declared(targets=targets, routes={"chat": DeclaredRoute("b")})
    assert compiled(plan, added=Added(revisions=(promotion,))).routes["chat"].kept_warm == ()


def test_parameters_are_kept_as_json_by_name() -> None:
    plan = compiled(file(parameters='{"top_p":0.9,"stop":["x"]}'))
    assert plan.routes["chat"].parameters == (("stop", '["x"]'), ("top_p", "0.9"))


@pytest.mark.parametrize(
    ("parameters", "path", "message"),
    [
        ("[1]", "routes.chat.parameters", "write a mapping"),
        ('{"model":"x"}', "routes.chat.parameters.model", "that is the caller's to say"),
        ('{"max_tokens":0}', "routes.chat.parameters.max_tokens", "it must be a whole number"),
        ('{"max_tokens":"9"}', "routes.chat.parameters.max_tokens", "it must be a whole number"),
    ],
)
def test_parameters_that_are_none_are_said(parameters: str, path: str, message: str) -> None:
    [(where, what)] = complaints(file(parameters=parameters), Added())
    assert where == path and what.startswith(message)
