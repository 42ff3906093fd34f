"""Requests of single hours, whatever arm, target or recorder they are of."""

from sqlalchemy import Engine
from tests.stores.signal_rig import NOON_S, add, key, one

from tidegate.stores import database
from tidegate.stores.signal_sums import judged_at

HOUR_S = NOON_S - NOON_S % 3600


def test_hours_are_summed_by_route(engine: Engine) -> None:
    first = {key(): one(availability_good=3), key(target="large"): one(availability_bad=2)}
    add(engine, {**first, key(route="talk"): one(abandon_bad=1)}, "a")
    add(engine, {key(arm="canary"): one(availability_good=1)}, "b")
    add(engine, {key(NOON_S + 3600): one(availability_good=9)}, "a", 2)
    with database.reading(engine) as connection:
        assert judged_at(connection, 3600, [HOUR_S, HOUR_S - 3600]) == {
            "chat": {HOUR_S: 6},
            "talk": {HOUR_S: 0},
        }
        assert judged_at(connection, 86_400, [HOUR_S - HOUR_S % 86_400])["chat"] == {
            HOUR_S - HOUR_S % 86_400: 15
        }
        assert judged_at(connection, 3600, []) == {}
