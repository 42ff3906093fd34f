"""Who approved a raise of a key's budget is beside the raises of other budgets."""

from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores import rig

from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import Raise
from tidegate.stores import budgets, database, keys
from tidegate.stores.audit import Author
from tidegate.stores.budgets import StoredRaise

NOW_S = rig.NOON_S
ANN, BO = Author("ann", NOW_S), Author("bo", NOW_S + 10)
LIMITS = KeyLimits(1000, "day", raises=(Raise(7, NOW_S + 600), Raise(9, NOW_S - 1)))


def standing(engine: Engine, key_id: str = "aaaa0000") -> list[tuple[int, str, str]]:
    with database.reading(engine) as connection:
        found = budgets.raises_in_force(connection, NOW_S + 20, f"key:{key_id}")
        return [(one.extra_nanousd, one.approver, one.reason) for one in found]


def raising(*raises: Raise) -> KeyLimits:
    return replace(LIMITS, raises=raises)


def edit(engine: Engine, limits: KeyLimits | None, first: StoredRaise | None = None) -> None:
    def change(old: KeyRecord) -> KeyRecord:
        return replace(old, limits=limits)

    note = None if first is None else lambda connection: budgets.add_raise(connection, first)
    keys.edit(engine, "aaaa0000", change, BO, note)


def test_what_is_raised_is_noted_and_what_is_raised_no_more_ends(engine: Engine) -> None:
    keys.create(engine, rig.key("aaaa0000", limits=LIMITS), ANN)
    assert standing(engine) == [(7, "ann", "with the key")]
    edit(engine, LIMITS)
    assert standing(engine) == [(7, "ann", "with the key")]
    edit(engine, raising(Raise(3, NOW_S + 60)))
    assert standing(engine) == [(3, "bo", "with the key")]
    told = StoredRaise(0, "key:aaaa0000", 5, NOW_S + 90, "Cy", "launch", "bo", NOW_S + 10)
    edit(engine, raising(Raise(3, NOW_S + 60), Raise(5, NOW_S + 90)), told)
    assert standing(engine) == [(3, "bo", "with the key"), (5, "Cy", "launch")]
    edit(engine, None)
    assert standing(engine) == []


def test_a_key_s_successor_has_its_raises(engine: Engine) -> None:
    keys.create(engine, rig.key("aaaa0000", limits=LIMITS), ANN)
    keys.rotate(engine, "aaaa0000", lambda old: keys.successor(old, "bbbb0000", b"d", 1, NOW_S), BO)
    assert standing(engine, "bbbb0000") == [(7, "bo", "as of key aaaa0000 before it")]


def test_they_are_no_raises_of_the_plan(engine: Engine) -> None:
    keys.create(engine, rig.key("aaaa0000", limits=LIMITS), ANN)
    with database.reading(engine) as connection:
        assert budgets.raises_in_force(connection, NOW_S) == []
