"""Bytes that are torn, changed or no receipt: counted, set aside, and passed."""

from pathlib import Path

import msgspec
import pytest
from tests.record.rig import Follow, Writer, framed, receipt, taken

from tidegate.core.frames import MAX_FRAME_BYTES
from tidegate.core.receipt import encode_frame


def test_a_torn_end_waits_while_it_may_grow(journal: Writer, follow: Follow) -> None:
    frame = encode_frame(one := receipt())
    tail = follow(journal.folder)
    journal.raw(frame[:20])
    assert taken(tail) == []
    journal.raw(frame[20:])
    assert taken(tail) == [one.id]
    assert not tail.damage


def test_a_torn_end_of_a_finished_segment_is_skipped_counted_and_kept(
    journal: Writer, follow: Follow
) -> None:
    ids = journal.add_new(1)
    journal.raw(encode_frame(receipt())[:-1])
    torn = journal.path
    journal.roll()
    ids += journal.add_new(1)
    tail = follow(journal.folder)
    assert taken(tail) == ids
    assert tail.damage == {"torn": 1}
    tail.drop_committed(tail.segment)
    assert not torn.exists()
    assert torn.with_suffix(".damaged").exists()
    assert journal.path.exists()


@pytest.mark.parametrize(
    "damage",
    [
        b"\x05\x00\x00\x00\xff\xff\xff\xffabcde",
        (MAX_FRAME_BYTES + 1).to_bytes(4, "little") + b"\x00" * 100,
        b"\x00" * 4096,
    ],
    ids=["checksum", "length", "zeros"],
)
def test_damaged_bytes_hold_up_nothing_but_their_own_segment(
    journal: Writer, damage: bytes, follow: Follow
) -> None:
    before = journal.add_new(1)
    journal.raw(damage)
    journal.add_new(1)
    tail = follow(journal.folder)
    assert taken(tail) == before
    assert not tail.damage, "while the segment may grow, nothing is given up"
    assert tail.unread_bytes() > 0
    journal.roll()
    after = journal.add_new(1)
    assert taken(tail) == after
    assert tail.damage == {"checksum": 1}


def test_a_frame_that_is_no_receipt_is_skipped_alone(journal: Writer, follow: Follow) -> None:
    first = journal.add_new(1)
    payload = msgspec.msgpack.encode({"id": 5})
    journal.raw(framed(payload))
    second = journal.add_new(1)
    tail = follow(journal.folder)
    assert taken(tail) == first + second
    assert tail.damage == {"undecodable": 1}
    journal.roll()
    taken(tail)
    tail.drop_committed(tail.segment)
    assert len(list(journal.folder.glob("*.damaged"))) == 1


def test_a_segment_without_magic_is_skipped_when_it_is_finished(
    tmp_path: Path, follow: Follow
) -> None:
    journal = Writer(tmp_path / "g")
    journal.path.write_bytes(b"XXXX" + encode_frame(receipt()))
    tail = follow(journal.folder)
    assert taken(tail) == []
    journal.roll()
    ids = journal.add_new(1)
    assert taken(tail) == ids
    assert tail.damage == {"no_magic": 1}


def test_the_number_of_files_set_aside_is_bounded(journal: Writer, follow: Follow) -> None:
    tail = follow(journal.folder)
    for _ in range(12):
        journal.raw(b"torn")
        journal.roll()
    taken(tail)
    tail.drop_committed(tail.segment)
    kept = sorted(journal.folder.glob("*.damaged"))
    assert len(kept) == 8
    assert kept[-1].stem == f"{journal.segment - 1:012d}"
