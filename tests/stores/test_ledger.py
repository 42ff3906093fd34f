import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select
from tests.stores import rig

from tidegate.core.earlier_cost import EarlierCost
from tidegate.core.receipt import Attempt, Hold, Receipt, decode_payload
from tidegate.stores import database, schema
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.ledger import Ledger, Position


def rows(engine: Engine) -> list[dict[str, object]]:
    with database.reading(engine) as connection:
        found = connection.execute(select(schema.receipts).order_by(schema.receipts.c.seq))
        return [dict(row._mapping) for row in found]


def filled() -> Receipt:
    """A receipt whose every field differs from its default and from its neighbours."""
    values: dict[str, object] = {}
    for number, field in enumerate(msgspec.structs.fields(Receipt)):
        kind = str(field.type)
        if field.name == "attempts":
            values[field.name] = [Attempt("t", "r", 0.5), Attempt("u", "r", 0.7)]
        elif field.name == "holds":
            values[field.name] = [Hold("tokens", "team-a", 100, used=40)]
        elif field.name == "earlier_costs":
            values[field.name] = [EarlierCost(3, "t", "p", "m")]
        elif "Literal" in kind:
            chosen = {
                "endpoint": "embeddings",
                "priority": "batch",
                "validity": "malformed",
                "model_refusal": "partial",
                "model_refusal_reason": "policy",
                "arm": "canary",
                "rung_kind": "model",
                "rung_reason": "budget",
                "unit_kind": "user",
                "cache": "hit",
                "cache_tier": "exact",
            }
            values[field.name] = chosen.get(field.name, "deadline")
        elif "list" in kind:
            values[field.name] = [f"text-{number}"]
        elif "dict" in kind:
            values[field.name] = {"a": "b"}
        elif "str" in kind:
            values[field.name] = f"text-{number}"
        elif "bool" in kind:
            values[field.name] = True
        elif "float" in kind:
            values[field.name] = number + 0.25
        else:
            values[field.name] = number + 1000
    return Receipt(**values)  # type: ignore[arg-type]


def test_every_column_holds_its_own_field(engine: Engine) -> None:
    receipt = filled()
    receipt.status = 207
    Ledger(engine).write([rig.entry(receipt)], [])
    (row,) = rows(engine)
    for name, value in row.items():
        if name == "attempts":
            assert value == 2
        elif name == "detail":
            assert decode_payload(value) == receipt  # type: ignore[arg-type]
        elif name not in ("seq", "node"):  # which recorder stored it is no part of a receipt
            assert value == getattr(receipt, name), name


def test_receipts_and_positions_are_stored_together(engine: Engine) -> None:
    ledger = Ledger(engine)
    first, second = rig.receipt(), rig.receipt()
    assert ledger.positions() == {}
    moved = [Position("g0", 1, 500), Position("g1", 9, 4)]
    assert ledger.write(rig.entries(first, second), moved) == [first, second]
    assert ledger.positions() == {"g0": moved[0], "g1": moved[1]}
    ledger.write([], [Position("g0", 2, 4)])
    assert ledger.positions()["g0"] == Position("g0", 2, 4)
    assert len(rows(engine)) == 2


def test_a_receipt_that_is_there_stays_as_it_was(engine: Engine) -> None:
    ledger = Ledger(engine)
    first = rig.receipt(total_s=1.0)
    ledger.write([rig.entry(first)], [])
    again = msgspec.structs.replace(first, total_s=99.0)
    other = rig.receipt()
    assert ledger.write(rig.entries(again, other), []) == [other]
    assert [row["total_s"] for row in rows(engine)] == [1.0, 1.0]


def test_nothing_is_stored_when_the_database_is_locked(sqlite_engine: Engine, path) -> None:
    impatient = database.open_engine(path, busy_timeout_s=0.0)
    ledger = Ledger(impatient)
    with database.writing(sqlite_engine), pytest.raises(StoreUnavailable):
        ledger.write([rig.entry(rig.receipt())], [Position("g0", 1, 9)])
    assert ledger.positions() == {}
    assert rows(sqlite_engine) == []
    impatient.dispose()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input_tokens", 2**64 - 1),
        ("output_tokens", 10**13),
        ("reasoning_tokens", -1),
        ("cost_nanousd", -5),
        ("cost_nanousd", 2**63),
        ("status", 2**63),
        ("ttft_s", -1.0),
    ],
)
def test_a_figure_that_cannot_be_is_unknown_and_harms_nobody_else(
    engine: Engine, field: str, value: float
) -> None:
    """The rows beside it keep theirs, and its own detail still tells what was said."""
    wrong, right = rig.receipt(), rig.receipt(**{field: 7})
    setattr(wrong, field, value)
    poison = rig.receipt(cost_nanousd=-1)  # makes the whole batch be looked at again
    Ledger(engine).write(rig.entries(wrong, right, poison), [Position("g0", 1, 9)])
    stored = rows(engine)
    assert stored[0][field] is None
    assert stored[1][field] == 7
    assert getattr(decode_payload(stored[0]["detail"]), field) == value  # type: ignore[arg-type]
    assert Ledger(engine).positions() == {"g0": Position("g0", 1, 9)}


def test_a_time_that_is_no_number_does_not_stop_the_ledger(engine: Engine) -> None:
    Ledger(engine).write([rig.entry(rig.receipt(started_at_s=rig.NOON_S, total_s=1.0))], [])
    odd = rig.receipt()
    odd.started_at_s = float("nan")
    assert len(Ledger(engine).write([rig.entry(odd)], [])) == 1


@given(st.lists(st.lists(st.integers(0, 12), max_size=8), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_each_id_is_stored_once_and_reported_new_once(
    engine: Engine, batches: list[list[int]]
) -> None:
    with database.writing(engine) as connection:
        connection.execute(delete(schema.receipts))
    ledger = Ledger(engine)
    made = [rig.receipt() for _ in range(13)]
    new: list[str] = []
    for batch in batches:
        new += [r.id for r in ledger.write(rig.entries(*(made[n] for n in batch)), [])]
    wanted = {made[n].id for batch in batches for n in batch}
    assert sorted(new) == sorted(wanted)
    assert sorted(str(row["id"]) for row in rows(engine)) == sorted(wanted)


def test_text_of_any_kind_comes_back_as_it_was(engine: Engine) -> None:
    odd = "'; DROP TABLE receipts; --\x00\U0001f600\u2028%_?:name"
    Ledger(engine).write([rig.entry(rig.receipt(end_user=odd, finish_reason=odd))], [])
    (row,) = rows(engine)
    kept = odd.replace("\x00", "\ufffd") if database.is_shared(engine) else odd
    assert (row["end_user"], row["finish_reason"]) == (kept, kept)
    assert decode_payload(row["detail"]).end_user == odd
