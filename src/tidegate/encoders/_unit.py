"""Vectors as they are kept: of length one, as bytes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.core.encoding import EncoderUnavailable, Vector


def unit(vector: NDArray[Any], dimensions: int) -> Vector | None:
    """None where it has no direction. EncoderUnavailable where it is no vector at all."""
    if vector.shape != (dimensions,):
        raise EncoderUnavailable(f"a vector of shape {vector.shape}, not ({dimensions},), came out")
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length):
        raise EncoderUnavailable("a vector came out that is not of numbers")
    if length == 0.0:
        return None
    return (vector / length).astype("<f4").tobytes()
