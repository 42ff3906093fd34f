"""The one place that reads time or draws unseeded randomness.

Durations come from the monotonic clock, dates from the wall clock: a step of the wall clock
never shortens a deadline and never reorders what happened.
"""

import os
import time

monotonic_s = time.monotonic
wall_s = time.time


class IdSource:
    """UUIDv7 ids (RFC 9562): sortable by time, unique across replicas.

    Random bits are drawn a page at a time, so an id costs no system call.
    """

    _PAGE_IDS = 256
    _BYTES_AN_ID = 10

    def __init__(self) -> None:
        self._pool = b""
        self._at = 0

    def new(self) -> str:
        at = self._at
        pool = self._pool
        if at >= len(pool):
            pool = self._pool = os.urandom(self._PAGE_IDS * self._BYTES_AN_ID)
            at = 0
        self._at = at + self._BYTES_AN_ID
        random_bits = int.from_bytes(pool[at : at + self._BYTES_AN_ID], "big")
        value = (int(time.time() * 1000) & 0xFFFFFFFFFFFF) << 80 | random_bits
        value = value & ~(0xF << 76) | 0x7 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def random_text(alphabet: str, length: int) -> str:
    """`length` characters drawn from `alphabet` by the system's cryptographic source."""
    size = len(alphabet)
    ceiling = 256 - 256 % size  # reject the tail, so every character is equally likely
    out: list[str] = []
    while len(out) < length:
        out += [alphabet[b % size] for b in os.urandom(length * 2) if b < ceiling]
    return "".join(out[:length])


def random_bytes(length: int) -> bytes:
    """`length` bytes from the system's cryptographic source."""
    return os.urandom(length)
