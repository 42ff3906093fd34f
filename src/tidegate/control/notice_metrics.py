"""Notices on `/metrics`: how often each way was tried, and how it ended."""

from collections.abc import Mapping

_TRIES = """\
# HELP tidegate_notice_tries_total Tries to tell people, by way and by what came of them.
# TYPE tidegate_notice_tries_total counter
"""


def render(tries: Mapping[tuple[str, str], int]) -> bytes:
    """The series in Prometheus' text form. Ways' names need no escape."""
    lines = (
        f'tidegate_notice_tries_total{{way="{way}",outcome="{outcome}"}} {count}\n'
        for (way, outcome), count in sorted(dict(tries).items())
    )
    return (_TRIES + "".join(lines)).encode()
