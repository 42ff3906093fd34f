"""A tier that does not pay is turned off for a while, or people are told; it is always tried
again."""

import msgspec
import pytest
from msgspec import Raw
from tests.controllers.cached import ACTS, BAD, GOOD, NOON_S, WRONG, Loop, blocks

from tidegate.controllers.cache_worth import MOST_WINDOW_S, TierSeen, View, holds, plug, read_memory
from tidegate.core.cache_worth import MOST_OFF_S, Quality, Worth
from tidegate.core.controller import Set
from tidegate.core.levers import LEVERS, wrong
from tidegate.core.signal import Value

DAY_S = 86_400.0
NOTHING = TierSeen("exact")
LOSES = TierSeen("exact", blocks=blocks(BAD))
PAYS = TierSeen("exact", blocks=blocks(GOOD))


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    assert made.held(NOTHING) == {}
    return made


def test_one_that_loses_is_off_with_its_evidence_and_people_are_told(loop: Loop) -> None:
    decision = loop.look(LOSES)
    [held] = [it for it in decision.proposals if isinstance(it, Set)]
    assert (held.lever, held.scope, held.value) == ("exact_cache_off", "faq", 1.0)
    readings = {it.name: it.reading for it in held.evidence}
    assert readings["cache_hit_rate"] == Value(0.05)
    high = readings["cache_net_both_usd_per_lookup_high"]
    assert isinstance(high, Value) and high.value < 0
    assert {it.scope for it in held.evidence} == {"faq/exact"}
    [said] = loop.said
    assert (said.topic, said.severity, said.route) == ("cache", "info", "faq")
    assert "tried again" in said.text and "360 of 7200" in said.text


def test_what_is_held_is_proposed_again_without_news(loop: Loop) -> None:
    loop.look(LOSES)
    again = loop.look(NOTHING, after_s=10.0)
    once_more = loop.look(NOTHING, after_s=10.0)
    assert again.proposals == once_more.proposals
    assert again.memory == once_more.memory
    assert len(loop.said) == 1


def test_one_that_pays_stays_on(loop: Loop) -> None:
    for _ in range(100):
        assert loop.held(PAYS) == {}
    assert loop.said == []


def test_an_hour_without_hits_turns_nothing_off(loop: Loop) -> None:
    assert loop.held(LOSES, after_s=3600.0) == {}
    assert loop.held(LOSES, after_s=7200.0) == {"exact_cache_off": 1.0}


def test_nothing_is_concluded_from_nothing(loop: Loop) -> None:
    assert loop.held(TierSeen("exact", blocks=blocks(BAD, 3))) == {}
    assert loop.held(NOTHING, after_s=30 * DAY_S) == {}
    assert loop.said == []


def test_it_is_tried_again_later_each_time_and_comes_back_when_it_pays(loop: Loop) -> None:
    waits = []
    for _ in range(6):
        assert loop.held(LOSES) == {"exact_cache_off": 1.0}
        off_for_s = loop.place().until_s - loop.now_s
        waits.append(off_for_s)
        assert loop.held(NOTHING, after_s=off_for_s - 1) == {"exact_cache_off": 1.0}
        assert loop.held(NOTHING, after_s=1.0) == {}
        assert loop.place().state == "trial"
    assert waits == [DAY_S, 2 * DAY_S, 4 * DAY_S, 8 * DAY_S, MOST_OFF_S, MOST_OFF_S]
    assert loop.held(PAYS) == {}
    assert (loop.place().state, loop.place().failures) == ("on", 0)
    assert [it.resolved for it in loop.said] == [False, True] * 6


def test_a_tier_that_was_empty_is_not_judged_until_it_is_full(loop: Loop) -> None:
    warm = TierSeen("exact", 1800.0)
    loop.look(TierSeen("exact", 1800.0, blocks(BAD)))
    loop.look(warm, after_s=DAY_S)
    assert loop.place().since_s == loop.now_s + 1800.0


def test_evidence_begins_anew_once_it_has_told_something(loop: Loop) -> None:
    began_s = loop.place().since_s
    loop.look(PAYS)
    assert loop.place().since_s == began_s
    loop.look(PAYS, after_s=ACTS.window_s)
    assert loop.place().since_s == loop.now_s
    early, began_s = TierSeen("exact", blocks=blocks(BAD, 3)), loop.now_s
    loop.look(early, after_s=2 * ACTS.window_s)
    assert loop.place().since_s == began_s, "it has told nothing yet"
    loop.look(early, after_s=MOST_WINDOW_S)
    assert loop.place().since_s == loop.now_s


def test_where_the_loop_may_not_act_people_have_the_command() -> None:
    loop = Loop(Worth("propose", usd_per_s=0.0001))
    loop.look(NOTHING)
    assert loop.held(LOSES) == {}
    [said] = loop.said
    assert said.severity == "ticket"
    assert "tidegate change set exact_cache_off faq --for 1d" in said.text
    loop.look(NOTHING, after_s=DAY_S)
    assert loop.said[-1].resolved


def test_a_new_window_does_not_pay_for_judging_of_days(loop: Loop) -> None:
    """Verdicts count for a week, lookups since the window began."""
    cost = Quality(cost_nanousd=50_000_000)
    tier = TierSeen("exact", blocks=blocks(GOOD, 14), quality=cost)
    loop.look(PAYS, after_s=3 * DAY_S)
    assert loop.place().since_s == loop.now_s
    assert loop.held(tier, after_s=4200.0) == {}
    dear = msgspec.structs.replace(tier, quality=Quality(cost_nanousd=10_000_000_000))
    assert loop.held(dear) == {"exact_cache_off": 1.0}


def test_wrong_answers_raise_the_threshold_first_and_then_turn_it_off() -> None:
    loop = Loop()
    loop.look(TierSeen("semantic"))
    wrong_hits = TierSeen("semantic", blocks=blocks(GOOD), quality=WRONG)
    assert loop.held(wrong_hits) == {"semantic_threshold_floor": 0.94}
    assert "wrong too often" in loop.said[-1].title
    assert loop.held(wrong_hits) == {"semantic_cache_off": 1.0}, "that was not enough"
    assert [it.resolved for it in loop.said] == [False, True, False]


def test_wrong_answers_without_a_better_threshold_turn_it_off() -> None:
    loop = Loop()
    for tier, lever in (("exact", "exact_cache_off"), ("semantic", "semantic_cache_off")):
        loop = Loop()
        bad = msgspec.structs.replace(WRONG, by_score=())
        loop.look(TierSeen(tier))  # type: ignore[arg-type]
        seen = TierSeen(tier, blocks=blocks(GOOD), quality=bad)  # type: ignore[arg-type]
        assert loop.held(seen) == {lever: 1.0}


def test_a_clock_that_jumps_makes_nothing_longer(loop: Loop) -> None:
    loop.look(LOSES)
    loop.look(NOTHING, after_s=-30 * DAY_S)
    assert loop.place().until_s == loop.now_s + DAY_S
    assert loop.held(NOTHING, after_s=DAY_S) == {}
    loop.look(NOTHING, after_s=-30 * DAY_S)
    assert loop.place().since_s == loop.now_s


def test_a_tier_that_is_gone_is_forgotten_and_people_are_told(loop: Loop) -> None:
    loop.look(LOSES)
    assert holds(loop.known)
    assert loop.held() == {}
    assert loop.said[-1].resolved and not loop.known.tiers


def test_a_memory_that_cannot_be_read_has_every_tier_on() -> None:
    assert read_memory(Raw(b"\xc1")) == read_memory(Raw())
    seen = View("faq", NOON_S, ACTS, (NOTHING,))
    assert plug.decide(seen, Raw(b"\xc1")).proposals == ()


def test_the_same_is_decided_of_a_view_that_was_kept(loop: Loop) -> None:
    view = View("faq", NOON_S + 7200, ACTS, (LOSES,))
    again = msgspec.json.decode(msgspec.json.encode(view), type=View)
    assert plug.decide(again, loop.memory) == plug.decide(view, loop.memory)


def test_what_it_holds_is_within_its_levers_bounds(loop: Loop) -> None:
    for held in (it for it in loop.look(LOSES).proposals if isinstance(it, Set)):
        assert held.lever in LEVERS
        assert wrong(held.lever, held.scope, held.value) is None
