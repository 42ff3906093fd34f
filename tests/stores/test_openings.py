"""What was spent elsewhere counts for exactly its scope, in its period, for whoever asks."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, literal, select
from tests.stores import rig

from tidegate.core.limit import SEPARATOR
from tidegate.core.plan import Limit
from tidegate.stores import budget_use, database, openings
from tidegate.stores.budget_use import Span, Used
from tidegate.stores.ledger import Ledger
from tidegate.stores.openings import Opening
from tidegate.stores.schema_imports import openings as table
from tidegate.stores.shared import Shared
from tidegate.stores.spend_reader import SpendReader

AT_S = rig.NOON_S // 900 * 900 + 450
SPAN = Span(AT_S - 900, AT_S + 900)
_NAMES = st.sampled_from(["key", "team", "customer", "end_user", "attribute.project"])
_VALUES = st.sampled_from(["a", "b", "with, comma", "with?mark", "%s", "ü"])
_SCOPES = st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=3)


def put(engine: Engine, *several: Opening) -> None:
    with database.writing(engine) as connection:
        openings.put(connection, several, "litellm")


@pytest.fixture
def spent(engine: Engine) -> Engine:
    rows = [
        rig.receipt(AT_S, team="blue", key_id="k1", cost_nanousd=5),
        rig.receipt(AT_S, team="red", key_id="k2", cost_nanousd=9),
    ]
    Ledger(engine).write(rig.entries(*rows), [])
    put(
        engine,
        Opening({"team": "blue"}, AT_S, 100),
        Opening({"team": "old"}, AT_S, 50),
        Opening({"team": "late"}, AT_S - 10_000, 70),
        Opening({"key": "k1"}, AT_S, 1000),
        Opening({"team": "blue", "customer": "c"}, AT_S, 7),
    )
    return engine


FOUND: tuple[tuple[tuple[str, ...], tuple[tuple[str, str], ...], list[Used]], ...] = (
    (("team",), (), [Used(("blue",), 105), Used(("old",), 50), Used(("red",), 9)]),
    (("team",), (("team", "blue"),), [Used(("blue",), 105)]),
    ((), (("team", "blue"),), [Used((), 105)]),
    ((), (("team", "late"),), [Used((), 0)]),
    ((), (), [Used((), 14)]),  # a key's or a team's is no part of everything's
    (("key",), (("key", "k1"),), [Used(("k1",), 1005)]),
    (("customer", "team"), (), [Used(("c", "blue"), 7)]),
    (("key",), (("team", "blue"),), [Used(("k1",), 5)]),
)


def test_a_budget_has_what_its_own_scope_had_spent(spent: Engine) -> None:
    with database.reading(spent) as connection:
        for scope, only, found in FOUND:
            assert budget_use.used(connection, scope, only, SPAN) == found
            assert budget_use.used(connection, scope, only, SPAN, most=1) == found[:1]


def test_a_new_one_takes_the_place_of_the_old(engine: Engine) -> None:
    put(engine, Opening({"team": "blue"}, AT_S, 100))
    put(engine, Opening({"team": "blue"}, AT_S + 1, 200))
    with database.reading(engine) as connection:
        assert openings.get(connection, {"team": "blue"}) == Opening(
            {"team": "blue"}, AT_S + 1, 200
        )
        assert openings.get(connection, {"team": "red"}) is None


@given(scope=_SCOPES, others=st.lists(_SCOPES, max_size=4), late_s=st.sampled_from([-2000, 0]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_gateway_and_control_read_the_same(
    engine: Engine,
    place: Path | Shared,
    scope: dict[str, str],
    others: list[dict[str, str]],
    late_s: float,
) -> None:
    with database.writing(engine) as connection:
        connection.execute(delete(table))
    put(engine, *(Opening(it, AT_S, 1) for it in others if it != scope))
    put(engine, Opening(scope, AT_S + late_s, 77))
    names = tuple(sorted(scope))
    limit = Limit("b", "spend", 1, names, unit="day")
    text = SEPARATOR.join(scope[name] for name in names)
    reader = SpendReader(place, timeout_s=5.0)
    with reader.snapshot() as snapshot:
        read = snapshot.spent(limit, text, AT_S - 900)
        every = [it for it in snapshot.openings(AT_S - 900) if it[0] == scope]
    reader.close()
    with database.reading(engine) as connection:
        (told,) = budget_use.used(connection, (), tuple(scope.items()), SPAN)
    expected = 77 if late_s == 0 else 0
    assert sum(amount for _, amount in read) == told.nanousd == expected
    assert [it[2] for it in every] == ([77] if expected else [])


def test_over_all_keys_each_has_its_own(engine: Engine) -> None:
    put(engine, Opening({"key": "k1"}, AT_S, 100), Opening({"key": "k2"}, AT_S - 10_000, 5))
    with database.reading(engine) as connection:
        for key_id, nanousd in (("k1", 100), ("k2", 0), ("k3", 0)):
            query = select(openings.of_key(literal(key_id), SPAN.since_s, SPAN.until_s))
            assert connection.execute(query).scalar_one() == nanousd
