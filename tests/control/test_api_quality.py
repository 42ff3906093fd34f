"""What is found of live answers, over the control API."""

from typing import Any

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores import rig

from tidegate.core import clock
from tidegate.core.assessment import AssessedAs, assessment_of
from tidegate.core.bin import COUNTS, Bin, BinKey
from tidegate.core.judged_hit import judged_hit
from tidegate.stores import assessments, database, judged_hits
from tidegate.stores.ledger import Ledger
from tidegate.stores.signal_bins import SignalWriter

PLAN = """
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
routes:
  chat:
    target: {provider: mine, model: small, price: free}
    capture: 100%
    quality: {checks: [refusal]}
  plain: {target: {provider: mine, model: small, price: free}}
"""


@pytest.fixture
def graded(room: Room, engine: Engine) -> Room:
    """Of the canary's 5 answers in 100 all that were looked at are bad, of the others' none."""
    room.plan_file.write_text(PLAN)
    room.plans.start(1)
    for arm, release, bad in (("canary", "v2", True), ("stable", "v1", False)):
        for _ in range(10):
            found(engine, bad, arm=arm, release=release, prompt_version=release)
    found(engine, None, arm="canary", release="v2", prompt_version="v2")
    found(engine, True, "thumbs_down", arm="canary", release="v2", prompt_version="v2")
    minute_s = int(clock.wall_s() // 60 * 60)
    bins = {}
    for arm, release, count in (("stable", "v1", 95), ("canary", "v2", 5)):
        one = Bin()
        one.counts[COUNTS.index("availability_good")] = count
        bins[BinKey(minute_s, "chat", arm, release, "small")] = one
    with database.writing(engine) as connection:
        SignalWriter(engine, "").add(connection, bins, 1)
    return room


def found(engine: Engine, is_bad: bool | None, as_: AssessedAs = "quality", **fields: Any) -> None:
    now_s = clock.wall_s()
    receipt = rig.receipt(now_s, route="chat", model_served="m", **fields)
    Ledger(engine).write(rig.entries(receipt), [])
    with database.writing(engine) as connection:
        assessments.store(connection, [assessment_of(receipt, as_, is_bad, now_s)])


def test_each_arm_is_shown_and_all_answers_weigh_as_they_are(graded: Room) -> None:
    [chat] = graded.ask("GET", "/api/quality").json()["quality"]
    assert (chat["route"], chat["is_graded"], chat["ungraded"]) == ("chat", True, None)
    canary, stable = chat["judged"]
    assert (canary["found"]["known"], canary["found"]["unknown"]) == (10, 1)
    assert canary["bad"]["share"] == 1.0 and canary["bad"]["low"] > 0.6
    assert stable["bad"]["share"] == 0.0 and stable["bad"]["high"] < 0.4
    assert chat["overall"]["share"] == pytest.approx(0.05)
    assert chat["overall"]["covered"] == 1.0
    [other] = chat["others"]
    assert (other["assessed_as"], other["bad"]) == ("thumbs_down", 1)


def test_what_is_not_graded_says_why_while_it_should_be(graded: Room, engine: Engine) -> None:
    with database.writing(engine) as connection:
        assessments.note_ungraded(connection, "chat", "its judge is away", 5.0)
    [chat] = graded.ask("GET", "/api/quality?route=chat").json()["quality"]
    assert chat["ungraded"] == {"route": "chat", "since_s": 5.0, "why": "its judge is away"}
    graded.plan_file.write_text(PLAN.replace("quality: {checks: [refusal]}", "unsupported: drop"))
    graded.plans.start(9)
    [chat] = graded.ask("GET", "/api/quality").json()["quality"]
    assert (chat["is_graded"], chat["ungraded"]) == (False, None)


def test_nothing_known_is_nothing_said(graded: Room) -> None:
    assert graded.ask("GET", "/api/quality?route=plain").json() == {"quality": []}
    [chat] = graded.ask("GET", "/api/quality?since_s=0.000001").json()["quality"]
    assert (chat["overall"], chat["judged"], chat["others"]) == (None, [], [])


def test_assessments_are_listed_by_what_is_asked_for(graded: Room) -> None:
    def listed(query: str) -> list[dict[str, Any]]:
        answer = graded.ask("GET", f"/api/quality/assessments?{query}")
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["assessments"]
        return rows

    assert len(listed("bad=true")) == 11
    assert len(listed("bad=true&kind=quality&arm=canary")) == 10
    first, second = listed("limit=2")
    assert [first] == listed("limit=1")
    assert [second] == listed(f"limit=1&before_id={first['receipt_id']}")
    assert error_code(graded.ask("GET", "/api/quality/assessments?kind=x")) == "invalid_request"


def test_a_teams_lead_sees_none_of_it(graded: Room) -> None:
    token = graded.make_team("blue")
    for path in ("/api/quality", "/api/quality/assessments"):
        assert graded.ask("GET", path, token=token).status_code == 403


def test_kept_answers_stand_apart_from_live_ones(graded: Room, engine: Engine) -> None:
    [before] = graded.ask("GET", "/api/quality?route=chat").json()["quality"]
    receipt = rig.receipt(clock.wall_s(), key_id="k", route="chat", cache="hit", cache_tier="exact")
    with database.writing(engine) as connection:
        for as_, bad in (("quality", True), ("thumbs_down", True)):
            made = judged_hit(receipt, as_, bad, clock.wall_s())
            judged_hits.store(connection, [made])
        judged_hits.note_unjudged(connection, "chat", "its judge is away", 5.0)
    [after] = graded.ask("GET", "/api/quality?route=chat").json()["quality"]
    hits = after.pop("hits")
    assert before.pop("hits") is None
    assert after == before
    assert (hits["is_judged"], hits["unjudged"]) == (False, None), "the plan does not ask for it"
    assert [it["tier"] for it in hits["tiers"]] == ["exact"]
    assert hits["tiers"][0]["bad"]["share"] == 1.0
    assert [it["assessed_as"] for it in hits["others"]] == ["thumbs_down"]
