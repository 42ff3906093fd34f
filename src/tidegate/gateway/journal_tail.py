"""What lies in a journal beyond a position, read once, as the recorder would read it.

Blocking, and of a folder that another process may write and yet another may delete from.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.core import layout
from tidegate.core.frames import frames
from tidegate.core.receipt import SEGMENT_MAGIC, Receipt, decode_payload

Position = tuple[int, int]


class Tail(Struct):
    """Receipts in their order, and the position behind the last of them.

    `whole` False: the segment to begin with is not there, and with it may have gone receipts.
    """

    receipts: list[Receipt]
    end: Position
    whole: bool


def read_tail(folder: Path, start: Position, *, older: bool = False) -> Tail:
    """Everything from `start` on; with `older` also what segments before it are still there.

    A torn end may still grow and is left; damaged bytes end the reading of their segment. OSError.
    """
    numbers = _numbers(folder)
    tail = Tail([], start, start[0] in numbers)
    for number in numbers:
        if number < start[0] and not older:
            continue
        offset = start[1] if number == start[0] else 0
        try:
            with (folder / layout.segment_name(number)).open("rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            tail.whole = tail.whole and number != start[0]
            continue
        if offset == 0:
            read = _read_segment(data, tail.receipts)
        else:
            read = decode_frames(data, 0, tail.receipts)
        tail.end = number, offset + read
    return tail


def decode_frames(data: bytes, offset: int, into: list[Receipt]) -> int:
    """Adds the receipts of whole frames; where the first that is not whole begins."""
    for end, payload in frames(data, offset):
        if not payload:  # an empty frame is what a disk leaves that lost its writes
            break
        offset = end
        try:
            into.append(decode_payload(payload))
        except msgspec.DecodeError:
            continue  # nobody will ever read it: the recorder sets it aside
    return offset


def _read_segment(data: bytes, into: list[Receipt]) -> int:
    return decode_frames(data, len(SEGMENT_MAGIC), into) if data.startswith(SEGMENT_MAGIC) else 0


def _numbers(folder: Path) -> list[int]:
    with os.scandir(folder) as entries:
        stems = (entry.name.removesuffix(".journal") for entry in entries)
        return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())
