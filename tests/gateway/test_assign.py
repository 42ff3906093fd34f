"""Which release a request gets: the same everywhere, by its unit, its file and its own past."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.canaried import (
    ROLLOUT,
    SALT,
    canaried,
    chat,
    key_of,
    prepared_canary,
    receipt,
)
from tests.gateway.rig import HELLO, gateway, run
from tests.gateway.routed import at
from tests.gateway.upstream import Upstream, whole

from tidegate.core.arm import bucket, is_canary
from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.assign import assign, stay
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.stats.ratio_test import ODDS_RATIOS

KEY = key_of()
NOTHING_YET = (0.0,) * len(ODDS_RATIOS)
NO = {"error": {"message": "no"}}


def given(
    route: PreparedRoute,
    ask: Ask | None = None,
    key: KeyRecord = KEY,
    headers: dict[bytes, bytes] | None = None,
    **fields: Any,
) -> Receipt:
    noted = receipt(**fields)
    found = assign(ask or chat("hello"), key, headers or {}, route, noted)
    assert route.candidate is not None
    assert (found is route.candidate.route) == (noted.arm == "canary")
    return noted


def unit_with(arm: str, weight: float = 0.5) -> str:
    """A user that the salt gives to that arm at that weight."""
    users = (f"user-{n}" for n in range(10_000))
    return next(u for u in users if given(prepared_canary(weight), end_user=u).arm == arm)


def test_a_receipt_tells_of_the_release_the_arm_and_the_unit() -> None:
    noted = given(prepared_canary(1.0), end_user="ada")
    assert (noted.rollout, noted.arm, noted.unit_kind) == (ROLLOUT, "canary", "user")
    assert noted.unit == bucket(SALT, "team-a\x1f\x1fada") and not noted.arm_forced


def test_users_are_shared_out_by_the_weight_and_a_higher_one_moves_nobody_back() -> None:
    users = [f"user-{n}" for n in range(2000)]
    by = {
        weight: {u for u in users if given(prepared_canary(weight), end_user=u).arm == "canary"}
        for weight in (0.0, 0.05, 0.5, 1.0)
    }
    assert not by[0.0] and by[0.05] < by[0.5] < by[1.0] == set(users)
    assert 60 < len(by[0.05]) < 145 and 900 < len(by[0.5]) < 1100


@pytest.mark.parametrize(
    ("kind", "fields", "key", "headers"),
    [
        ("experiment", {"end_user": "ada"}, key_of(attributes={"experiment-unit": "shop"}), {}),
        (
            "experiment",
            {},
            key_of(attributes={"experiment-unit": "header"}),
            {b"x-tidegate-experiment-unit": b"cart-7"},
        ),
        ("user", {"end_user": "ada"}, key_of(attributes={"experiment-unit": "header"}), {}),
        ("user", {"end_user": "ada", "session_id": "s"}, KEY, {}),
        ("user", {"end_user": "ada"}, KEY, {b"x-tidegate-experiment-unit": b"not granted"}),
        ("conversation", {"session_id": "s"}, KEY, {}),
        ("conversation", {}, KEY, {}),
    ],
)
def test_the_first_unit_that_a_request_has_decides(
    kind: str, fields: dict[str, Any], key: KeyRecord, headers: dict[bytes, bytes]
) -> None:
    assert given(prepared_canary(), key=key, headers=headers, **fields).unit_kind == kind


def test_what_is_no_conversation_goes_by_its_key_or_by_itself() -> None:
    ask = Ask("embeddings", b"{}", {}, "small")
    assert given(prepared_canary(), ask).unit_kind == "key"
    alone = prepared_canary(units=("user", "request"))
    assert given(alone, ask).unit_kind == "request"
    assert given(prepared_canary(units=("user",)), ask).unit_kind == "request"


def test_users_of_one_name_are_others_in_another_team_and_for_another_customer() -> None:
    route = prepared_canary()
    keys = (KEY, key_of(team="team-b"), key_of(customer="acme"))
    assert len({given(route, key=key, end_user="ada").unit for key in keys}) == 3


def test_every_turn_of_a_conversation_is_one_unit() -> None:
    route = prepared_canary()
    turns = [chat("hi"), chat("hi", "hello", "and?"), chat("hi", "hello", "and?", "so", "ok")]
    assert len({given(route, turn).unit for turn in turns}) == 1
    assert given(route, chat("hi there")).unit != given(route, turns[0]).unit


def test_a_conversation_stays_with_its_first_version_when_the_weight_rises() -> None:
    route = prepared_canary(0.05)
    assert route.candidate is not None
    users = [f"user-{n}" for n in range(300)]
    before = {user: given(route, chat("hi"), end_user=user).arm for user in users}
    route.candidate.weight = 0.5
    later = {user: given(route, chat("hi", "hello", "and?"), end_user=user) for user in users}
    assert {user: it.arm for user, it in later.items()} == before
    # What another weight has assigned is compared with nothing, in either arm.
    assert all(it.arm_forced for it in later.values())
    anew = [given(route, chat("hi"), end_user=user) for user in users]
    assert Counter(it.arm for it in anew)["canary"] > 100
    assert not any(it.arm_forced for it in anew)


def test_what_is_compared_has_the_share_of_the_weight_while_conversations_go_on() -> None:
    """Or a rise of the weight would look like a gateway that assigns wrongly."""
    route = prepared_canary(0.05)
    assert route.candidate is not None
    turns: dict[str, list[str]] = {}
    seen: Counter[tuple[str | None, bool]] = Counter()
    for step, weight in enumerate((0.05, 0.2, 0.5)):
        route.candidate.weight, seen = weight, Counter()
        for number in range(2000):
            user = f"user-{number % 1500}"
            said = turns.setdefault(user, ["hi"])
            noted = given(route, chat(*said), end_user=user)
            seen[noted.arm, noted.arm_forced] += 1
            ends = (number + step) % 3 == 0
            turns[user] = ["hi"] if ends else [*said, "hello", "and?"]
        compared = seen["canary", False] + seen["stable", False]
        # The deviation of 600 units and more is at most 0.021.
        assert compared > 600 and abs(seen["canary", False] / compared - weight) < 0.06
    assert seen["stable", True] and seen["canary", True]


def test_a_conversation_that_began_before_the_release_had_anybody_stays_as_it_was() -> None:
    route, user = prepared_canary(0.0), unit_with("canary")
    assert route.candidate is not None
    given(route, chat("hi"), end_user=user)
    route.candidate.weight = 0.5
    assert given(route, chat("hi", "hello", "and?"), end_user=user).arm == "stable"


def test_when_it_is_rolled_back_every_conversation_moves_at_once() -> None:
    route, user = prepared_canary(0.5), unit_with("canary")
    assert route.candidate is not None
    assert given(route, chat("hi"), end_user=user).arm == "canary"
    route.candidate.weight = 0.0
    assert given(route, chat("hi", "hello", "and?"), end_user=user).arm == "stable"


@pytest.mark.parametrize("whose", ["key:key", "team:team-a", "customer:acme"])
def test_whom_the_file_names_gets_it_always_or_never_and_is_not_compared(whose: str) -> None:
    key = key_of(customer="acme")
    for weight, fields, arm in (
        (0.001, {"always": (whose,)}, "canary"),
        (1.0, {"never": (whose,)}, "stable"),
        (0.0, {"always": (whose,)}, "stable"),  # as long as anybody does
    ):
        noted = given(prepared_canary(weight, **fields), key=key, end_user="ada")
        assert (noted.arm, noted.arm_forced) == (arm, True)


def test_an_eval_is_asked_of_what_the_route_has_unless_it_chooses() -> None:
    everybody = prepared_canary(1.0)
    noted = given(everybody, end_user="ada", purpose="eval")
    assert (noted.arm, noted.rollout) == (None, None)
    chooses = key_of(attributes={"chooses-arm": "yes"})
    arm = {b"x-tidegate-arm": b"canary"}
    assert given(everybody, key=chooses, headers=arm, purpose="eval").arm == "canary"
    assert given(everybody, headers=arm, purpose="eval").arm is None, "it may not choose"


def test_only_a_key_that_may_chooses_its_arm() -> None:
    staff = key_of(attributes={"chooses-arm": "yes"})
    for arm in ("stable", "canary"):
        headers = {b"x-tidegate-arm": arm.encode()}
        noted = given(prepared_canary(0.01), key=staff, headers=headers, end_user="ada")
        assert (noted.arm, noted.arm_forced) == (arm, True)
    other = unit_with("stable")
    noted = given(prepared_canary(), headers={b"x-tidegate-arm": b"canary"}, end_user=other)
    assert (noted.arm, noted.arm_forced) == ("stable", False)
    with pytest.raises(Refusal, match="must be stable, canary or the name"):
        given(prepared_canary(), key=staff, headers={b"x-tidegate-arm": b"both"})


def test_who_goes_on_from_an_answer_stays_where_that_is_kept() -> None:
    route = prepared_canary()
    assert route.candidate is not None
    noted = receipt(arm="stable", release="small@1")
    assert stay(route, noted, "coming") is route.candidate.route
    assert (noted.arm, noted.arm_forced, noted.release) == ("canary", True, "small@2")
    assert stay(route, noted, "coming") is route.candidate.route
    assert stay(route, noted, "stable") is route


def test_what_a_release_keeps_that_nobody_gets_any_more_is_not_gone_on_from() -> None:
    route = prepared_canary(0.0)
    assert route.candidate is not None
    with pytest.raises(Refusal, match="send the whole conversation"):
        stay(route, receipt(arm="stable"), "coming")


def test_two_arms_are_served_by_their_own_targets_and_told_in_the_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            routes = canaried(at(up, "a"), at(up, "b"))
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                plan = it.world.plan
                assert plan is not None and plan.routes["small"].candidate is not None
                reply = await it.ask()
                assert reply.headers["x-tidegate-arm"] == "stable"
                plan.routes["small"].candidate.weight = 1.0
                reply = await it.ask()
                assert reply.headers["x-tidegate-arm"] == "canary"
                assert reply.headers["x-tidegate-release"] == "small@2"
                assert [it.target for it in it.receipts()] == ["a", "b"]
                assert [it.release for it in it.receipts()] == ["small@1", "small@2"]

    run(main())


def test_a_failing_candidates_fallback_is_charged_to_its_arm(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream() as up:
            routes = canaried(at(up, "a"), at(bad, "b"), with_unavailable=(at(up, "c"),))
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                plan = it.world.plan
                assert plan is not None and plan.routes["small"].candidate is not None
                plan.routes["small"].candidate.weight = 1.0
                assert (await it.ask()).status == 200
                [noted] = it.receipts()
                assert (noted.arm, noted.target, len(noted.attempts)) == ("canary", "c", 3)

    run(main())


def test_a_plan_without_a_release_says_nothing_of_arms(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, at(up, "small")) as it:
            reply = await it.ask(body=HELLO)
            assert "x-tidegate-arm" not in reply.headers
            [noted] = it.receipts()
            assert noted.rollout is None and noted.arm is None and noted.unit is None

    run(main())


def test_the_place_decides_by_the_published_rule() -> None:
    for n in range(50):
        noted = given(prepared_canary(0.3), end_user=f"user-{n}")
        assert noted.unit is not None
        assert (noted.arm == "canary") == is_canary(noted.unit, 0.3)
