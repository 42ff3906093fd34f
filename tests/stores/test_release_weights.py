"""What share a route's candidate should have, for who counts units."""

from sqlalchemy import Engine
from tests.stores.changed import NOON_S, change

from tidegate.stores import changes, database, release_weights


def weights(engine: Engine, at_s: float = NOON_S) -> dict[str, float]:
    with database.reading(engine) as connection:
        return release_weights.by_scope(connection, at_s)


def hold(engine: Engine, name: str, lever: str, scope: str, value: float) -> None:
    with database.writing(engine) as connection:
        changes.hold(connection, change(id=name, lever=lever, scope=scope, value=value))


def test_a_weight_is_there_while_its_change_is_in_force(engine: Engine) -> None:
    assert weights(engine) == {}
    hold(engine, "c1", "release_weight", "chat", 0.05)
    hold(engine, "c2", "output_cap_tokens", "chat", 100)
    assert weights(engine) == {"chat": 0.05}
    assert weights(engine, NOON_S + 86_400) == {}


def test_a_release_that_is_off_has_none(engine: Engine) -> None:
    hold(engine, "c1", "release_weight", "chat", 0.05)
    hold(engine, "c2", "release_weight", "search", 0.2)
    hold(engine, "c3", "release_off", "chat", 1)
    assert weights(engine) == {"chat": 0.0, "search": 0.2}
    hold(engine, "c4", "release_off", "*", 1)
    assert weights(engine) == {"chat": 0.0, "search": 0.0}


def test_releases_in_lanes_have_a_weight_each_and_are_off_with_their_route(engine: Engine) -> None:
    hold(engine, "c1", "release_weight", "chat@brief", 0.05)
    hold(engine, "c2", "release_weight", "chat@moved", 0.2)
    assert weights(engine) == {"chat@brief": 0.05, "chat@moved": 0.2}
    hold(engine, "c3", "release_off", "chat", 1)
    assert weights(engine) == {"chat@brief": 0.0, "chat@moved": 0.0}
