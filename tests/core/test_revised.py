"""What revisions make of a declared plan, and when the file speaks again."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.plans import declared
from tests.core.revisions import ROLLOUT, revision, rollout

from tidegate.core.arm import Lane
from tidegate.core.change import Kind, Revision
from tidegate.core.declared import Declared
from tidegate.core.declared_routes import DeclaredRetry, DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.revised import Revised, revised
from tidegate.core.rollout import Rollout

TARGETS = {name: DeclaredTarget("engine", name, price="free") for name in ("a", "b", "c", "d")}
LONGER = rollout(target="b")


def file(**route: Any) -> Declared:
    return declared(targets=TARGETS, routes={"chat": DeclaredRoute(**{"target": "a"} | route)})


def of(plan: Declared, *revisions: Revision, rollouts: Any = (LONGER,)) -> Revised:
    said: list[str] = []
    found = revised(
        plan, revisions, {it.id: it for it in rollouts}, lambda _, message: said.append(message)
    )
    assert said == []
    return found


def target(found: Revised) -> object:
    return found.declared.routes["chat"].target


def test_without_revisions_everything_is_as_declared() -> None:
    plan = file()
    assert of(plan) == Revised(plan)


def test_a_start_sets_a_candidate_beside_its_route_and_moves_nothing() -> None:
    plan = file()
    found = of(plan, revision(1, "start", plan))
    assert target(found) == "a" and found.moved == {}
    [coming] = found.under_way["chat"]
    assert (coming.declared.target, coming.salt, coming.lane) == ("b", "salt 1", None)


def test_a_withdrawn_release_is_gone_and_a_later_start_brings_it_back_with_another_salt() -> None:
    plan = file()
    gone = (revision(1, "start", plan), revision(2, "withdraw", plan))
    assert of(plan, *gone).under_way == {}
    again = of(plan, *gone, revision(3, "start", plan))
    assert again.under_way["chat"][0].salt == "salt 3"


def test_a_promotion_moves_its_route_and_keeps_what_was_there_until_it_retires() -> None:
    plan = file()
    history = (revision(1, "start", plan), revision(2, "promote", plan, target="b"))
    found = of(plan, *history)
    assert target(found) == "b" and found.under_way == {}
    assert [it.target for it in found.replaced["chat"]] == ["a"]
    assert found.moved["chat"]["target"].id == "rev-2"
    assert of(plan, *history, revision(3, "retire", plan)).replaced == {}


@pytest.mark.parametrize("committed", [False, True])
def test_a_restored_route_is_as_it_was_also_where_the_promotion_is_in_the_file(
    committed: bool,
) -> None:
    plan = file()
    history = (revision(1, "promote", plan, target="b"), revision(2, "restore", plan))
    now = file(target="b") if committed else plan
    found = of(now, *history)
    assert target(found) == "a" and found.replaced == {} and found.superseded == ()
    assert bool(found.moved) == committed


@pytest.mark.parametrize("said", ["a", "b", "c"])
def test_a_restored_route_goes_back_to_an_earlier_promotion(said: str) -> None:
    plan = file()
    first = revision(1, "promote", plan, "chat/first", target="b")
    second = revision(2, "promote", plan, target="c")
    found = of(file(target=said), first, second, revision(3, "restore", plan))
    assert target(found) == "b"


def test_a_promotion_that_the_file_has_taken_over_is_no_drift() -> None:
    plan = file()
    found = of(file(target="b"), revision(1, "promote", plan, target="b"))
    assert target(found) == "b" and found.moved == {} and found.superseded == ()


def test_an_edit_of_a_moved_member_supersedes_the_whole_revision() -> None:
    plan = file()
    moved = revision(1, "promote", plan, target="b", system_prompt="Be brief.")
    found = of(file(target="d"), moved)
    assert target(found) == "d" and found.declared.routes["chat"].system_prompt is None
    [gone] = found.superseded
    assert gone.revision is moved and gone.path == ("routes", "chat", "target")
    assert found.replaced == {}


def test_an_edit_of_another_member_supersedes_nothing() -> None:
    plan = file()
    edited = file(balance="sticky")
    found = of(edited, revision(1, "promote", plan, target="b"))
    assert (target(found), found.declared.routes["chat"].balance) == ("b", "sticky")


def test_an_edit_under_a_release_ends_it() -> None:
    plan = file()
    found = of(file(target="c"), revision(1, "start", plan))
    assert found.under_way == {}
    assert "something else of `target`" in found.superseded[0].why


def test_a_drift_that_is_written_back_under_a_release_does_not_end_it() -> None:
    plan, another = file(), rollout("another", target="c")
    history = (revision(1, "set", plan, None, target="b"), revision(2, "start", plan, another.id))
    for now, is_there in ((file(target="b"), True), (file(target="d"), False)):
        found = of(now, *history, rollouts=(another,))
        assert bool(found.under_way) is is_there


def test_of_two_decisions_about_one_member_the_newer_one_speaks() -> None:
    plan = file()
    first = revision(1, "set", plan, None, target="b", system_prompt="Be brief.")
    second = revision(2, "set", plan, None, target="c")
    found = of(plan, first, second, rollouts=())
    route = found.declared.routes["chat"]
    assert (route.target, route.system_prompt) == ("c", "Be brief.")
    # What the first said of `target` is nobody's concern any more.
    assert of(file(target="c"), first, second, rollouts=()).superseded == ()


def test_a_second_release_of_a_route_is_refused_while_the_first_is_under_way() -> None:
    plan, said = file(), []
    other = rollout("other", system_prompt="Be brief.")
    starts = (revision(1, "start", plan), revision(2, "start", plan, other.id))
    found = revised(
        plan, starts, {ROLLOUT: LONGER, other.id: other}, lambda *what: said.append(what)
    )
    assert [it.rollout for it in found.under_way["chat"]] == [LONGER]
    [(path, why)] = said
    assert path == ("releases", "chat/other")
    assert why.startswith('"chat/longer" is under way on this route; end that one first, or')


BRIEF = replace(rollout("brief", system_prompt="Be brief."), orthogonal=True)
MOVED = replace(LONGER, orthogonal=True)


def under_way(*steps: tuple[Kind, Rollout], known: Any = (MOVED, BRIEF)) -> Any:
    """What is under way after these revisions, by rollout; or what is said of the last."""
    plan, said = file(), []
    history = [
        revision(number, kind, plan, it.id, **_own(kind, it))
        for number, (kind, it) in enumerate(steps, 1)
    ]
    by_id = {it.id: it for it in known}
    found = revised(plan, history, by_id, lambda *what: said.append(what))
    return said[0][1] if said else {it.rollout.id: it for it in found.under_way.get("chat", ())}


def _own(kind: Kind, one: Rollout) -> dict[str, Any]:
    of = {MOVED.id: {"target": "b"}, BRIEF.id: {"system_prompt": "Be brief."}}
    return of.get(one.id, {}) if kind == "promote" else {}


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (replace(BRIEF, orthogonal=False), "declare both `orthogonal`"),
        (replace(MOVED, id="chat/too"), 'changes "target" too'),
        (replace(BRIEF, units=("key",)), "assigns by other `units`"),
    ],
)
def test_two_that_are_not_apart_are_refused(second: Rollout, why: str) -> None:
    assert why in under_way(("start", MOVED), ("start", second), known=(MOVED, second))


def test_a_third_is_refused_whatever_it_changes() -> None:
    third = replace(rollout("third", retry=DeclaredRetry(attempts=1)), orthogonal=True)
    starts = [("start", MOVED), ("start", BRIEF), ("start", third)]
    said = under_way(*starts, known=(MOVED, BRIEF, third))  # type: ignore[arg-type]
    assert said == '"chat/longer" and "chat/brief" are under way on this route; end one first'


def test_one_that_an_edit_has_ended_keeps_its_lane_until_it_is_taken_back() -> None:
    """Or a third would be under way without one, and nobody would get it."""
    third = replace(rollout("third", retry=DeclaredRetry(attempts=1)), orthogonal=True)
    plan, edited, said = file(), file(target="c"), []
    starts = [
        revision(1, "start", plan),
        revision(2, "start", edited, BRIEF.id),
        revision(3, "start", edited, third.id),
    ]
    by_id = {it.id: it for it in (MOVED, BRIEF, third)}
    found = revised(edited, starts, by_id, lambda *what: said.append(what))
    assert [it.rollout for it in found.under_way["chat"]] == [BRIEF]
    [(path, why)] = said
    assert path == ("releases", "chat/third")
    assert why == '"chat/longer" and "chat/brief" have the lanes of this route; end one first'
    withdrawn = [
        *starts[:2],
        revision(3, "withdraw", edited),
        revision(4, "start", edited, third.id),
    ]
    found = revised(edited, withdrawn, by_id, lambda *what: said.append(what))
    assert [it.lane for it in found.under_way["chat"]] == [Lane("salt 1", 1), Lane("salt 1", 0)]


def test_a_release_keeps_its_lane_while_the_other_one_comes_and_goes() -> None:
    both = under_way(("start", MOVED), ("start", BRIEF))
    assert both[BRIEF.id].lane == Lane("salt 1", 1)
    alone = under_way(("start", MOVED), ("start", BRIEF), ("withdraw", MOVED))
    assert {name: it.lane for name, it in alone.items()} == {BRIEF.id: Lane("salt 1", 1)}
    again = replace(MOVED, id="chat/again")
    history: Any = (("start", MOVED), ("start", BRIEF), ("withdraw", MOVED), ("start", again))
    next_one = under_way(*history, known=(MOVED, BRIEF, again))
    assert next_one[again.id].lane == Lane("salt 1", 0)
    assert next_one[again.id].salt == "salt 4"
    assert next_one[BRIEF.id] == alone[BRIEF.id]
    assert under_way(("start", BRIEF))[BRIEF.id].lane == Lane("salt 1", 0)


def test_two_that_were_promoted_are_both_kept_until_each_retires() -> None:
    plan = file()
    history: list[Revision] = []
    for number, (kind, one) in enumerate(
        [("start", MOVED), ("start", BRIEF), ("promote", MOVED), ("promote", BRIEF)], 1
    ):
        history.append(revision(number, kind, plan, one.id, **_own(kind, one)))  # type: ignore[arg-type]
    found = of(plan, *history, rollouts=(MOVED, BRIEF))
    assert found.promoted["chat"] == (MOVED.id, BRIEF.id)
    assert [(it.target, it.system_prompt) for it in found.replaced["chat"]] == [
        ("a", "Be brief."),
        ("b", None),
    ]
    back = of(plan, *history, revision(5, "restore", plan, MOVED.id), rollouts=(MOVED, BRIEF))
    assert (target(back), back.declared.routes["chat"].system_prompt) == ("a", "Be brief.")
    assert (back.promoted["chat"], back.taken_back["chat"]) == ((BRIEF.id,), (MOVED.id,))


def test_a_revision_of_a_route_that_is_gone_is_told_and_does_nothing() -> None:
    plan = file()
    lost = replace(revision(1, "set", plan, None, target="b"), route="lost")
    found = of(plan, lost)
    assert found.declared is plan and found.superseded[0].path == ("routes", "lost")


def test_a_member_that_nobody_can_read_is_said() -> None:
    plan, said = file(), []
    bad = replace(revision(1, "set", plan, None, target="b"), members={"tarjet": b'"b"'})
    revised(plan, [bad], {}, lambda *what: said.append(what))
    assert said == [
        (("routes", "chat"), "revision rev-1: a route has no `tarjet` that could be moved")
    ]
