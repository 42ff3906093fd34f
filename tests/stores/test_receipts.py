import re

import pytest
from sqlalchemy import Engine, event, update
from tests.stores import rig

from tidegate.core.receipt import Receipt
from tidegate.stores import database, receipts, schema
from tidegate.stores.errors import StoreCorrupt
from tidegate.stores.ledger import Ledger
from tidegate.stores.receipts import Cost, Filter
from tidegate.stores.summary import summary

EVERYTHING = Filter()


def store(engine: Engine, *several: Receipt) -> None:
    Ledger(engine).write(rig.entries(*several), [])


def ids(found: list[Receipt]) -> list[str]:
    return [receipt.id for receipt in found]


def test_a_receipt_is_found_by_its_id_whole(engine: Engine) -> None:
    one = rig.receipt(attributes={"a": "b"})
    store(engine, one)
    assert receipts.by_id(engine, one.id) == one
    assert receipts.by_id(engine, "nothing") is None


def test_the_newest_come_first_and_pages_go_back(engine: Engine) -> None:
    made = [rig.receipt(rig.NOON_S + n) for n in range(5)]
    store(engine, *made)
    first = receipts.recent(engine, EVERYTHING, limit=2)
    rest = receipts.recent(engine, EVERYTHING, limit=9, before_id=first[-1].id)
    assert ids(first) == [made[4].id, made[3].id]
    assert ids(rest) == [made[2].id, made[1].id, made[0].id]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (Filter(key_id="kkkk1111"), [1]),
        (Filter(route="slow"), [2]),
        (Filter(team="red"), [3]),
        (Filter(customer="acme"), [4]),
        (Filter(target="large"), [5]),
        (Filter(purpose="eval"), [6]),
        (Filter(session_id="s"), [7]),
        (Filter(trace_id="t"), [8]),
        (Filter(error_code="internal"), [9]),
        (Filter(end_user="u"), [11]),
        (Filter(validity="malformed"), [12]),
        (Filter(model_refusal="full"), [13]),
        (Filter(failed=True), [9, 10]),
        (Filter(failed=True, route="slow"), []),
        (Filter(since_s=rig.NOON_S + 9), [9, 10, 11, 12, 13]),
        (Filter(until_s=rig.NOON_S + 2), [0, 1]),
        (Filter(since_s=rig.NOON_S + 3, until_s=rig.NOON_S + 5), [3, 4]),
    ],
)
def test_a_filter_finds_exactly_its_receipts(
    engine: Engine, which: Filter, found: list[int]
) -> None:
    odd: list[dict[str, str]] = [
        *({}, {"key_id": "kkkk1111"}, {"route": "slow"}, {"team": "red"}, {"customer": "acme"}),
        *({"target": "large"}, {"purpose": "eval"}, {"session_id": "s"}, {"trace_id": "t"}),
        *({"error_code": "internal"}, {"error_code": "upstream_error"}, {"end_user": "u"}),
        *({"validity": "malformed"}, {"model_refusal": "full"}),
    ]
    made = [rig.receipt(rig.NOON_S + n, **fields) for n, fields in enumerate(odd)]
    store(engine, *made)
    expected = {made[n].id for n in found}
    assert set(ids(receipts.recent(engine, which))) == expected
    _, tailed = receipts.arrived_after(engine, 0, which)
    assert set(ids(tailed)) == expected
    paged, total = receipts.page(engine, which, 1, 100)
    assert (set(ids(paged)), total) == (expected, len(expected))
    assert summary(engine, which).sums.requests == len(expected)


def test_pages_count_from_one_and_what_was_looked_at(engine: Engine) -> None:
    made = [rig.receipt(rig.NOON_S + n, team="red" if n % 2 else "blue") for n in range(6)]
    store(engine, *made)
    red = Filter(team="red")
    assert ids(receipts.page(engine, red, 1, 2)[0]) == [made[5].id, made[3].id]
    assert ids(receipts.page(engine, red, 2, 2)[0]) == [made[1].id]
    assert receipts.page(engine, red, 3, 2) == ([], 3)
    assert receipts.page(engine, red, 1, 2, scan_rows=4)[1] == 2
    assert ids(receipts.page(engine, Filter(id=made[0].id), 1, 2)[0]) == [made[0].id]


def test_costs_are_of_all_receipts_or_of_none(engine: Engine) -> None:
    store(
        engine,
        rig.receipt(rig.NOON_S, cost_nanousd=5, end_user="u", model_wanted="m"),
        rig.receipt(rig.NOON_S, cost_nanousd=None),
    )
    assert receipts.costs(engine, EVERYTHING) == [Cost(rig.NOON_S, 5, "aaaa0000", "u", "m")]
    assert receipts.costs(engine, EVERYTHING, scan_rows=1) is None


def test_a_tail_sees_a_long_request_that_settled_late(engine: Engine) -> None:
    """Its id is older than the last one shown, its arrival is not."""
    store(engine, rig.receipt(rig.NOON_S + 5))
    seq = receipts.newest_seq(engine)
    late = rig.receipt(rig.NOON_S)
    store(engine, late)
    seq, found = receipts.arrived_after(engine, seq, EVERYTHING)
    assert ids(found) == [late.id]
    assert receipts.arrived_after(engine, seq, EVERYTHING) == (seq, [])


def test_a_tail_misses_nothing_however_it_is_cut(engine: Engine) -> None:
    made = [rig.receipt(rig.NOON_S + n, team="red" if n % 3 else "blue") for n in range(50)]
    store(engine, *made)
    seq, found = 0, []
    for _ in range(40):
        seq, more = receipts.arrived_after(engine, seq, Filter(team="blue"), limit=4, scan_rows=7)
        found += ids(more)
    assert found == [r.id for r in made if r.team == "blue"]


def test_an_empty_ledger_has_no_receipt(engine: Engine) -> None:
    assert receipts.newest_seq(engine) == 0
    assert receipts.top(engine, "slowest", EVERYTHING) == []


def test_the_worst_come_first(engine: Engine) -> None:
    slow = rig.receipt(total_s=9.0, ttft_s=1.0, cost_nanousd=1)
    dear = rig.receipt(total_s=1.0, ttft_s=2.0, cost_nanousd=900)
    unknown = rig.receipt(total_s=None, ttft_s=None, cost_nanousd=None, error_code="internal")
    store(engine, slow, dear, unknown)
    assert ids(receipts.top(engine, "slowest", EVERYTHING)) == [slow.id, dear.id]
    assert ids(receipts.top(engine, "slowest_first_token", EVERYTHING, limit=1)) == [dear.id]
    assert ids(receipts.top(engine, "dearest", EVERYTHING)) == [dear.id, slow.id]
    assert ids(receipts.top(engine, "failed", EVERYTHING)) == [unknown.id]


@pytest.mark.parametrize(
    ("which", "index"),
    [
        (Filter(), "ix_receipts_id"),
        (Filter(since_s=rig.NOON_S, until_s=rig.NOON_S + 1), "ix_receipts_id"),
        (Filter(key_id="aaaa0000"), "ix_receipts_key"),
        (Filter(route="fast"), "ix_receipts_route"),
        (Filter(failed=True), "ix_receipts_failed"),
        (Filter(team="blue", since_s=rig.NOON_S), "ix_receipts_id"),
    ],
)
def test_listing_is_an_index_read_without_a_sort(
    sqlite_engine: Engine, which: Filter, index: str
) -> None:
    asked: list[tuple[str, object]] = []
    event.listen(
        sqlite_engine,
        "before_cursor_execute",
        lambda _c, _cursor, sql, values, *_rest: asked.append((sql, values)),
    )
    receipts.recent(sqlite_engine, which)
    selects = [(sql, values) for sql, values in asked if sql.startswith("SELECT")]
    assert len(selects) == (2 if which.team else 1)
    with sqlite_engine.connect() as connection:
        for sql, values in selects:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
            steps = " / ".join(row[3] for row in plan)
            assert index in steps
            assert "TEMP B-TREE" not in steps


def test_window_bounds_fall_between_the_ids_of_their_millisecond() -> None:
    at_s = 1_790_000_000.123
    assert receipts.first_id_at(at_s) <= rig.id_at(at_s)
    assert receipts.first_id_at(at_s + 0.001) > rig.id_at(at_s)
    assert receipts.first_id_at(0) == "00000000-0000"
    assert receipts.first_id_at(-5.0) == "00000000-0000"


def test_a_receipt_that_cannot_be_read_means_damage(engine: Engine) -> None:
    one = rig.receipt()
    store(engine, one)
    with database.writing(engine) as connection:
        connection.execute(update(schema.receipts).values(detail=b"\xff\x00"))
    with pytest.raises(StoreCorrupt, match=re.escape(database.path_of(engine))):
        receipts.by_id(engine, one.id)


def test_what_the_same_caller_asked_next_is_found_by_session_or_end_user(engine: Engine) -> None:
    def at(seconds: float, **fields: str | None) -> Receipt:
        return rig.receipt(rig.NOON_S + seconds, **{"session_id": None, **fields})

    first, then, late = (at(n, session_id="s") for n in (0, 1, 9))
    ana, anas, nobody = at(0, end_user="ana"), at(2, end_user="ana", session_id="s"), at(0)
    store(engine, first, then, late, ana, anas, nobody)

    def after(receipt: Receipt, most: int = 9) -> list[str]:
        with database.reading(engine) as connection:
            until_s = rig.NOON_S + 5
            return ids(receipts.next_of_caller(connection, receipt, until_s, most=most))

    assert after(first) == [then.id, anas.id]
    assert after(first, most=1) == [then.id]
    assert after(ana) == [anas.id]
    assert after(nobody) == []
    busy = at(0, end_user="ana", session_id="s2")
    assert after(busy) == []
