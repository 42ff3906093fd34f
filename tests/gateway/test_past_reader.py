"""Ledger and journals together are every receipt once, however far the ledger has come."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from tests.record.rig import Writer
from tests.stores import rig, spendings

from tidegate.core import plugs
from tidegate.core.limit import Moment
from tidegate.core.periods import period_at
from tidegate.core.plan import Limit
from tidegate.core.purpose import BATCH_HOLD
from tidegate.core.receipt import Receipt, encode_frame
from tidegate.gateway.in_force import InForce
from tidegate.gateway.past import since_s
from tidegate.gateway.past_reader import Found, PastReader, Question
from tidegate.stores import database, schema
from tidegate.stores.ledger import Ledger, Position
from tidegate.stores.memory_counters import memory_counters
from tidegate.stores.memory_windows import CalendarCounters
from tidegate.stores.spend_reader import SpendReader

MONTH = Limit("b", "spend", 10**12, unit="month")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def engine(path: Path):
    engine = rig.migrated(path)
    yield engine
    engine.dispose()


def in_force(limit: Limit) -> InForce:
    kind = plugs.load("limits", "spend")
    return InForce(limit, kind, memory_counters(kind.shape(limit)))


def ask(path: Path, journals: Path, question: Question) -> Found:
    reader = PastReader(SpendReader(path, timeout_s=5.0), journals, "gateway-0")
    try:
        return reader.read([question])
    finally:
        reader.close()


def journalled(
    draw: random.Random, folder: Path, receipts: list[Receipt]
) -> tuple[Position, list[Receipt]]:
    """Writes receipts in segments; a position somewhere in them, and what lies before it."""
    writer = Writer(folder)
    places = [(writer.segment, writer.path.stat().st_size)]
    for one in receipts:
        if draw.random() < 0.2:
            writer.roll()
        writer.add(one)
        places.append((writer.segment, writer.path.stat().st_size))
    writer.raw(encode_frame(rig.receipt())[: draw.randrange(40)])
    upto = draw.randrange(len(places))
    return Position(folder.name, *places[upto]), receipts[:upto]


@given(seed=st.integers(0, 10**9), limit=spendings.LIMITS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_a_counter_begins_with_the_sum_of_all_receipts_of_its_period(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, seed: int, limit: Limit
) -> None:
    path = Path(database.path_of(engine))
    unit, zone = limit.unit or "day", limit.time_zone
    journals = tmp_path_factory.mktemp("journals")
    with database.writing(engine) as connection:
        for table in (schema.receipts, schema.spend, schema.journal_positions):
            connection.execute(delete(table))
    draw = random.Random(seed)
    now_s = rig.NOON_S + draw.uniform(-1, 1) * 366 * 86_400
    start_s = period_at(unit, zone, now_s).start_s
    offsets_s = [-1e5, -0.001, 0.0, 0.001, now_s - start_s]
    made: list[Receipt] = []
    for number in range(3):
        several = [
            spendings.some(draw, max(start_s + draw.choice(offsets_s), 0.0)) for _ in range(12)
        ]
        position, before = journalled(draw, journals / f"gateway-{number}", several)
        again = before[draw.randrange(len(before) + 1) :]
        Ledger(engine).write(rig.entries(*before, *again), [position])
        # A crash may come before what is recorded is deleted; or after.
        for old in sorted((journals / f"gateway-{number}").glob("*.journal")):
            if int(old.stem) < position.segment and draw.random() < 0.7:
                old.unlink()
        made += several
    now = Moment(1000.0, now_s)
    for one in spendings.scopes_of(limit, made):
        it = in_force(limit)
        assert isinstance(it.counters, CalendarCounters)
        assert not it.counters.knows(one, now)
        found = ask(path, journals, Question(it, one, since_s(it, now_s)))
        it.counters.seed(one, found.amounts[0], now)
        assert it.counters.read(one, 0, now).used == sum(
            spendings.counted(receipt, limit, one)
            for receipt in made
            if receipt.started_at_s >= start_s
        )


def test_a_recorder_that_reads_on_and_deletes_while_we_read_is_noticed(
    engine: Engine, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our snapshot and our look at the folder all of it is recorded and gone."""
    journals = tmp_path / "journals"
    writer = Writer(journals / "gateway-0")
    made = [rig.receipt() for _ in range(5)]
    writer.add(*made)
    real = PastReader._tails
    left = [2]

    def tails(reader: PastReader, positions: dict[str, tuple[int, int]]):
        if left[0]:
            left[0] -= 1
            Ledger(engine).write(rig.entries(*made), [Position("gateway-0", writer.segment + 1, 4)])
            writer.path.unlink(missing_ok=True)
            writer.roll()
            more = rig.receipt()
            made.append(more)
            writer.add(more)
        return real(reader, positions)

    monkeypatch.setattr(PastReader, "_tails", tails)
    found = ask(path, journals, Question(in_force(MONTH), "", rig.NOON_S - 86_400))
    assert found.whole
    assert sum(amount for _, amount in found.amounts[0]) == 5000 * 7
    assert left == [0]


def test_a_folder_that_was_emptied_and_counts_anew_is_read_whole(
    engine: Engine, path: Path, tmp_path: Path
) -> None:
    """Its numbers are below the position, as the recorder finds them too."""
    journals = tmp_path / "journals"
    Ledger(engine).write([rig.entry(rig.receipt())], [Position("gateway-0", 9, 4000)])
    writer = Writer(journals / "gateway-0")
    writer.add_new(2)
    reader = PastReader(SpendReader(path, timeout_s=5.0), journals, "gateway-0")
    questions = [Question(in_force(MONTH), "", rig.NOON_S - 86_400)]
    found = reader.read(questions)
    writer.add_new(1)
    reader.read_on(questions, found)
    reader.close()
    assert found.whole
    assert sum(amount for _, amount in found.amounts[0]) == 5000 * 4


def test_reading_on_adds_only_what_has_come_since(engine: Engine, path: Path, tmp_path) -> None:
    writer = Writer(tmp_path / "journals" / "gateway-0")
    other = Writer(tmp_path / "journals" / "gateway-7")
    writer.add_new(2)
    other.add_new(1)
    reader = PastReader(SpendReader(path, timeout_s=5.0), tmp_path / "journals", "gateway-0")
    questions = [Question(in_force(MONTH), "", rig.NOON_S - 86_400)]
    found = reader.read(questions)
    writer.add_new(1)
    writer.roll()
    writer.add_new(1)
    other.add_new(1)  # of another gateway: what it serves now is its own
    for _ in range(2):
        reader.read_on(questions, found)
    reader.close()
    assert found.whole
    assert [amount for _, amount in found.amounts[0]] == [5000] * 5
    writer.path.unlink()
    reader.read_on(questions, found)
    assert not found.whole


def test_what_batches_hold_is_known_before_the_ledger_has_it(
    engine: Engine, path: Path, tmp_path: Path
) -> None:
    made = [rig.receipt(rig.NOON_S + at, purpose=BATCH_HOLD) for at in (0, 1, 2)]
    Ledger(engine).write([rig.entry(made[0])], [])
    writer = Writer(tmp_path / "journals" / "gateway-7")
    for one in (*made, rig.receipt(rig.NOON_S), rig.receipt(rig.NOON_S - 9, purpose=BATCH_HOLD)):
        writer.add(one)
    reader = PastReader(SpendReader(path, timeout_s=5.0), tmp_path / "journals", "gateway-0")
    since_s = rig.NOON_S - 1
    assert [one.id for one in reader.holds(since_s, 9)] == [made[0].id]
    found = reader.holds(since_s, 9, late=True)
    assert sorted(one.id for one in found) == sorted(one.id for one in made)
    reader.close()
