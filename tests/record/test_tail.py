import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.record.rig import Follow, Writer, framed, receipt, taken

from tidegate.core.frames import FRAME_HEADER_BYTES
from tidegate.core.receipt import SEGMENT_MAGIC, encode_frame
from tidegate.record.tail import JournalTail


def test_it_follows_a_growing_segment(journal: Writer, follow: Follow) -> None:
    tail = follow(journal.folder)
    assert taken(tail) == []
    first = journal.add_new(2)
    assert taken(tail) == first
    assert taken(tail) == []
    second = journal.add_new(1)
    assert taken(tail) == second
    assert not tail.damage


def test_it_goes_on_from_where_it_was_told(journal: Writer, follow: Follow) -> None:
    journal.add_new(3)
    tail = follow(journal.folder)
    tail.take(2)
    rest = follow(journal.folder, (tail.segment, tail.offset))
    assert taken(rest) == taken(tail)


def test_it_takes_no_more_than_asked_and_says_that_there_is_more(
    journal: Writer, follow: Follow
) -> None:
    ids = journal.add_new(5)
    tail = follow(journal.folder)
    assert len(tail.take(3)) == 3
    assert tail.behind
    assert [one.id for one, _ in tail.take(3)] == ids[3:]
    assert not tail.behind


def test_the_payload_is_the_journals_own(journal: Writer, follow: Follow) -> None:
    one = receipt()
    journal.add(one)
    ((read, payload),) = follow(journal.folder).take(9)
    assert read == one
    assert payload == encode_frame(one)[FRAME_HEADER_BYTES:]


@given(
    counts=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    cuts=st.lists(st.integers(1, 900), max_size=40),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_however_the_bytes_arrive_each_frame_is_taken_once(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    written, expected, found = [], [], []
    for number, count in enumerate(counts, 1):
        several = [receipt() for _ in range(count)]
        expected += [one.id for one in several]
        data = SEGMENT_MAGIC + b"".join(map(encode_frame, several))
        written.append((folder / f"{number:012d}.journal", data))
    tail, pieces = JournalTail(folder), iter(cuts)
    for path, data in written:
        at = 0
        while at < len(data):
            size = next(pieces, len(data))
            with path.open("ab") as file:
                file.write(data[at : at + size])
            at += size
            found += taken(tail, 2)
    assert found == expected
    assert not tail.damage
    tail.close()


def test_a_finished_segment_is_left_for_the_next(journal: Writer, follow: Follow) -> None:
    first = journal.add_new(2)
    tail = follow(journal.folder)
    assert taken(tail) == first
    journal.roll()
    second = journal.add_new(1)
    journal.segment += 6  # numbers may jump
    journal.raw(SEGMENT_MAGIC)
    third = journal.add_new(1)
    assert taken(tail) == second + third
    assert tail.segment == journal.segment


def test_what_was_added_just_before_the_roll_is_not_missed(journal: Writer, follow: Follow) -> None:
    tail = follow(journal.folder)
    tail.take(9)
    late = journal.add_new(1)
    journal.roll()
    assert taken(tail) == late


def test_fields_of_a_newer_gateway_are_passed_on_unread(journal: Writer, follow: Follow) -> None:
    fields = {**msgspec.to_builtins(receipt()), "mood": {"good": [1, 2]}}
    payload = msgspec.msgpack.encode(fields)
    journal.raw(framed(payload))
    ((one, kept),) = follow(journal.folder).take(9)
    assert one.id == fields["id"]
    assert kept == payload


def test_an_empty_segment_is_waited_for_and_then_passed(tmp_path: Path, follow: Follow) -> None:
    journal = Writer(tmp_path / "g")
    journal.path.write_bytes(b"")
    tail = follow(journal.folder)
    assert taken(tail) == []
    journal.roll()
    ids = journal.add_new(1)
    assert taken(tail) == ids
    assert not tail.damage


def test_a_segment_cut_back_by_its_gateway_is_waited_for(journal: Writer, follow: Follow) -> None:
    """A write that failed half way is taken back and made again in the same place."""
    tail = follow(journal.folder)
    first, second = receipt(), receipt()
    journal.add(first)
    assert taken(tail) == [first.id]
    os.truncate(journal.path, len(SEGMENT_MAGIC))
    assert taken(tail) == []
    journal.add(first, second)
    assert taken(tail) == [second.id]
    assert not tail.damage


def test_nothing_is_deleted_before_it_is_committed_nor_while_it_may_grow(
    journal: Writer, follow: Follow
) -> None:
    journal.add_new(1)
    tail = follow(journal.folder)
    taken(tail)
    tail.drop_committed(tail.segment)
    assert journal.path.exists()
    first = journal.path
    journal.roll()
    taken(tail)
    assert first.exists()
    tail.drop_committed(tail.segment)
    assert not first.exists()
    assert journal.path.exists()


def test_segments_below_the_position_are_read_again_rather_than_lost(
    journal: Writer, follow: Follow
) -> None:
    """A crash between commit and deletion, or a folder that began anew: the ledger knows."""
    ids = journal.add_new(2)
    journal.roll()
    ids += journal.add_new(2)
    size = journal.path.stat().st_size
    ids += journal.add_new(1)
    assert taken(follow(journal.folder, (2, size))) == ids[:2] + ids[4:]


def test_a_folder_that_counts_from_one_again_is_read_from_its_start(
    journal: Writer, follow: Follow
) -> None:
    ids = journal.add_new(2)
    assert taken(follow(journal.folder, (57, 9000))) == ids


def test_a_position_whose_segment_is_gone_goes_on_with_the_next(
    journal: Writer, follow: Follow
) -> None:
    journal.path.unlink()
    journal.roll()
    ids = journal.add_new(2)
    assert taken(follow(journal.folder, (1, 700))) == ids


def test_a_file_put_in_place_of_the_open_one_is_read_from_its_start(
    journal: Writer, follow: Follow
) -> None:
    tail = follow(journal.folder)
    journal.add_new(3)
    taken(tail)
    journal.path.unlink()
    journal.raw(SEGMENT_MAGIC)
    ids = journal.add_new(1)
    assert taken(tail) == ids


def test_a_missing_folder_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        JournalTail(tmp_path / "nowhere").take(1)


def test_what_is_unread_is_counted_over_all_segments(journal: Writer, follow: Follow) -> None:
    tail = follow(journal.folder)
    assert tail.unread_bytes() == 0
    one = receipt()
    journal.add(one)
    journal.roll()
    journal.add(one, one)
    assert tail.unread_bytes() == 3 * len(encode_frame(one))
    taken(tail)
    assert tail.unread_bytes() == 0


def test_other_files_in_the_folder_are_left_alone(journal: Writer, follow: Follow) -> None:
    for name in ("lock", "x.journal", "٣.journal", "1.journal.tmp"):
        (journal.folder / name).write_bytes(b"")
    ids = journal.add_new(1)
    tail = follow(journal.folder)
    assert taken(tail) == ids
    tail.drop_committed(tail.segment)
    assert len(list(journal.folder.iterdir())) == 5
