"""Feedback is attached where its key made the request, waits for its receipt, or is dropped."""

import pytest
from sqlalchemy import Engine
from tests.stores.said import NOON_S, feedback, recorded, table_bytes

from tidegate.core.deletion import Deletion
from tidegate.core.feedback import Feedback
from tidegate.stores import assessments as assessments_of
from tidegate.stores import captures, database, judged_hits
from tidegate.stores import feedback as feedback_of
from tidegate.stores.feedback import WAIT_S, Heard, Rate, Which
from tidegate.stores.schema_assessed import assessments

EVERY = Which()


def store(engine: Engine, *several: Feedback) -> dict[str, int]:
    with database.writing(engine) as connection:
        return dict(feedback_of.store(connection, several))


def attach(engine: Engine, now_s: float = NOON_S) -> dict[str, int]:
    with database.writing(engine) as connection:
        return {name: n for name, n in feedback_of.attach_waiting(connection, now_s).items() if n}


def heard(engine: Engine, which: Which = EVERY) -> list[Heard]:
    with database.reading(engine) as connection:
        return feedback_of.newest(connection, which)


def test_it_is_attached_to_what_served_the_request(engine: Engine) -> None:
    receipt = recorded(
        engine, release="r1", arm="canary", prompt="p", prompt_version="v4", model_served="m"
    )
    assert store(engine, feedback(receipt, rating=-1.0, tags=("a",))) == {"attached": 1}
    [one] = heard(engine)
    assert (one.route, one.release, one.arm, one.prompt_version) == ("chat", "r1", "canary", "v4")
    assert (one.model, one.rating, one.tags) == ("m", -1.0, ("a",))


def test_who_did_not_make_the_request_is_not_heard(engine: Engine) -> None:
    receipt = recorded(engine, key_id="victim")
    assert store(engine, feedback(receipt, key_id="thief", rating=-1.0)) == {"foreign": 1}
    # Said before the receipt has come, it waits, and is dropped when that does.
    assert store(engine, feedback("01900000-0000-7000-8000-00000000000a", key_id="thief")) == {
        "waiting": 1
    }
    recorded(engine, id="01900000-0000-7000-8000-00000000000a", key_id="victim")
    assert heard(engine) == []
    assert attach(engine) == {"foreign": 1}
    assert heard(engine) == [] and table_bytes(engine) == b"[]"


def test_it_waits_for_its_receipt_and_not_for_ever(engine: Engine) -> None:
    soon, never = "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"
    assert store(engine, feedback(soon, rating=1.0), feedback(never)) == {"waiting": 2}
    assert heard(engine) == []
    with database.reading(engine) as connection:
        assert feedback_of.some_wait(connection)
    recorded(engine, id=soon)
    assert attach(engine, NOON_S + WAIT_S) == {"attached": 1}
    assert [it.receipt_id for it in heard(engine)] == [soon]
    assert attach(engine, NOON_S + WAIT_S + 1) == {"unmatched": 1}
    with database.reading(engine) as connection:
        assert not feedback_of.some_wait(connection)


def test_days_later_it_is_attached_at_once(engine: Engine) -> None:
    receipt = recorded(engine)
    late = feedback(receipt, rating=1.0, at_s=NOON_S + 5 * 86_400)
    assert store(engine, late) == {"attached": 1}


def test_what_is_said_again_counts_once_and_the_last_word_stands(engine: Engine) -> None:
    receipt = recorded(engine)
    first, last = (
        feedback(receipt, rating=-1.0, at_s=NOON_S),
        feedback(receipt, rating=1.0, at_s=NOON_S + 9),
    )
    for said in (first, last, first):
        store(engine, said)
    store(engine, feedback(receipt, "regenerated"), feedback(receipt, "regenerated"))
    assert [(it.kind, it.rating) for it in heard(engine)] == [
        ("rating", 1.0),
        ("regenerated", None),
    ]


@pytest.mark.parametrize(
    ("which", "count"),
    [
        (Which(), 4),
        (Which(route="other"), 1),
        (Which(rated="down"), 2),
        (Which(rated="up"), 1),
        (Which(since_s=NOON_S + 1), 0),
    ],
)
def test_it_is_found_by_what_it_says(engine: Engine, which: Which, count: int) -> None:
    ours, others = recorded(engine), recorded(engine, route="other")
    more = recorded(engine)
    said = [feedback(ours, rating=-1.0), feedback(ours, "comment", comment="no")]
    store(engine, *said, feedback(others, rating=-0.2), feedback(more, rating=0.1))
    assert len(heard(engine, which)) == count


def test_rates_are_of_those_who_rated_by_arm_and_version(engine: Engine) -> None:
    ratings = (("stable", -1.0), ("stable", 1.0), ("stable", 1.0), ("canary", -1.0))
    for arm, rating in ratings:
        receipt = recorded(engine, arm=arm, prompt_version="v1")
        store(engine, feedback(receipt, rating=rating), feedback(receipt, "comment", comment="x"))
    store(engine, feedback(recorded(engine, arm="canary", prompt_version="v1"), "regenerated"))
    with database.reading(engine) as connection:
        found = feedback_of.rates(connection, Which(route="chat"))
    assert found == [
        Rate("chat", "canary", "v1", 1, 1, 1),
        Rate("chat", "stable", "v1", 3, 1, 0),
    ]


def test_what_is_old_is_dropped(engine: Engine) -> None:
    store(engine, feedback(recorded(engine), rating=1.0))
    assert feedback_of.drop_old(engine, NOON_S) == 0
    assert feedback_of.drop_old(engine, NOON_S + 1) == 1
    assert heard(engine) == []


def thumbs(engine: Engine) -> dict[str, bool | None]:
    with database.reading(engine) as connection:
        rows = connection.execute(assessments.select()).all()
    assert {row.assessed_as for row in rows} <= {"thumbs_down"}
    return {row.receipt_id: row.is_bad for row in rows}


def test_a_rating_is_an_assessment_of_the_arm_that_served(engine: Engine) -> None:
    of_release = {"rollout": "chat/v2", "arm": "canary", "unit": (1 << 64) - 1}
    down, up, neither = (recorded(engine, **of_release) for _ in range(3))
    told = {down.id: True, up.id: False, neither.id: False}
    ratings = (-0.5, 1.0, 0.0)
    for receipt, rating in zip((down, up, neither), ratings, strict=True):
        store(engine, feedback(receipt, rating=rating), feedback(receipt, "regenerated"))
    assert thumbs(engine) == told
    with database.reading(engine) as connection:
        waiting = [it for _, it in assessments_of.unfolded(connection)]
    assert [(it.rollout, it.arm, it.unit) for it in waiting] == [
        ("chat/v2", "canary", 2**64 - 1)
    ] * 3
    store(engine, feedback(down, rating=1.0, at_s=NOON_S + 9))  # what was counted is counted
    assert thumbs(engine) == told
    with database.reading(engine) as connection:
        [rate] = feedback_of.rates(connection, EVERY)
    assert (rate.rated, rate.down) == (3, 0)


def test_a_rating_that_waited_is_assessed_when_its_receipt_comes(engine: Engine) -> None:
    soon = "01900000-0000-7000-8000-000000000001"
    foreign = "01900000-0000-7000-8000-000000000002"
    store(engine, feedback(soon, rating=-1.0), feedback(foreign, rating=-1.0))
    assert thumbs(engine) == {}
    recorded(engine, id=soon)
    recorded(engine, id=foreign, key_id="other")
    attach(engine)
    assert thumbs(engine) == {soon: True}


def test_what_is_deleted_has_no_assessment(engine: Engine) -> None:
    receipt = recorded(engine, customer="acme")
    said = feedback(receipt, rating=-1.0, customer="acme")
    store(engine, said)
    with database.writing(engine) as connection:
        captures.remove(connection, Deletion(NOON_S + 9, "acme"), NOON_S + 9)
    assert thumbs(engine) == {}
    assert store(engine, said) == {"deleted": 1}
    assert thumbs(engine) == {}


def test_the_first_complaint_of_each_is_found(engine: Engine) -> None:
    down, anew, up = (recorded(engine) for _ in range(3))
    store(engine, feedback(down, rating=-1.0, at_s=NOON_S + 2), feedback(up, rating=1.0))
    store(engine, feedback(down, "regenerated", at_s=NOON_S + 1), feedback(anew, "regenerated"))
    store(engine, feedback(up, "comment", comment="so"))
    with database.reading(engine) as connection:
        found = feedback_of.complaints(connection, [down.id, anew.id, up.id])
    assert found == {down.id: NOON_S + 1, anew.id: NOON_S}


def test_a_thumb_for_a_kept_answer_is_of_that_and_of_no_release(engine: Engine) -> None:
    of = {"rollout": "chat/v2", "arm": "canary", "prompt_version": "v2"}
    hit = recorded(engine, cache="hit", cache_tier="semantic", cache_from="r-first", **of)
    live = recorded(engine, cache="miss", **of)
    store(engine, feedback(hit, rating=-1.0), feedback(live, rating=1.0))
    store(engine, feedback(hit, rating=-1.0))
    assert thumbs(engine) == {live.id: False}
    with database.reading(engine) as connection:
        [found] = judged_hits.found(connection, "chat", 0.0)
        rates = feedback_of.rates(connection, Which())
    assert (found.assessed_as, found.stratum.tier) == ("thumbs_down", "semantic")
    assert (found.known, found.bad, found.captured) == (1, 1, 1)
    by = sorted((it.cache_tier or "", it.rated, it.down) for it in rates)
    assert by == [("", 1, 0), ("semantic", 1, 1)]
