from pathlib import Path

import pytest
from tests.record.rig import Writer, framed, receipt

from tidegate.core.receipt import encode_frame
from tidegate.gateway.journal_tail import read_tail


def ids(folder: Path, start: tuple[int, int], *, older: bool = False) -> list[str]:
    return [one.id for one in read_tail(folder, start, older=older).receipts]


def test_it_reads_from_its_position_to_the_end_over_all_segments(tmp_path: Path) -> None:
    journal = Writer(tmp_path)
    before = journal.add_new(2)
    here = (1, journal.path.stat().st_size)
    after = journal.add_new(3)
    journal.roll()
    after += journal.add_new(1)
    tail = read_tail(tmp_path, here)
    assert [one.id for one in tail.receipts] == after
    assert tail.end == (2, journal.path.stat().st_size)
    assert tail.whole
    assert ids(tmp_path, (0, 0)) == before + after
    assert ids(tmp_path, tail.end) == []
    more = journal.add_new(2)
    assert ids(tmp_path, tail.end) == more


def test_older_segments_are_read_only_when_asked_for(tmp_path: Path) -> None:
    journal = Writer(tmp_path)
    old = journal.add_new(2)
    journal.roll()
    new = journal.add_new(1)
    assert ids(tmp_path, (2, 4)) == new
    assert ids(tmp_path, (2, 4), older=True) == old + new


def test_what_was_deleted_before_it_was_read_is_told(tmp_path: Path) -> None:
    journal = Writer(tmp_path)
    journal.add_new(2)
    start = (1, journal.path.stat().st_size)
    journal.path.unlink()
    journal.roll()
    assert not read_tail(tmp_path, start).whole


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_torn_end_is_left_and_read_once_it_is_whole(tmp_path: Path, cut: int) -> None:
    journal = Writer(tmp_path)
    first = journal.add_new(1)
    last = receipt()
    whole = encode_frame(last)
    journal.raw(whole[:cut])
    tail = read_tail(tmp_path, (0, 0))
    assert [one.id for one in tail.receipts] == first
    journal.raw(whole[cut:])
    assert ids(tmp_path, tail.end) == [last.id]


def test_damage_ends_its_segment_and_no_other(tmp_path: Path) -> None:
    journal = Writer(tmp_path)
    found = journal.add_new(1)
    damaged = bytearray(encode_frame(receipt()))
    damaged[-1] ^= 1
    journal.raw(bytes(damaged))
    journal.add_new(1)
    journal.roll()
    found += journal.add_new(1)
    journal.raw(framed(b"\xc1"))  # whole, and no receipt
    found += journal.add_new(1)
    journal.raw(bytes(64))
    assert ids(tmp_path, (0, 0)) == found


def test_a_file_without_its_first_bytes_is_no_segment(tmp_path: Path) -> None:
    journal = Writer(tmp_path)
    journal.path.write_bytes(b"XXXX" + encode_frame(receipt()))
    (tmp_path / "000000000007.damaged").write_bytes(b"TGJ1" + encode_frame(receipt()))
    assert ids(tmp_path, (0, 0)) == []
