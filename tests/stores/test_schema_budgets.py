from sqlalchemy import BigInteger

from tidegate.stores.schema_budgets import alerts, budgets, raises


def test_money_is_an_integer() -> None:
    for column in (
        budgets.c.amount_nanousd,
        raises.c.extra_nanousd,
        alerts.c.used_nanousd,
        alerts.c.forecast_nanousd,
        alerts.c.allowed_nanousd,
    ):
        assert isinstance(column.type, BigInteger)


def test_an_alert_is_told_apart_by_what_makes_it_come_once() -> None:
    assert [column.name for column in alerts.primary_key] == [
        "budget",
        "scope",
        "period_start_s",
        "measure",
        "percent",
    ]
