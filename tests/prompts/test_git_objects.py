"""Objects that say they are larger than they may be are not unpacked."""

import random
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path

import pytest
from dulwich.object_store import DiskObjectStore
from tests.prompts.repositories import Made

from tidegate.prompts.git_objects import Objects, TooLarge


@contextmanager
def packed(path: Path, entries: list[tuple[str, bytes]]) -> Iterator[Objects]:
    """A pack with entries (id, bytes as they lie in it), and its index."""
    body = b"PACK" + struct.pack(">LL", 2, len(entries))
    places = []
    for id, entry in entries:
        places.append((bytes.fromhex(id), len(body), zlib.crc32(entry)))
        body += entry
    end = sha1(body, usedforsecurity=False).digest()
    places.sort()
    counts = [sum(it[0][0] <= first for it in places) for first in range(256)]
    index = b"\377tOc" + struct.pack(">L", 2) + struct.pack(">256L", *counts)
    index += b"".join(it[0] for it in places)
    index += b"".join(struct.pack(">L", it[2]) for it in places)
    index += b"".join(struct.pack(">L", it[1]) for it in places) + end
    index += sha1(index, usedforsecurity=False).digest()
    (path / "pack").mkdir(parents=True)
    (path / "pack/pack-1.pack").write_bytes(body + end)
    (path / "pack/pack-1.idx").write_bytes(index)
    with opened(path) as objects:
        yield objects


@contextmanager
def opened(path: Path, **given: int) -> Iterator[Objects]:
    store = DiskObjectStore(str(path), **given)  # type: ignore[arg-type]
    objects = Objects(store)
    yield objects
    objects.close()
    store.close()


def head(kind: int, size: int) -> bytes:
    first, size = size & 0x0F, size >> 4
    out = []
    byte = kind << 4 | first
    while size:
        out.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    return bytes([*out, byte])


def number(value: int) -> bytes:
    out = []
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def blob_id(data: bytes) -> str:
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def test_what_says_it_is_a_gigabyte_is_not_unpacked(tmp_path: Path) -> None:
    bomb = head(3, 1 << 30) + zlib.compress(b"")
    with packed(tmp_path, [("11" * 20, bomb)]) as objects:
        with pytest.raises(TooLarge) as error:
            objects.read("11" * 20, 1000)
        assert error.value.size_bytes == 1 << 30


def test_changes_that_make_a_gigabyte_are_not_applied(tmp_path: Path) -> None:
    base = b"x" * 60_000
    copies = number(len(base)) + number(1 << 30) + b"\xb0\x60\xea" * 20_000
    entry = head(7, len(copies)) + bytes.fromhex(blob_id(base)) + zlib.compress(copies)
    whole = head(3, len(base)) + zlib.compress(base)
    with packed(tmp_path, [(blob_id(base), whole), ("22" * 20, entry)]) as objects:
        assert objects.read(blob_id(base), 60_000) == (3, base)
        with pytest.raises(TooLarge):
            objects.read("22" * 20, 100_000)


def test_changes_that_say_a_length_of_megabytes_are_refused_at_once(tmp_path: Path) -> None:
    base = b"x" * 10
    for changes in (b"\xff" * 4_000_000, number(len(base)) + b"\xff" * 4_000_000):
        entry = head(7, len(changes)) + bytes.fromhex(blob_id(base)) + zlib.compress(changes)
        whole = head(3, len(base)) + zlib.compress(base)
        made = packed(tmp_path / str(len(changes)), [(blob_id(base), whole), ("22" * 20, entry)])
        with made as objects, pytest.raises(ValueError, match="a length that nothing has"):
            objects.read("22" * 20, 100_000)


@pytest.mark.parametrize("size", [4000, 4096, 9000, 300_000])
def test_an_object_is_read_whole_however_it_lies_in_the_pack(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    for level in (0, 9):
        entry = head(3, size) + zlib.compress(data, level)
        with packed(tmp_path / str(level), [(blob_id(data), entry)]) as objects:
            assert objects.read(blob_id(data), size) == (3, data)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (head(3, 9000) + zlib.compress(b"x" * 9000)[:-30], "cut off|incorrect|length"),
        (head(3, 5) + zlib.compress(b"abc"), "not as long"),
        (head(3, 2) + zlib.compress(b"abc"), "not as long"),
        (head(5, 3) + zlib.compress(b"abc"), "of the kind 5"),
        (b"\xff" * 5000, "cut off"),
    ],
)
def test_a_damaged_entry_is_told(tmp_path: Path, entry: bytes, why: str) -> None:
    damaged = packed(tmp_path, [("77" * 20, entry)])
    with damaged as objects, pytest.raises((ValueError, zlib.error), match=why):
        objects.read("77" * 20, 10_000)


def test_changes_in_a_circle_end(tmp_path: Path) -> None:
    changes = number(1) + number(1) + b"\x01x"
    entry = head(7, len(changes)) + bytes.fromhex("33" * 20) + zlib.compress(changes)
    circle = packed(tmp_path, [("33" * 20, entry)])
    with circle as objects, pytest.raises(ValueError, match="no end"):
        objects.read("33" * 20, 1000)


def test_what_lies_under_another_id_is_refused(tmp_path: Path) -> None:
    with packed(tmp_path, [("44" * 20, head(3, 3) + zlib.compress(b"abc"))]) as objects:
        with pytest.raises(ValueError, match="not what its id says"):
            objects.read("44" * 20, 1000)
        with pytest.raises(KeyError):
            objects.read("55" * 20, 1000)


def test_a_small_loose_file_that_unpacks_to_much(tmp_path: Path) -> None:
    repository = Made(tmp_path / "a.git")
    data = b"blob %d\0" % (1 << 26) + b"x" * (1 << 26)
    file = repository.path / "objects" / "66" / ("66" * 19)
    file.parent.mkdir()
    file.write_bytes(zlib.compress(data))
    store = opened(repository.path / "objects", loose_object_size_limit=1 << 20)
    with store as objects, pytest.raises(Exception, match=r"exceed|size|limit|large"):
        objects.read("66" * 20, 1000)
