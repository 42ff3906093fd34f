"""A tier that does not pay is turned off by the loop over a real store, by one leader, and tried
again."""

import random
from pathlib import Path

import pytest
from msgspec import Raw
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.worth_room import PLAN, WARM_S, Hands
from tests.controllers.cached import BAD, GOOD
from tests.stores import rig as stores

from tidegate.control import cache_worths, looping
from tidegate.control.cache_report import report
from tidegate.control.cache_worths import CacheWorths
from tidegate.control.moment import Moment
from tidegate.controllers.cache_worth import View
from tidegate.core.layout import Layout
from tidegate.core.signal import Value
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.stores import database, notices
from tidegate.stores.cache_sums import Which
from tidegate.stores.ledger import Ledger

OFF = {"exact_cache_off": 1.0}
DAY_S = 86_400.0


@pytest.fixture
def hands(room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands(room, engine, monkeypatch)
    assert made.tick() == {}
    made.pass_s(WARM_S)
    return made


def watched(hands: Hands, watcher: CacheWorths) -> list[View]:
    memories = hands.room.loop._memories.get("cache_worth", {})
    with database.reading(hands.engine) as connection:
        return [it.view for it in watcher.observe(connection, Moment(hands.now_s, 1.0), memories)]


def test_five_hits_in_a_hundred_are_too_few_and_the_tier_is_off_for_a_day(hands: Hands) -> None:
    hands.serve(BAD)
    assert hands.tick() == OFF
    [held] = hands.in_force()
    assert (held.scope, held.author) == ("faq", "controller:cache_worth")
    readings = {it.name: it.reading for it in held.evidence}
    assert readings["cache_hit_rate"] == Value(0.05)
    assert "360 of 7200 lookups" in held.reason
    with database.reading(hands.engine) as connection:
        [told] = [it for it in notices.recent(connection) if it.topic == "cache"]
    assert told.route == "faq"
    hands.pass_s(DAY_S - 60.0)
    assert hands.tick() == OFF
    hands.pass_s(120.0)
    assert hands.tick() == {}


def test_what_is_only_proposed_is_not_shown_as_off(hands: Hands) -> None:
    def states() -> list[str | None]:
        which = Which(hands.now_s - DAY_S, hands.now_s)
        page = report(hands.engine, which, hands.room.plans.declared.routes)
        return [it.state for it in page.tiers]

    hands.serve(BAD)
    assert hands.tick() == OFF
    assert states() == ["off"]
    hands.plan(PLAN.replace("mode: act", "mode: propose"))
    assert hands.tick() == {}
    assert states() == [None]


def test_one_that_pays_is_left_on(hands: Hands) -> None:
    hands.serve(GOOD)
    for _ in range(3):
        assert hands.tick() == {}
        hands.pass_s(300.0)


def test_who_leads_next_holds_it_still(hands: Hands) -> None:
    hands.serve(BAD)
    assert hands.tick() == OFF
    room = hands.room
    room.loop = looping.build(
        room.desk.engine, room.plans, room.compiling, room.feed, ("", lambda: True)
    )
    hands.pass_s(10.0)
    assert hands.tick() == OFF
    assert len(hands.in_force()) == 1


def test_a_dead_loop_lets_go_by_itself(hands: Hands) -> None:
    hands.serve(BAD)
    assert hands.tick() == OFF
    hands.pass_s(31.0)
    assert hands.in_force() == []


def test_a_route_that_wants_no_judging_any_more_is_let_go(hands: Hands) -> None:
    hands.serve(BAD)
    assert hands.tick() == OFF
    hands.plan(PLAN.replace("mode: act", "mode: off"))
    hands.pass_s(10.0)
    assert hands.tick() == {}
    assert watched(hands, CacheWorths(lambda: hands.room.plans.declared)) == []


def test_between_two_blocks_only_what_is_held_is_looked_at(hands: Hands) -> None:
    watcher = CacheWorths(lambda: hands.room.plans.declared)
    hands.serve(BAD, 40)
    hands.pass_s(100.0)
    [seen] = watched(hands, watcher)
    assert (seen.route, len(seen.tiers[0].blocks)) == ("faq", 40)
    hands.pass_s(10.0)
    assert watched(hands, watcher) == []
    hands.tick()
    assert hands.tick() == OFF
    [again] = watched(hands, watcher)
    assert again.tiers[0].blocks == ()


def test_older_evidence_is_read_by_the_hour(hands: Hands) -> None:
    hands.serve(GOOD, 12 * 20)
    [seen] = watched(hands, CacheWorths(lambda: hands.room.plans.declared))
    assert len(seen.tiers[0].blocks) == 19, "whole hours since it was full"
    assert seen.tiers[0].blocks[0].lookups == 1200


def test_no_tick_looks_at_very_many_routes(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = "  faq{}: {{target: small, cache: {{exact: {{}}}}}}\n"
    hands.plan(PLAN + "".join(cached.format(number) for number in range(5)))
    monkeypatch.setattr(cache_worths, "MOST_A_TICK", 4)
    watcher = CacheWorths(lambda: hands.room.plans.declared)
    looks = [{it.route for it in watched(hands, watcher)} for _ in range(3)]
    assert [len(one) for one in looks] == [4, 2, 0]
    assert len(looks[0] | looks[1]) == 6


def test_routes_that_were_looked_at_wait_for_the_others(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = "  faq{}: {{target: small, cache: {{exact: {{}}}}}}\n"
    hands.plan(PLAN + "".join(cached.format(number) for number in range(5)))
    monkeypatch.setattr(cache_worths, "MOST_A_TICK", 4)
    watcher = CacheWorths(lambda: hands.room.plans.declared)
    first = {it.route for it in watched(hands, watcher)}
    hands.pass_s(300.0)
    assert len(first | {it.route for it in watched(hands, watcher)}) == 6


def test_a_view_that_is_kept_comes_back(hands: Hands) -> None:
    hands.serve(BAD, 3)
    watcher = CacheWorths(lambda: hands.room.plans.declared)
    [seen] = watched(hands, watcher)
    with database.reading(hands.engine) as connection:
        assert watcher.refilled(connection, watcher.kept(seen), Raw()) == seen


def test_a_tier_in_shadow_is_not_judged(hands: Hands) -> None:
    semantic = "semantic: {mode: shadow}, worth"
    hands.plan(PLAN.replace("worth", semantic))
    [seen] = watched(hands, CacheWorths(lambda: hands.room.plans.declared))
    assert [it.tier for it in seen.tiers] == ["exact"]


def test_receipts_of_a_stream_with_few_hits_turn_the_tier_off(
    hands: Hands,
) -> None:
    """From the recorder to the lever: 5 of 100 find another wording, each looks for 20 ms."""
    near = "semantic: {mode: on, threshold: 0.9, ttl: 10m}, worth"
    hands.plan(PLAN.replace("worth", near))
    hands.tick()
    hands.pass_s(WARM_S)
    recorder = Recorder(Layout(Path(hands.room.layout.state)), hands.engine, Metrics())
    made, draw = [], random.Random(1)
    for number in range(48 * 100):
        usual = {"route": "faq", "cache_semantic_s": 0.02, "cache_lookup_s": 0.02}
        if draw.random() < 0.05:
            more = {"cache": "hit", "cache_tier": "semantic", "saved_s": 0.2}
            more |= {"saved_nanousd": 1200, "total_s": 0.021, "cost_nanousd": 0}
        else:
            more = {"cache": "miss", "total_s": 0.2, "cost_nanousd": 1200}
        made.append(stores.receipt(hands.now_s + number * 3.0, **usual, **more))
    hands.pass_s(48 * 300 + 120.0)
    Ledger(hands.engine).write(stores.entries(*made), [])
    while recorder.folding.step():
        pass
    recorder.folding.close()
    assert hands.tick() == {"semantic_cache_off": 1.0}
    [held] = hands.in_force()
    assert "semantic answers" in held.reason
