"""Money and sizes as integers, with the one rounding rule."""

import re
from decimal import ROUND_HALF_EVEN, Decimal

NANOUSD_PER_USD = 1_000_000_000
TOKENS_PER_MTOK = 1_000_000

_SIZE = re.compile(r"(\d+)\s*(B|KB|MB|GB|KiB|MiB|GiB)?")
_SIZE_UNITS = {
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}


def usd_to_nanousd(usd: Decimal) -> int:
    """Dollars to integer nano-dollars, half to even."""
    return int((usd * NANOUSD_PER_USD).to_integral_value(ROUND_HALF_EVEN))


def format_usd(nanousd: int) -> str:
    """Nano-dollars as dollars without loss and without trailing zeros: `0.000123`."""
    text = f"{Decimal(nanousd) / NANOUSD_PER_USD:.9f}".rstrip("0")
    return text + "00" if text.endswith(".") else text


def format_duration(seconds: float) -> str:
    """`30d`, `24h`, `90m`, `45s`: in the largest unit that says it whole; a day is 24 hours."""
    for unit, length_s in (("d", 86_400), ("h", 3600), ("m", 60)):
        count, rest = divmod(seconds, length_s)
        if not rest and count and (unit, count) != ("d", 1):
            return f"{count:.0f}{unit}"
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def parse_size_bytes(text: str) -> int:
    """`64MiB`, `1GB`, `4096` -> bytes. ValueError when it is no size."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 64MiB, 1GB or 4096")
    return int(match[1]) * _SIZE_UNITS[match[2] or "B"]
