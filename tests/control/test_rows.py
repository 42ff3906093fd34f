from tidegate.control.rows import ROWS


def test_no_two_rows_answer_the_same() -> None:
    assert len({(row.method, row.path) for row in ROWS}) == len(ROWS)


def test_a_lead_is_kept_away_unless_it_is_said() -> None:
    open_rows = {row.path for row in ROWS if row.lead is not None}
    assert not {"/api/plan", "/api/gateways", "/api/peppers", "/team/update"} & open_rows
