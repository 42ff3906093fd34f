"""How long packets of Opus are."""

from typing import Final

_SILK_MS: Final = (10.0, 20.0, 40.0, 60.0)
_CELT_MS: Final = (2.5, 5.0, 10.0, 20.0)
_MOST_OPUS_MS: Final = 120.0


def opus_ms(first: int, second: int) -> float:
    """A packet of Opus by its first two bytes (RFC 6716, 3.1 and 3.2); 0 where it is empty, or
    longer than any may be."""
    config, code = first >> 3, first & 3
    if config >= 16:
        frame_ms = _CELT_MS[config & 3]
    else:
        frame_ms = _SILK_MS[config & 3] if config < 12 else _SILK_MS[config & 1]
    frames = (1, 2, 2, second & 0x3F)[code]
    return frames * frame_ms if frames * frame_ms <= _MOST_OPUS_MS else 0.0
