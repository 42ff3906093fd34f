"""Rows of what was spent: each limit's own, no earlier than it counts, summed a counter."""

from tests.gateway.shared import in_force

from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.gateway.past_rows import needs_receipts, opening_rows, rows

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0


def spent(at_s: float, amount: int, team: str = "a") -> tuple[Receipt, int]:
    return Receipt("r", at_s, "g", "chat", team=team), amount


def test_a_period_of_the_calendar_is_one_row_a_scope_and_begins_with_itself() -> None:
    monthly = in_force(Limit("m", "spend", 100, ("team",), unit="day"))
    past = [spent(NOW_S, 2), spent(NOW_S - 1, 3), spent(NOW_S, 5, "b"), spent(NOW_S - DAY_S, 7)]
    made = rows([monthly], past, NOW_S)
    assert {(row.scope, row.group, row.amount, row.at_s) for row in made} == {
        ("a", "a", 5, 0.0),
        ("b", "b", 5, 0.0),
    }


def test_a_rolling_window_has_a_row_for_each_time() -> None:
    rolling = in_force(Limit("r", "spend", 100, per_s=7 * DAY_S))
    made = rows([rolling], [spent(NOW_S, 2), spent(NOW_S - DAY_S, 3)], NOW_S)
    assert {(row.scope, row.amount, row.at_s) for row in made} == {
        ("", 2, NOW_S),
        ("", 3, NOW_S - DAY_S),
    }


def test_receipts_are_read_where_the_rollup_cannot_tell() -> None:
    of_team = in_force(Limit("t", "spend", 1, ("team",), unit="day"))
    of_session = in_force(Limit("s", "spend", 1, ("session",), unit="day"))
    of_minute = in_force(Limit("q", "spend", 1, per_s=60.0))
    assert [needs_receipts(it) for it in (of_team, of_session, of_minute)] == [False, True, True]


def test_what_was_spent_elsewhere_is_a_row_of_the_limit_whose_scope_it_is() -> None:
    of_team = in_force(Limit("t", "spend", 100, ("team",), unit="day"))
    of_one = in_force(Limit("o", "spend", 100, ("team",), (("team", "a"),), unit="day"))
    of_all = in_force(Limit("all", "spend", 100, unit="day"))
    rolling = in_force(Limit("r", "spend", 100, ("key",), per_s=7 * DAY_S))
    openings = [
        ({"team": "a"}, NOW_S, 5),
        ({"team": "b"}, NOW_S, 7),
        ({"team": "a"}, NOW_S - 2 * DAY_S, 9),
        ({"key": "k"}, NOW_S - DAY_S, 11),
        ({"key": "k", "team": "a"}, NOW_S, 13),
    ]
    made = opening_rows([of_team, of_one, of_all, rolling], openings, NOW_S)
    assert sorted(
        (row.quota.name.partition("/")[0], row.scope, row.amount, row.at_s) for row in made
    ) == [
        ("o", "a", 5, 0.0),
        ("r", "k", 11, NOW_S - DAY_S),
        ("t", "a", 5, 0.0),
        ("t", "b", 7, 0.0),
    ]
