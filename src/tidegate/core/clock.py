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

    Random digits are drawn a page at a time and the time's part is written once a millisecond,
    so an id costs no system call and little more than its own text.
    """

    _PAGE_BYTES = 4096
    _DIGITS_AN_ID = 19

    def __init__(self) -> None:
        self._digits = ""
        self._at = 0
        self._millisecond = -1
        self._begins = ""

    def new(self) -> str:
        millisecond = int(time.time() * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            stamp = f"{millisecond & 0xFFFFFFFFFFFF:012x}"
            self._begins = f"{stamp[:8]}-{stamp[8:]}-7"
        at, end = self._at, self._at + self._DIGITS_AN_ID
        if end > len(self._digits):
            self._digits = os.urandom(self._PAGE_BYTES).hex()
            at, end = 0, self._DIGITS_AN_ID
        self._at = end
        d = self._digits
        variant = "89ab"[int(d[at], 16) & 3]
        return f"{self._begins}{d[at + 1 : at + 4]}-{variant}{d[at + 4 : at + 7]}-{d[at + 7 : end]}"


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
