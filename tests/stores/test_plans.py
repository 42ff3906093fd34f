"""Plans in the store: a version is one plan, whoever publishes."""

import pytest
from sqlalchemy import Engine

from tidegate.stores import database, plans
from tidegate.stores.plans import PlanSuperseded


def add(engine: Engine, version: int, plan: bytes) -> None:
    with database.writing(engine) as connection:
        plans.add(connection, version, plan, 1.0)


def newest(engine: Engine) -> tuple[int, bytes] | None:
    with database.reading(engine) as connection:
        found = plans.newest(connection)
        assert plans.newest_version(connection) == (found.version if found else 0)
    return (found.version, bytes(found.plan)) if found else None


def test_the_newest_is_in_force_and_few_are_kept(engine: Engine) -> None:
    assert newest(engine) is None
    for version in range(1, 9):
        add(engine, version, b"plan %d" % version)
    assert newest(engine) == (8, b"plan 8")
    with database.reading(engine) as connection:
        assert len(connection.execute(plans.plans.select()).all()) == 5


def test_the_same_again_is_no_news(engine: Engine) -> None:
    add(engine, 3, b"plan")
    add(engine, 3, b"plan")
    assert newest(engine) == (3, b"plan")


@pytest.mark.parametrize(("version", "plan"), [(3, b"another"), (2, b"plan"), (1, b"older")])
def test_of_two_who_publish_the_second_is_refused(
    engine: Engine, version: int, plan: bytes
) -> None:
    add(engine, 3, b"plan")
    with pytest.raises(PlanSuperseded, match="published"):
        add(engine, version, plan)
    assert newest(engine) == (3, b"plan")
