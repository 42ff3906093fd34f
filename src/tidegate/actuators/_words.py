"""How a message is said to people, in any way."""

from collections import Counter
from datetime import UTC, datetime
from typing import Final

from tidegate.core.notice import SEVERITIES, Message, Notice, graver

MOST_SHOWN: Final = 20
_SHORT_LETTERS = 300


def headline(message: Message) -> str:
    """One line: what it is, or how many there are of what."""
    over = "" if message.ends is None else "Resolved: "
    if len(message.notices) == 1:
        return f"{over}{message.notices[0].title}"
    counts = Counter(notice.topic for notice in message.notices)
    topics = ", ".join(f"{count} {topic}" for topic, count in counts.most_common())
    return f"{over}{len(message.notices)} notices: {topics}"


def gravest(message: Message) -> str:
    """The severity of the gravest of its notices."""
    worst = SEVERITIES[-1]
    for notice in message.notices:
        worst = notice.severity if graver(notice.severity, worst) else worst
    return worst


def paragraphs(message: Message) -> list[str]:
    """All that is said of it, the oldest first, and how many are left out."""
    if len(message.notices) == 1:
        return [part for part in _parts(message, message.notices[0]) if part]
    said = [_line(message, notice) for notice in message.notices[:MOST_SHOWN]]
    left = len(message.notices) - MOST_SHOWN
    return [*said, f"and {left} more: `tidegate notice list`"] if left > 0 else said


def facts(notice: Notice, source: str) -> str:
    """What it is, where, since when and under which key it can be silenced."""
    route = f", route {notice.route}" if notice.route else ""
    since = f"since {moment(notice.at_s)}"
    return f"{notice.severity}, {notice.topic}{route}, {since}, {source}, key {notice.key}"


def moment(at_s: float) -> str:
    """A time as in RFC 3339, in UTC."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")


def _parts(message: Message, notice: Notice) -> list[str]:
    text = notice.text if message.ends is None else notice.resolution or ""
    return [text, facts(notice, message.source)]


def _line(message: Message, notice: Notice) -> str:
    over = "resolved: " if message.ends is not None else ""
    return f"- {over}{notice.title[:_SHORT_LETTERS]} ({notice.severity}, {moment(notice.at_s)})"
