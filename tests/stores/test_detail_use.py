"""Sums by attributes and prompts, which have no column."""

import pytest
from sqlalchemy import Engine
from tests.stores import rig

from tidegate.stores import database, detail_use
from tidegate.stores.ledger import Ledger

AT_S = rig.NOON_S
Sums = dict[tuple[str, ...], int]


@pytest.fixture
def spent(engine: Engine) -> Engine:
    app, both = {"app": "x"}, {"app": "x", "tier": "free"}
    rows = [
        rig.receipt(AT_S, cost_nanousd=1, team="blue", attributes=app, end_user="u"),
        rig.receipt(AT_S, cost_nanousd=2, team="red", attributes=both),
        rig.receipt(AT_S, cost_nanousd=None, most_nanousd=4, team="red", attributes=both),
        rig.receipt(AT_S, cost_nanousd=None, team="red", attributes=both),
        rig.receipt(AT_S, cost_nanousd=8, team=None, attributes=app),
        rig.receipt(AT_S, cost_nanousd=16, team="red", attributes={"app": ""}),
        rig.receipt(AT_S, cost_nanousd=32, team="red", prompt_fingerprint="p"),
        rig.receipt(AT_S - 100, cost_nanousd=64, team="red", attributes=app),
        rig.receipt(AT_S + 100, cost_nanousd=128, team="red", attributes=app),
    ]
    Ledger(engine).write(rig.entries(*rows), [])
    return engine


@pytest.mark.parametrize(
    ("scope", "only", "found"),
    [
        (("attribute.app",), {}, {("x",): 15}),
        (("attribute.app", "team"), {}, {("x", "blue"): 1, ("x", "red"): 6}),
        (("attribute.app", "attribute.tier"), {}, {("x", "free"): 6}),
        (("attribute.app", "end_user"), {}, {("x", "u"): 1}),
        (("team",), {"attribute.tier": "free"}, {("red",): 6}),
        (("attribute.app",), {"team": "blue"}, {("x",): 1}),
        (("prompt",), {}, {("p",): 32}),
        ((), {"prompt": "p"}, {(): 32}),
        ((), {"attribute.app": "y"}, {}),
    ],
)
def test_each_receipt_that_cost_something_counts_where_it_says_all_of_it(
    spent: Engine, scope: tuple[str, ...], only: dict[str, str], found: Sums
) -> None:
    with database.reading(spent) as connection:
        assert detail_use.sums(connection, scope, only, AT_S - 50, AT_S + 50) == found
