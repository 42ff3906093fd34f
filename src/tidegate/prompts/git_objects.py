"""A repository's objects, each compared with its id, and never unpacked before it is known how long
it says it is: a small object may unpack to gigabytes."""

import os
import zlib
from contextlib import suppress
from typing import Final

from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID, RawObjectID
from dulwich.pack import OFS_DELTA, REF_DELTA, Pack, apply_delta

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
KINDS: Final = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}
# What other objects are made of may be longer than they.
MAX_BASE_BYTES: Final = 16 * 1024 * 1024
MAX_CHAIN: Final = 4_096
_KEPT_BASES_BYTES: Final = 16 * 1024 * 1024
_KEPT_BASE_BYTES: Final = 256  # what it takes to keep one, beside its content
_MOST_BITS: Final = 63  # of a length
_READ_BYTES: Final = 1024  # most entries of a pack are shorter


class TooLarge(Exception):
    """An object that is longer than it may be."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes")
        self.size_bytes = size_bytes


class Objects:
    """The objects of one object store."""

    def __init__(self, store: DiskObjectStore) -> None:
        self._store = store
        self._packs = list(store.packs)
        self.id_bytes = store.object_format.oid_length
        self._files: dict[int, int] = {}
        self._bases: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._bases_bytes = 0

    def close(self) -> None:
        """Lets go of its own files. The store is whoever's opened it."""
        while self._files:
            os.close(self._files.popitem()[1])
        for pack in self._packs:
            let_go(pack)

    def beginning_with(self, prefix: str) -> set[str]:
        """The ids that begin so."""
        return {it.decode() for it in self._store.iter_prefix(prefix.encode())}

    def read(self, id: str, most_bytes: int) -> tuple[int, bytes]:
        """An object's kind and content. KeyError where there is none of this id, TooLarge, and
        anything else that reading damaged files comes to."""
        kind, data = self._unpacked(id, most_bytes)
        if len(data) > most_bytes:
            raise TooLarge(len(data))
        head = f"{KINDS[kind]} {len(data)}\0".encode()
        found = self._store.object_format.hash_func()
        found.update(head)
        found.update(data)
        if found.hexdigest() != id:
            raise ValueError(f"the object {id[:12]} is not what its id says")
        return kind, data

    def _unpacked(self, id: str, most_bytes: int) -> tuple[int, bytes]:
        raw = RawObjectID(bytes.fromhex(id))
        for number, pack in enumerate(self._packs):
            try:
                offset = pack.index.object_offset(raw)
            except KeyError:
                continue
            return self._resolved(number, offset, most_bytes)
        # Loose, or another repository's that this one borrows from: the store bounds those.
        return self._store.get_raw(ObjectID(id.encode()))

    def _resolved(self, number: int, offset: int, most_bytes: int) -> tuple[int, bytes]:
        """The object at a place of a pack, with the changes that it is made of applied."""
        changes: list[tuple[int, bytes]] = []
        file = self._file(number)
        while (known := self._bases.get((number, offset))) is None:
            if len(changes) > MAX_CHAIN:
                raise ValueError("a chain of changes has no end")
            most = most_bytes if not changes else MAX_BASE_BYTES
            kind, base, content = _entry(file, offset, most, self.id_bytes)
            if base is None:
                known = kind, content
                break
            changes.append((offset, content))
            if isinstance(base, int):
                offset -= base
            else:
                offset = self._packs[number].index.object_offset(RawObjectID(base))
        kind, data = known
        while changes:
            place, change = changes.pop()
            self._keep((number, offset), kind, data)
            _check_size(_made_bytes(change), MAX_BASE_BYTES if changes else most_bytes)
            data = b"".join(apply_delta(data, change))
            offset = place
        return kind, data

    def _file(self, number: int) -> int:
        if number not in self._files:
            self._files[number] = os.open(self._packs[number].data.path, os.O_RDONLY)
        return self._files[number]

    def _keep(self, place: tuple[int, int], kind: int, data: bytes) -> None:
        """What others may be made of, up to a bound."""
        if place in self._bases:
            return
        self._bases_bytes += len(data) + _KEPT_BASE_BYTES
        if self._bases_bytes > _KEPT_BASES_BYTES:
            self._bases.clear()
            self._bases_bytes = len(data) + _KEPT_BASE_BYTES
        self._bases[place] = kind, data


def _entry(
    file: int, offset: int, most_bytes: int, id_bytes: int
) -> tuple[int, int | bytes | None, bytes]:
    """An entry of a pack: its kind, what it changes (what lies so far before it, or has this id;
    None where it is whole), and its content. TooLarge, before any of it is unpacked."""
    data = os.pread(file, _READ_BYTES, offset)
    base: int | bytes | None = None
    try:
        byte = data[0]
        kind, size, shift, place = byte >> 4 & 7, byte & 0x0F, 4, 1
        while byte & 0x80:
            byte = data[place]
            size |= (byte & 0x7F) << shift
            shift += 7
            place += 1
        if kind == OFS_DELTA:
            byte = data[place]
            base, place = byte & 0x7F, place + 1
            while byte & 0x80:
                byte = data[place]
                base = (base + 1) << 7 | byte & 0x7F
                place += 1
        elif kind == REF_DELTA:
            base, place = data[place : place + id_bytes], place + id_bytes
        elif kind not in KINDS:
            raise ValueError(f"an object is of the kind {kind}, which there is not")
    except IndexError:
        raise ValueError("a pack is cut off") from None
    _check_size(size, most_bytes if base is None else MAX_BASE_BYTES)
    return kind, base, _inflated(file, offset + len(data), data[place:], size)


def _inflated(file: int, at: int, data: bytes, size: int) -> bytes:
    """What begins with `data`, and goes on at a place of a file, unpacked: as long as it says it
    is, and never more than a byte longer on the way."""
    stream = zlib.decompressobj()
    content = stream.decompress(data, size + 1)
    while not stream.eof and len(content) <= size:
        more = os.pread(file, max(_READ_BYTES, size), at)
        if not more:
            raise ValueError("a pack is cut off")
        at += len(more)
        content += stream.decompress(stream.unconsumed_tail + more, size + 1 - len(content))
    if len(content) != size:
        raise ValueError("an object is not as long as it says")
    return content


def let_go(of: Pack | DiskObjectStore) -> None:
    """Closes it; what an error on its way up still looks at is closed when that is gone."""
    with suppress(BufferError):
        of.close()


def _check_size(size_bytes: int, most_bytes: int) -> None:
    if size_bytes > most_bytes:
        raise TooLarge(size_bytes)


def _made_bytes(changes: bytes) -> int:
    """How long what they make says it is: the second number of changes; the first is its base's."""
    size = place = 0
    for _ in range(2):
        size = shift = 0
        while True:
            byte = changes[place]
            size |= (byte & 0x7F) << shift
            shift += 7
            place += 1
            if not byte & 0x80:
                break
            if shift > _MOST_BITS:
                raise ValueError("a change says a length that nothing has")
    return size
