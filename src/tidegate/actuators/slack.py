"""slack: posts to an incoming webhook of Slack, whose address is the secret.

Slack knows no message again. One whose answer was lost is therefore not sent twice: it stays to be
seen as one that may have arrived.
"""

import msgspec

from tidegate.actuators import _words
from tidegate.actuators._post import Post, post
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.ways import Place

_MOST_LETTERS = 2900  # of one block; Slack takes 3,000
_MARKS = {"page": ":rotating_light:", "ticket": ":warning:", "info": ":information_source:"}
_OVER = ":white_check_mark:"


class Slack:
    reads = frozenset({"secret", "private", "ca_file"})
    needs = frozenset({"secret"})
    repeatable = False
    renew_s = None

    def complaint(self, declared: DeclaredWay) -> str | None:
        return None

    def send(self, message: Message, to: Place, now_s: float) -> str | None:
        if to.secret is None:
            raise NotDelivered("its secret, the webhook's address, is not to be had")
        post(Post(to.secret.reveal(), body_of(message)), to)
        return None


def body_of(message: Message) -> bytes:
    """The message as Slack reads it; nothing in it is a link, a mention or a command."""
    mark = _OVER if message.ends is not None else _MARKS[_words.gravest(message)]
    head = f"{mark} *{_escaped(_words.headline(message))}*"
    texts = [head, *(_escaped(one) for one in _words.paragraphs(message))]
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MOST_LETTERS]}}
        for text in texts
    ]
    plain = f"{_words.headline(message)} ({message.source})"
    return msgspec.json.encode({"text": _escaped(plain), "blocks": blocks, "unfurl_links": False})


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


plug = Slack()
