import shutil
from collections.abc import Iterator

import pytest
from tests.record.rig import HandClock, Writer

from tidegate.core.layout import Layout
from tidegate.record.journals import Journals, Lag
from tidegate.stores.ledger import Position


@pytest.fixture
def journals(layout: Layout, hand_clock: HandClock) -> Iterator[Journals]:
    made = Journals(layout.journal, {}, monotonic_s=hand_clock)
    yield made
    made.close()


def collected(journals: Journals, limit: int = 100) -> list[str]:
    return [one.id for one, _ in journals.collect(limit).entries]


def test_no_folder_yet_is_no_receipts(journals: Journals) -> None:
    batch = journals.collect(10)
    assert (batch.entries, batch.positions, batch.more) == ([], [], False)


def test_a_gateway_that_comes_later_is_found(
    layout: Layout, journals: Journals, hand_clock: HandClock
) -> None:
    journals.collect(10)
    ids = Writer(layout.journal_of("g0")).add_new(1)
    assert collected(journals) == []
    hand_clock.now_s += 1
    assert collected(journals) == ids


def test_a_busy_gateway_does_not_starve_a_quiet_one(layout: Layout, journals: Journals) -> None:
    busy = Writer(layout.journal_of("busy"))
    busy.add_new(50)
    quiet = Writer(layout.journal_of("quiet")).add_new(1)
    batch = journals.collect(10)
    assert quiet[0] in {one.id for one, _ in batch.entries}
    assert len(batch.entries) == 6
    assert batch.more


def test_positions_are_told_only_when_they_moved(journal: Writer, journals: Journals) -> None:
    journal.add_new(1)
    batch = journals.collect(10)
    assert batch.positions == [Position("g0", 1, journal.path.stat().st_size)]
    journals.committed(batch.positions)
    assert journals.collect(10).positions == []


def test_a_folder_that_goes_and_comes_back_is_read_on_from_its_position(
    layout: Layout, journal: Writer, journals: Journals, hand_clock: HandClock
) -> None:
    journal.add_new(2)
    journals.committed(journals.collect(10).positions)
    away = layout.state / "away"
    journal.folder.rename(away)
    assert collected(journals) == []
    assert journals.lags() == []
    away.rename(journal.folder)
    ids = journal.add_new(1)
    hand_clock.now_s += 1
    assert collected(journals) == ids
    assert journals.read_errors == 0


def test_finished_segments_go_when_they_are_committed(journal: Writer, journals: Journals) -> None:
    first = journal.path
    journal.add_new(1)
    journal.roll()
    journal.add_new(1)
    before = journals.collect(1)
    journals.committed(before.positions)
    assert first.exists()
    after = journals.collect(1)
    assert first.exists()
    journals.committed(after.positions)
    assert not first.exists()


def test_lag_counts_bytes_and_the_time_since_nothing_waited(
    journal: Writer, journals: Journals, hand_clock: HandClock
) -> None:
    journals.collect(10)
    assert journals.lags() == [Lag("g0", 0, 0.0)]
    hand_clock.now_s += 5
    journal.add_new(1)
    waiting = journal.path.stat().st_size - 4
    assert journals.lags() == [Lag("g0", waiting, 5.0)]
    journals.collect(10)
    assert journals.lags() == [Lag("g0", 0, 0.0)]


def test_damage_is_told_even_after_its_folder_is_gone(journal: Writer, journals: Journals) -> None:
    journal.raw(b"torn")
    journal.roll()
    journal.add_new(1)
    journals.collect(10)
    assert journals.damage() == {("g0", "torn"): 1}
    journals.close()
    shutil.rmtree(journal.folder)
    journals.collect(10)
    assert journals.damage() == {("g0", "torn"): 1}
