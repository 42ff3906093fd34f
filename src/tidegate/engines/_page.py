"""A page in Prometheus' text format: the samples that are wanted, within bounds.

Only lines of wanted names are read whole. A page without an end is a part of one: its last number
may be cut, so none of it is believed.
"""

import zlib
from collections.abc import Collection, Mapping

from prometheus_client.parser import text_string_to_metric_families

MAX_PAGE_BYTES = 4 * 1024 * 1024
_MAX_LINE_CHARS = 4096
_MAX_SAMPLES = 10_000

Labels = Mapping[str, str]
Samples = dict[str, list[tuple[Labels, float]]]


class NoPage(Exception):
    """These bytes are no whole page; the message says why."""


def lines_of(page: bytes, prefix: str) -> list[str]:
    """The samples whose names begin so, not yet read. NoPage."""
    if len(page) > MAX_PAGE_BYTES:
        raise NoPage(f"more than {MAX_PAGE_BYTES} bytes")
    if not page.endswith(b"\n"):
        raise NoPage("it is cut short")
    try:
        text = page.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoPage("it is no UTF-8") from error
    return [line for line in text.split("\n") if line.startswith(prefix)]


def mark_of(lines: Collection[str]) -> int:
    """The same for the same lines."""
    return zlib.crc32("\n".join(lines).encode())


def samples_of(lines: Collection[str], names: Collection[str]) -> Samples:
    """What the lines say of each of `names`. NoPage."""
    wanted = [line for line in lines if _name(line) in names]
    if len(wanted) > _MAX_SAMPLES:
        raise NoPage(f"more than {_MAX_SAMPLES} samples")
    if any(len(line) > _MAX_LINE_CHARS for line in wanted):
        raise NoPage(f"a line of more than {_MAX_LINE_CHARS} characters")
    found: Samples = {}
    try:
        # Without their TYPE lines samples keep the names that the page gives them.
        for family in text_string_to_metric_families("\n".join(wanted)):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, float(sample.value)))
    except (ValueError, IndexError, OverflowError) as error:
        raise NoPage("a line that is no sample") from error
    return found


def _name(line: str) -> str:
    """The metric's name in a sample's line."""
    end = len(line)
    for stop in "{ \t":
        at = line.find(stop, 0, end)
        end = at if at >= 0 else end
    return line[:end]
