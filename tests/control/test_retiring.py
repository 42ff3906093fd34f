"""People are told of models that are going: each step once, and of its end."""

import asyncio

import pytest
from sqlalchemy import Engine
from tests.core.test_retirement import plan_of

from tidegate.control import retiring
from tidegate.control.retiring import Retiring
from tidegate.core.notice import Notice
from tidegate.core.plan import Plan
from tidegate.stores import database, notices

DAY_S = 86_400.0
END_S = 1_798_761_600.0  # 2027-01-01


class House:
    def __init__(self, engine: Engine, plan: Plan) -> None:
        self.engine, self.plan, self.leads = engine, plan, True

    def watched(self) -> Retiring:
        return Retiring(self.engine, lambda: self.plan, lambda: self.leads)

    def told(self) -> list[Notice]:
        with database.reading(self.engine) as connection:
            return notices.recent(connection, only_open=True)


def test_each_step_is_told_once_and_more_gravely(engine: Engine) -> None:
    house = House(engine, plan_of(a="2027-01-01"))
    it = house.watched()
    seen = []
    for days in (100, 90, 89, 30, 29, 0, -5):
        it.look(END_S - days * DAY_S)
        seen.append([one.severity for one in house.told()])
    assert seen == [[], ["info"], ["info"], ["ticket"], ["ticket"], ["page"], ["page"]]
    with database.reading(engine) as connection:
        assert len(notices.recent(connection)) == 3
    [one] = house.told()
    assert "Routes: to-a, every." in one.text and one.topic == "model"


def test_a_day_that_moves_is_told_anew_and_the_old_one_ends(engine: Engine) -> None:
    house = House(engine, plan_of(a="2027-01-01"))
    it = house.watched()
    it.look(END_S - 20 * DAY_S)
    for day, days, severity in (("2027-01-05", 24, "ticket"), ("2027-02-20", 70, "info")):
        house.plan = plan_of(a=day)
        it.look(END_S - 20 * DAY_S)
        [one] = house.told()
        assert f"on {day}, in {days} days" in one.text and one.severity == severity
    house.plan = plan_of(a="2027-06-30")
    it.look(END_S - 20 * DAY_S)
    assert house.told() == []


def test_another_control_tells_nothing_twice_and_ends_what_is_over(engine: Engine) -> None:
    house = House(engine, plan_of(a="2027-01-01"))
    house.watched().look(END_S - DAY_S)
    house.watched().look(END_S - DAY_S)
    assert len(house.told()) == 1
    house.leads = False
    house.plan = plan_of(b=None)
    idle = house.watched()
    idle.look(END_S)
    assert len(house.told()) == 1
    house.leads = True
    idle.look(END_S)
    assert house.told() == []


def test_the_watch_looks_and_survives_a_store_that_is_away(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retiring, "LOOK_S", 0.0)
    looks = 0

    def plan() -> Plan:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise RuntimeError("nothing there yet")
        return plan_of(a="2027-01-01")

    async def main() -> None:
        task = asyncio.create_task(Retiring(engine, plan, lambda: True).watch())
        async with asyncio.timeout(10):
            while looks < 3:  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(main())
