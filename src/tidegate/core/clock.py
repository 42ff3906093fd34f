"""The one place that reads time or draws unseeded randomness.

Durations come from the monotonic clock, dates from the wall clock: a step of the wall clock
never shortens a deadline and never reorders what happened.
"""

import os
import re
import time

monotonic_s = time.monotonic
wall_s = time.time
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_IDS_AT_ONCE = 64
_DIGITS_AN_ID = 19
_PARTS = re.compile("(...)(.)(...)(.{12})")
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class IdSource:
    """UUIDv7 ids (RFC 9562): sortable by time, unique across replicas.

    Random digits are drawn and written for many ids at a time, and the time's part once a
    millisecond, so an id costs no system call and little more than its own text.
    """

    def __init__(self) -> None:
        self._tails: list[str] = []
        self._millisecond = -1
        self._begins = ""

    def new(self) -> str:
        millisecond = int(time.time() * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            stamp = f"{millisecond & 0xFFFFFFFFFFFF:012x}"
            self._begins = f"{stamp[:8]}-{stamp[8:]}-7"
        if not self._tails:
            digits = os.urandom(_IDS_AT_ONCE * _DIGITS_AN_ID // 2).hex()
            self._tails = [
                f"{first}-{_VARIANTS[variant]}{second}-{third}"
                for first, variant, second, third in _PARTS.findall(digits)
            ]
        return self._begins + self._tails.pop()


def since_boot_s() -> float:
    """Seconds since this machine was started, with those in which it slept: the same clock for
    every process, which nobody sets."""
    return time.clock_gettime(_SINCE_BOOT)


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


def fraction() -> float:
    """A number from 0 up to 1, for chance and jitter."""
    return (int.from_bytes(os.urandom(7)) >> 3) / (1 << 53)
