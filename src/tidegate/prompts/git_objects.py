"""A repository's objects, each compared with its id, and never unpacked before it is known how long
it says it is: a small object may unpack to gigabytes."""

import os
from contextlib import suppress
from itertools import pairwise
from typing import Final

from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID, RawObjectID
from dulwich.pack import OFS_DELTA, REF_DELTA, Pack, apply_delta

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
KINDS: Final = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}
# What other objects are made of may be longer than they.
MAX_BASE_BYTES: Final = 16 * 1024 * 1024
MAX_CHAIN: Final = 4_096
_KEPT_BASES_BYTES: Final = 32 * 1024 * 1024
_CHANGES: Final = 0x40  # in a packed object's first byte: it is made of another one


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
        self._handles: dict[str, int] = {}
        self._bases: dict[tuple[str, int], tuple[int, bytes]] = {}
        self._bases_bytes = 0

    def close(self) -> None:
        """Lets go of its own files. The store is whoever's opened it."""
        while self._handles:
            os.close(self._handles.popitem()[1])
        for pack in self._packs:
            let_go(pack)

    @property
    def id_bytes(self) -> int:
        return self._store.object_format.oid_length

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
        for pack in self._packs:
            try:
                offset = pack.index.object_offset(raw)
            except KeyError:
                continue
            return self._resolved(pack, offset, most_bytes)
        # Loose, or another repository's that this one borrows from: the store bounds those.
        return self._store.get_raw(ObjectID(id.encode()))

    def _resolved(self, pack: Pack, offset: int, most_bytes: int) -> tuple[int, bytes]:
        """The object at a place of a pack, with the changes that it is made of applied."""
        changes: list[tuple[int, bytes]] = []
        name = str(pack.data.path)
        while (known := self._bases.get((name, offset))) is None:
            if len(changes) > MAX_CHAIN:
                raise ValueError("a chain of changes has no end")
            self._check_declared(name, offset, most_bytes if not changes else MAX_BASE_BYTES)
            unpacked = pack.data.get_unpacked_object_at(offset)
            content = b"".join(unpacked.decomp_chunks)
            base = unpacked.delta_base
            if unpacked.pack_type_num == OFS_DELTA and isinstance(base, int):
                changes.append((offset, content))
                offset -= base
            elif unpacked.pack_type_num == REF_DELTA and isinstance(base, bytes):
                changes.append((offset, content))
                offset = pack.index.object_offset(RawObjectID(base))
            else:
                known = unpacked.pack_type_num, content
                break
        kind, data = known
        for place, change in reversed(changes):
            self._keep(name, offset, kind, data)
            is_last = place == changes[0][0]
            _check_size(_made_bytes(change), most_bytes if is_last else MAX_BASE_BYTES)
            data = b"".join(apply_delta(data, change))
            offset = place
        return kind, data

    def _check_declared(self, pack: str, offset: int, most_bytes: int) -> None:
        if pack not in self._handles:
            self._handles[pack] = os.open(pack, os.O_RDONLY)
        head = os.pread(self._handles[pack], 12, offset)
        size, shift = head[0] & 0x0F, 4
        for before, byte in pairwise(head):
            if not before & 0x80:
                break
            size |= (byte & 0x7F) << shift
            shift += 7
        _check_size(size, MAX_BASE_BYTES if head[0] & _CHANGES else most_bytes)

    def _keep(self, pack: str, offset: int, kind: int, data: bytes) -> None:
        """What others may be made of, up to a bound."""
        if (pack, offset) in self._bases:
            return
        self._bases_bytes += len(data)
        if self._bases_bytes > _KEPT_BASES_BYTES:
            self._bases.clear()
            self._bases_bytes = len(data)
        self._bases[pack, offset] = kind, data


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
    return size
