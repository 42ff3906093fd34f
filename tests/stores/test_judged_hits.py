"""What is found of kept answers is kept once, and added up by tier and score."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from tests.stores.said import NOON_S

from tidegate.core.judged_hit import JudgedHit
from tidegate.stores import captured_hits, database, judged_hits
from tidegate.stores.captured_hits import Stratum
from tidegate.stores.judged_hits import FoundHits

EXACT = Stratum("exact", None, given=True, vetoed=False)
HOUR = int(NOON_S // 3600 * 3600)


def hit(number: int = 0, **fields: Any) -> JudgedHit:
    values: dict[str, Any] = {
        "receipt_id": f"r{number}",
        "assessed_as": "quality",
        "route": "faq",
        "tier": "exact",
        "is_bad": False,
        "at_s": NOON_S + 60,
        "started_at_s": NOON_S + number,
        "cost_nanousd": 10,
    }
    return JudgedHit(**(values | fields))


def store(engine: Engine, *several: JudgedHit) -> None:
    with database.writing(engine) as connection:
        judged_hits.store(connection, several)


def of(engine: Engine, since_s: float = NOON_S) -> list[JudgedHit]:
    with database.reading(engine) as connection:
        return judged_hits.judged_hits(connection, "faq", since_s)


def found(engine: Engine) -> list[FoundHits]:
    with database.reading(engine) as connection:
        return judged_hits.found(connection, "faq", NOON_S)


def test_the_first_stands_and_comes_back_whole(engine: Engine) -> None:
    made = hit(
        tier="semantic",
        given=False,
        score=0.91,
        veto="numbers",
        is_bad=True,
        is_same=False,
        judge="d",
        decides=False,
        why="w",
        kept_from="r",
        customer="acme",
    )
    store(engine, made)
    store(engine, hit(is_bad=None))
    assert of(engine) == [made]


def test_only_what_judges_found_of_that_route_and_time_is_given(engine: Engine) -> None:
    wanted = [hit(1), hit(2, is_bad=None)]
    thumb = hit(1, assessed_as="thumbs_down", is_bad=True)
    store(engine, *wanted, thumb, hit(3, route="other"), hit(4, started_at_s=NOON_S - 1))
    assert of(engine) == wanted
    with database.reading(engine) as connection:
        assert judged_hits.is_judged(connection, "r2")
        assert not judged_hits.is_judged(connection, "r9")


def test_unknown_is_neither_good_nor_bad_and_no_cost_is_made_up(engine: Engine) -> None:
    store(engine, hit(1), hit(2, is_bad=True), hit(3, is_bad=None, cost_nanousd=None))
    with database.writing(engine) as connection:
        captured_hits.add(connection, {("faq", EXACT, HOUR): 5})
        captured_hits.add(connection, {("faq", EXACT, HOUR): 2})
    assert found(engine) == [FoundHits("faq", EXACT, "quality", 7, 2, 1, 1, 20, 1)]


def test_strata_of_which_nobody_judged_any_are_shown(engine: Engine) -> None:
    near = Stratum("semantic", 92, given=False, vetoed=False)
    with database.writing(engine) as connection:
        captured_hits.add(connection, {("faq", near, HOUR): 3})
    assert found(engine) == [FoundHits("faq", near, "quality", 3, 0, 0, 0, 0, 0)]


def test_what_is_old_goes(engine: Engine) -> None:
    store(engine, hit(1), hit(2, started_at_s=NOON_S - 9000))
    with database.writing(engine) as connection:
        captured_hits.add(connection, {("faq", EXACT, HOUR): 1, ("faq", EXACT, HOUR - 7200): 9})
    assert judged_hits.drop_old(engine, NOON_S) == 1
    assert [it.receipt_id for it in of(engine, 0.0)] == ["r1"]
    with database.reading(engine) as connection:
        assert captured_hits.counted(connection, None, 0.0) == {("faq", EXACT): 1}


_hits = st.lists(
    st.tuples(
        st.integers(0, 6),  # few, so that some come twice
        st.sampled_from(["exact", "semantic"]),
        st.sampled_from([None, True, False]),
        st.sampled_from([None, 0.8, 0.83, 0.97]),
        st.booleans(),
    ),
    max_size=25,
)


@given(_hits)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sums_are_those_of_the_hits_however_often_each_comes(
    sqlite_engine: Engine, rows: list[Any]
) -> None:
    judged_hits.drop_old(sqlite_engine, NOON_S + 100)
    made = [
        hit(n, tier=tier, is_bad=bad, score=score, given=is_given)
        for n, tier, bad, score, is_given in rows
    ]
    for one in made:
        store(sqlite_engine, one)
    store(sqlite_engine, *made)
    first = {one.receipt_id: one for one in reversed(made)}
    summed = found(sqlite_engine)
    wanted = Counter(it.is_bad for it in first.values())
    assert sum(it.known for it in summed) == wanted[True] + wanted[False]
    assert sum(it.bad for it in summed) == wanted[True]
    assert sum(it.unknown for it in summed) == wanted[None]
    assert sum(it.cost_nanousd for it in summed) == 10 * len(first)
    assert {it.receipt_id: it.is_bad for it in of(sqlite_engine)} == {
        name: it.is_bad for name, it in first.items()
    }
