"""Hits are weighed by how many there were of their kind, and kept beside fresh answers."""

import pytest
from sqlalchemy import Engine
from tests.stores.test_judged_hits import hit

from tidegate.control import cache_quality
from tidegate.controllers.cache_worth import TierSeen, View
from tidegate.core.assessment import Assessment
from tidegate.core.cache_worth import CacheSums, Judged, Quality, Worth
from tidegate.stores import assessments, captured_hits, database, judged_hits
from tidegate.stores.captured_hits import Stratum

HOUR_S = 1_790_164_800.0


def judge(engine: Engine, scores: dict[float, int], *, at_s: float = HOUR_S) -> None:
    """Of each score ten hits, of which so many are bad."""
    made = [
        hit(
            round(score * 100) * 100 + number,
            tier="semantic",
            score=score,
            is_bad=number < bad,
            started_at_s=at_s + number,
        )
        for score, bad in scores.items()
        for number in range(10)
    ]
    with database.writing(engine) as connection:
        judged_hits.store(connection, made)


def fresh(engine: Engine, judged: int, bad: int, arm: str = "stable") -> None:
    made = [
        Assessment(f"{arm}{number}", "quality", number < bad, HOUR_S, HOUR_S, route="faq", arm=arm)  # type: ignore[arg-type]
        for number in range(judged)
    ]
    with database.writing(engine) as connection:
        assessments.store(connection, made)


def test_each_kind_counts_for_as_much_as_there_was_of_it(engine: Engine) -> None:
    judge(engine, {0.86: 5, 0.96: 0})
    with database.writing(engine) as connection:
        counts = {
            ("faq", Stratum("semantic", at, given=True, vetoed=False), int(HOUR_S)): count
            for at, count in ((86, 10), (96, 90))
        }
        captured_hits.add(connection, counts)
        found = cache_quality.of_route(connection, "faq", HOUR_S)["semantic"]
    assert found.hits.bad / found.hits.judged == pytest.approx(0.1 * 0.5)
    assert 10 < found.hits.judged < 20, "worth less than all that were judged"
    assert found.by_score == ((0.86, Judged(10, 5)), (0.96, Judged(10, 0)))
    assert found.cost_nanousd == 200


def test_a_judge_that_only_informs_says_nothing_of_them(engine: Engine) -> None:
    with database.writing(engine) as connection:
        judged_hits.store(connection, [hit(n, is_bad=True, decides=n > 3) for n in range(10)])
        found = cache_quality.of_route(connection, "faq", 0.0)["exact"]
    assert found.hits.judged == pytest.approx(6), "four were judged by one that is not calibrated"
    assert found.cost_nanousd == 100, "they were paid all the same"


def test_beside_them_are_fresh_answers_and_no_copies(engine: Engine) -> None:
    fresh(engine, 20, 3)
    fresh(engine, 5, 5, arm="shadow")
    with database.reading(engine) as connection:
        found = cache_quality.of_route(connection, "faq", HOUR_S)
    assert found == {None: Quality(fresh=Judged(20, 3))}


def test_a_view_has_what_was_found_since_a_whole_hour(engine: Engine) -> None:
    judge(engine, {0.9: 3})
    seen = (TierSeen("semantic", blocks=(CacheSums(1),)), TierSeen("exact"))
    view = View("faq", HOUR_S, Worth(), seen)
    with database.reading(engine) as connection:
        now = cache_quality.added_to(connection, view, HOUR_S)
        later = cache_quality.added_to(connection, view, HOUR_S + 1)
    assert now.tiers[0].quality.hits.judged == pytest.approx(10)
    assert now.tiers[1].quality == Quality(), "there is nothing new of it"
    assert later.tiers[0].quality == Quality()
