"""Who among several serves whom, the same in every process: by rendezvous, so that one which comes
or goes moves only what is its own."""

import hashlib
import math


def rank(whose: str, name: str, weight: float = 1.0) -> float:
    """The one of the highest rank serves; of twice the weight, twice as many."""
    drawn = int.from_bytes(hashlib.blake2b(f"{name}\x1f{whose}".encode(), digest_size=8).digest())
    return -weight / math.log((drawn + 0.5) / 2**64)
