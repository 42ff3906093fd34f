"""Where a recorded stream is cut off: a long one says the same again and again."""

import random

import pytest

_WHOLE_BYTES = 3_000
_END_BYTES = 600

# `every` is for `places`: whether all of them are tried.
EVERY = pytest.mark.parametrize(
    "every", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["", "every"]
)


def places(stream: bytes, *, every: bool) -> list[int]:
    """All places of a short stream and of a long one's end; of what is before that so few that it
    costs about as much, and others in each run, unless `every`."""
    apart = 1 if every else 1 + len(stream) // _WHOLE_BYTES
    end = max(len(stream) - _END_BYTES, 0)
    return [*range(random.randrange(apart), end, apart), *range(end, len(stream))]
