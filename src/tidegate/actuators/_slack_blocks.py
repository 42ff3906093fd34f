"""How Slack shows a message: blocks, in which nothing is a link, a mention or a command."""

from typing import Any, Final

from msgspec.structs import replace

from tidegate.actuators import _words
from tidegate.core.notice import Message, Notice

_MOST_LETTERS: Final = 2900  # of one block; Slack takes 3,000
# Else Slack makes links of addresses and of channels' names.
_PLAINLY: Final = {"type": "mrkdwn", "verbatim": True}
_MARKS = {"page": ":rotating_light:", "ticket": ":warning:", "info": ":information_source:"}
_OVER = ":white_check_mark:"
_LINE_LETTERS = 200
_MOST_LINES = 12


def of(message: Message) -> dict[str, Any]:
    """What a post says. Of a thing that was told of before: how it stands now, and what was."""
    shown, before = _as_it_stands(message)
    mark = _OVER if shown.ends is not None else _MARKS[_words.gravest(shown)]
    texts = [f"{mark} *{_escaped(_words.headline(shown))}*"]
    texts += [_escaped(one) for one in _words.paragraphs(shown)]
    if before:
        texts.append("\n".join(_escaped(_line(one)) for one in before[-_MOST_LINES:]))
    blocks = [
        {"type": "section", "text": {**_PLAINLY, "text": text[:_MOST_LETTERS]}} for text in texts
    ]
    plain = _escaped(f"{_words.headline(shown)} ({message.source})")
    return {"text": plain, "blocks": blocks, "unfurl_links": False}


def _as_it_stands(message: Message) -> tuple[Message, list[Notice]]:
    """What is in force goes before what is over, whatever came last; and the rest."""
    if not message.earlier:
        return message, []
    every = sorted((*message.earlier, *message.notices), key=lambda one: (one.at_s, one.id))
    still = [one for one in every if one.resolved_at_s is None]
    first = still[-1] if still else message.notices[-1]
    ends = None if still else message.ends or message.id
    return replace(message, notices=(first,), ends=ends), [one for one in every if one is not first]


def _line(notice: Notice) -> str:
    over = "" if notice.resolved_at_s is None else f" until {_words.moment(notice.resolved_at_s)}"
    return f"- {_words.moment(notice.at_s)}{over}: {notice.title[:_LINE_LETTERS]}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
