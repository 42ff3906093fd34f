from sqlalchemy import Engine
from tests.stores import rig

from tidegate.stores import database, unfolded
from tidegate.stores.ledger import Ledger
from tidegate.stores.schema import receipts


def test_receipts_come_in_the_order_in_which_their_own_recorder_stored_them(
    engine: Engine,
) -> None:
    young, old, other = rig.receipt(rig.NOON_S + 9), rig.receipt(), rig.receipt()
    Ledger(engine, "a").write(rig.entries(young), [])
    Ledger(engine, "b").write(rig.entries(other), [])
    Ledger(engine, "a").write(rig.entries(old), [])
    with database.reading(engine) as connection:
        (first, _), (last, _) = found = unfolded.stored_after(connection, "a", 0, most=10)
        assert [one and one.id for _, one in found] == [young.id, old.id]
        assert unfolded.newest_seq(connection) == last
        assert unfolded.stored_after(connection, "a", first, most=10) == found[1:]
        assert unfolded.stored_after(connection, "a", 0, most=1) == found[:1]
        assert (
            unfolded.stored_within(connection, "a", "chat-fast", (0, first), most=9) == (found[:1])
        )
        assert unfolded.stored_within(connection, "a", "search", (0, last), most=9) == []


def test_one_that_cannot_be_read_holds_up_nothing(engine: Engine) -> None:
    Ledger(engine).write(rig.entries(rig.receipt()), [])
    with database.writing(engine) as connection:
        connection.execute(receipts.update().values(detail=b"\xc1"))
    Ledger(engine).write(rig.entries(rig.receipt()), [])
    with database.reading(engine) as connection:
        found = unfolded.stored_after(connection, "", 0, most=10)
    assert [one is None for _, one in found] == [True, False]
