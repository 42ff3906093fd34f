"""Whose requests signals are made of."""

from sqlalchemy import Engine
from tests.stores.signal_rig import NOON_S, add, key

from tidegate.core.bin import COUNTS, OTHERS, Bin
from tidegate.core.series import SignalQuery
from tidegate.stores import database, signal_tops
from tidegate.stores.signal_tops import By, Share, Tops


def tops(engine: Engine, by: By, most: int = 20, days: float = 0.01, **only: str) -> Tops:
    until_s = NOON_S + 60
    query = SignalQuery((), until_s - days * 86_400, until_s, only=only)
    with database.reading(engine) as connection:
        return signal_tops.tops(connection, query, by, most=most)


def of(customer: str, requests: int) -> Bin:
    one = Bin(callers={("blue", customer, "k1"): [requests, 1, 10 * requests]}, codes={"odd": 1})
    one.counts[COUNTS.index("requests")] = requests
    return one


def test_the_most_frequent_come_first_and_the_rest_as_one(engine: Engine) -> None:
    add(engine, {key(): of("acme", 5), key(target="large"): of("bolt", 7)}, "a")
    add(engine, {key(): of("acme", 4), key(route="search"): of("tiny", 1)}, "b")
    acme, bolt, tiny = Share("acme", 9, 2, 90), Share("bolt", 7, 1, 70), Share("tiny", 1, 1, 10)
    assert tops(engine, "customer").shares == [acme, bolt, tiny]
    assert tops(engine, "customer", most=1).shares == [acme, Share(OTHERS, 8, 2, 80)]
    assert tops(engine, "customer", route="chat").shares == [acme, bolt]
    assert tops(engine, "team").shares == [Share("blue", 17, 4, 170)]
    assert tops(engine, "error").shares == [Share("odd", 4, 4, 0)]
    assert tops(engine, "key", replica="r0").shares == []


def test_longer_windows_are_of_whole_hours_and_days(engine: Engine) -> None:
    add(engine, {key(): of("acme", 5), key(NOON_S - 20 * 86_400): of("acme", 3)})
    assert tops(engine, "customer", days=1).shares[0].requests == 5
    month = tops(engine, "customer", days=30)
    assert month.shares[0].requests == 8
    assert month.since_s % 86_400 == 0


def test_the_newest_minute_says_how_old_signals_are(engine: Engine) -> None:
    with database.reading(engine) as connection:
        assert signal_tops.newest_minute_s(connection) is None
    add(engine, {key(): of("acme", 5), key(NOON_S - 60): of("acme", 3)})
    with database.reading(engine) as connection:
        assert signal_tops.newest_minute_s(connection) == NOON_S
