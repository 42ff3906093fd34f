"""What may be graded, what was, and how many answers there were."""

from typing import Any

import msgspec
from sqlalchemy import Engine
from tests.stores import rig
from tests.stores.said import NOON_S, captured, recorded

from tidegate.core.assessment import assessment_of
from tidegate.core.bin import COUNTS, Bin, BinKey
from tidegate.core.receipt import Receipt
from tidegate.stores import assessments, captures, database, live_answers
from tidegate.stores.live_answers import Cell, Found, Kept, Which
from tidegate.stores.signal_bins import SignalWriter

HOUR_S = 3600


def store(engine: Engine, receipt: Receipt, is_bad: bool | None, **fields: Any) -> None:

    made = assessment_of(receipt, fields.pop("as_", "quality"), is_bad, NOON_S + 60)
    with database.writing(engine) as connection:
        assessments.store(connection, [msgspec.structs.replace(made, **fields)])


def test_captured_requests_of_users_come_page_by_page(engine: Engine) -> None:
    made = [captured(NOON_S + n, n, arm="canary", prompt_version="v2", model="m") for n in range(5)]
    others = [
        captured(NOON_S + 9, 10, purpose="eval", key_id="k"),
        captured(NOON_S + 9, 11, arm="shadow"),
        captured(NOON_S + 9, 12, route="other"),
    ]
    with database.writing(engine) as connection:
        captures.store(connection, [*made, *others], NOON_S)
    found: list[Kept] = []
    after = live_answers.first_kept_at(NOON_S + 1)
    with database.reading(engine) as connection:
        while True:
            page, last = live_answers.kept_after(connection, "chat", after, 2)
            found += page
            if last == after:
                break
            after = last
    assert [it.receipt_id for it in found] == [it.receipt_id for it in made[1:]]
    assert (found[0].arm, found[0].prompt_version, found[0].model) == ("canary", "v2", "m")


def test_what_was_graded_is_known_by_its_request(engine: Engine) -> None:
    one, other = recorded(engine), recorded(engine)
    store(engine, one, True, cost_nanousd=7, judge="j")
    store(engine, other, True, as_="thumbs_down")
    with database.reading(engine) as connection:
        [judged] = live_answers.judged(connection, "chat", NOON_S)
        assert (judged.receipt_id, judged.cost_nanousd, judged.judge) == (one.id, 7, "j")
        assert not live_answers.judged(connection, "chat", NOON_S + 61)
        assert live_answers.is_judged(connection, one.id)
        assert not live_answers.is_judged(connection, other.id)


def test_it_is_counted_by_arm_version_and_model_and_what_is_unknown_stays_so(
    engine: Engine,
) -> None:
    canary = {"arm": "canary", "prompt_version": "v2", "model_served": "m"}
    for is_bad, cost in ((True, 5), (False, 6), (None, None)):
        store(engine, recorded(engine, **canary), is_bad, cost_nanousd=cost)
    store(engine, recorded(engine, route="other"), True)
    with database.reading(engine) as connection:
        found = live_answers.found(connection, ["chat"], NOON_S - 60)
        assert not live_answers.found(connection, ["chat"], NOON_S + 60)
    assert found == [Found("chat", "canary", "v2", "m", 2, 1, 1, 11, 1, NOON_S, NOON_S)]


def test_parts_are_counted_as_signals_count_them(engine: Engine) -> None:
    for arm, is_bad in (("canary", True), ("stable", False), (None, False), (None, None)):
        store(engine, recorded(engine, arm=arm, release="r", target="t"), is_bad)
    hour_s = int(NOON_S // HOUR_S * HOUR_S)
    bins = {}
    for arm, count in (("stable", 90), ("canary", 10), ("shadow", 50)):
        one = Bin()
        one.counts[COUNTS.index("availability_good")] = count
        bins[BinKey(hour_s, "chat", arm, "r", "t")] = one
    with database.writing(engine) as connection:
        SignalWriter(engine, "").add(connection, bins, 1)
    with database.reading(engine) as connection:
        found = live_answers.found_by_cell(connection, "chat", NOON_S - 60)
        assert found == {Cell("stable", "r", "t"): (2, 0), Cell("canary", "r", "t"): (1, 1)}
        sizes = live_answers.answered_by_cell(connection, "chat", NOON_S)
        assert sizes == {Cell("stable", "r", "t"): 90, Cell("canary", "r", "t"): 10}
        assert live_answers.answered_since(connection, "chat", hour_s - 1) == 100
        assert live_answers.answered_since(connection, "chat", hour_s) == 0


def test_the_newest_are_listed_by_what_is_asked_for(engine: Engine) -> None:
    made = [rig.receipt(NOON_S + n, key_id="k", route="chat") for n in range(3)]
    for number, receipt in enumerate(made):
        store(engine, receipt, number == 1)
    store(engine, made[0], None, as_="follow_up")
    ids = [it.id for it in made]
    with database.reading(engine) as connection:

        def listed(**which: Any) -> list[tuple[str, str]]:
            limit = which.pop("limit", 100)
            found = live_answers.newest(connection, Which(**which), limit=limit)
            return [(it.receipt_id, it.assessed_as) for it in found]

        quality = [(id, "quality") for id in reversed(ids)]
        assert listed() == [*quality[:2], (ids[0], "follow_up"), quality[2]]
        assert listed(assessed_as="quality", limit=2) == quality[:2]
        assert listed(is_bad=True) == [(ids[1], "quality")]
        assert listed(before_id=ids[1], assessed_as="quality") == [quality[2]]
        assert not listed(route="other") and not listed(arm="canary")
