"""What was found of recorded audio by going from frame to frame."""

from typing import Final, NamedTuple

# A longer file is read so far: about half an hour of MP3, and a few milliseconds of work.
MOST_FRAMES: Final = 65_536


class Heard(NamedTuple):
    """`seconds` are those of the frames that were read, from above; `unread_bytes` may hold others.
    `exact`: what was read is as long as that, and not shorter."""

    seconds: float
    unread_bytes: int
    exact: bool = True
