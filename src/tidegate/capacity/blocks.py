"""KV memory in blocks: counted references, and a cache of full blocks by the prefix they hold.

A full block's key is chained: equal keys mean equal tokens in it and in all blocks before it. A
block that nobody references keeps its content until its memory is wanted; the longest unused goes
first, and of one sequence the tail before the head, because a head without its tail still hits.
"""

import hashlib
from array import array
from collections import deque
from collections.abc import Sequence

BlockKey = bytes
_KEY_BYTES = 16


def chain_keys(token_ids: Sequence[int], block_tokens: int, salt: bytes = b"") -> list[BlockKey]:
    """Keys of the full blocks of a sequence of token ids. `salt` keeps callers apart."""
    key = salt
    keys = []
    packed = array("q", token_ids).tobytes()
    width = block_tokens * 8
    for start in range(0, len(packed) - width + 1, width):
        key = hashlib.blake2b(key + packed[start : start + width], digest_size=_KEY_BYTES).digest()
        keys.append(key)
    return keys


class BlockPool:
    """A fixed number of blocks. Every block is free, idle (cached, unreferenced) or referenced."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._references = [0] * capacity
        self._key_of: list[BlockKey | None] = [None] * capacity
        self._free = deque(range(capacity))
        self._idle: dict[int, None] = {}  # insertion order is the order of release
        self._cached: dict[BlockKey, int] = {}

    @property
    def available(self) -> int:
        """Blocks that `allocate` could give out now."""
        return len(self._free) + len(self._idle)

    @property
    def referenced(self) -> int:
        return self.capacity - self.available

    def longest_prefix(self, keys: Sequence[BlockKey]) -> list[int]:
        """The cached blocks that hold the longest leading run of `keys`. Takes nothing."""
        found = []
        for key in keys:
            block = self._cached.get(key)
            if block is None:
                break
            found.append(block)
        return found

    def idle_among(self, blocks: Sequence[int]) -> int:
        """How many of these cached blocks would stop being available when referenced."""
        return sum(1 for block in blocks if not self._references[block])

    def reference(self, blocks: Sequence[int]) -> None:
        """Adds one reference to each of these cached blocks."""
        for block in blocks:
            if not self._references[block]:
                del self._idle[block]
            self._references[block] += 1

    def allocate(self, count: int) -> list[int] | None:
        """`count` blocks with one reference each, or None and nothing taken."""
        if count > self.available:
            return None
        taken = []
        for _ in range(count):
            if self._free:
                block = self._free.popleft()
            else:
                block = next(iter(self._idle))
                del self._idle[block]
                key = self._key_of[block]
                assert key is not None  # noqa: S101 - only keyed blocks are idle
                del self._cached[key]
                self._key_of[block] = None
            self._references[block] = 1
            taken.append(block)
        return taken

    def keep(self, block: int, key: BlockKey) -> None:
        """Names the content of a referenced, now full block. The first of equals is kept."""
        if self._key_of[block] is None and key not in self._cached:
            self._key_of[block] = key
            self._cached[key] = block

    def release(self, blocks: Sequence[int]) -> None:
        """Gives back one reference of each block of a sequence, tail first."""
        for block in reversed(blocks):
            left = self._references[block] - 1
            if left < 0:
                raise AssertionError(f"block {block} was released more often than referenced")
            self._references[block] = left
            if left == 0:
                if self._key_of[block] is None:
                    self._free.append(block)
                else:
                    self._idle[block] = None
