"""The gateway's own probes are in the ledger, and in nobody's sums."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.stores import rig

from tidegate.core.plan import Limit
from tidegate.core.probe import PROBE
from tidegate.core.receipt import Receipt
from tidegate.stores import database, receipts, retention
from tidegate.stores.budget_use import Span, used
from tidegate.stores.ledger import Ledger
from tidegate.stores.receipts import Filter
from tidegate.stores.shared import Shared
from tidegate.stores.spend_reader import SpendReader
from tidegate.stores.spending import spent_nanousd
from tidegate.stores.summary import summary

SINCE_S = rig.NOON_S - 100.0
SPAN = Span(SINCE_S, rig.NOON_S + 3600.0)


def probe(**fields: object) -> Receipt:
    plain = {"key_id": None, "team": None, "route": None, "purpose": PROBE, "cost_nanousd": 7}
    return rig.receipt(**{**plain, **fields})  # type: ignore[arg-type]


def keyed(**fields: object) -> Receipt:
    """A caller's, whose key was made for probes of its own: that costs its team."""
    return rig.receipt(purpose=PROBE, cost_nanousd=100, **fields)  # type: ignore[arg-type]


@pytest.fixture
def both(engine: Engine) -> list[Receipt]:
    several = [probe(error_code="upstream_timeout", total_s=99.0), keyed()]
    Ledger(engine).write(rig.entries(*several), [])
    return several


def test_budgets_count_what_came_with_a_key(engine: Engine, both: list[Receipt]) -> None:
    assert [spent_nanousd(it) for it in both] == [0, 100]
    with database.reading(engine) as connection:
        assert [it.nanousd for it in used(connection, (), (), SPAN)] == [100]
        assert [it.nanousd for it in used(connection, ("target", "session"), (), SPAN)] == []
        assert [it.nanousd for it in used(connection, ("target",), (("end_user", ""),), SPAN)] == []


@pytest.mark.parametrize("per_s", [600.0, 86_400.0])
def test_gateways_begin_with_the_same(
    place: Path | Shared, both: list[Receipt], per_s: float
) -> None:
    reader = SpendReader(place, timeout_s=5.0)
    limit = Limit("all", "spend", 10**9, per_s=per_s)
    with reader.snapshot() as snapshot:
        assert sum(amount for _, amount in snapshot.spent(limit, "", SINCE_S)) == 100
        for rolled_up in (True, False):
            rows = snapshot.every(SINCE_S, rolled_up=rolled_up)
            assert sum(amount for _, amount in rows) == 100
    reader.close()


def test_a_window_s_sums_and_worst_are_of_callers(engine: Engine, both: list[Receipt]) -> None:
    sums = summary(engine, Filter()).sums
    assert (sums.requests, sums.errors, sums.cost_nanousd) == (1, 0, 100)
    assert summary(engine, Filter(purpose=PROBE)).sums.requests == 2
    assert [it.id for it in receipts.top(engine, "slowest", Filter())] == [both[1].id]
    assert receipts.top(engine, "failed", Filter()) == []
    assert len(receipts.top(engine, "failed", Filter(purpose=PROBE))) == 1
    assert [it.nanousd for it in receipts.costs(engine, Filter()) or ()] == [100]


def test_a_list_has_them_and_tells_them_by_purpose(engine: Engine, both: list[Receipt]) -> None:
    assert len(receipts.recent(engine, Filter())) == 2
    assert len(receipts.recent(engine, Filter(purpose="production"))) == 0


def test_what_retention_keeps_of_them_is_nothing(engine: Engine, both: list[Receipt]) -> None:
    assert retention.roll_off(engine, rig.NOON_S + 86_400.0) == 2
    sums = summary(engine, Filter()).sums
    assert (sums.requests, sums.errors, sums.cost_nanousd) == (1, 0, 100)
