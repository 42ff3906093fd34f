"""Vectors of tests: a few directions, of length one, as an encoder makes them."""

import numpy as np

DIMENSIONS = 4


def vector(*numbers: float) -> bytes:
    values = np.zeros(DIMENSIONS, "<f4")
    values[: len(numbers)] = numbers
    return (values / np.linalg.norm(values)).astype("<f4").tobytes()


def cosine(one: bytes, other: bytes) -> float:
    return float(np.frombuffer(one, "<f4") @ np.frombuffer(other, "<f4"))
