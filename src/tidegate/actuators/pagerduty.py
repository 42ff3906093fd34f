"""pagerduty: alerts of PagerDuty's Events API v2, each resolved by the key it was made under.

What is told together is one alert. The key makes a repeat the same alert.
"""

import hashlib

import msgspec

from tidegate.actuators import _words
from tidegate.actuators._post import Post, post
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.ways import Place, Told

URL = "https://events.pagerduty.com/v2/enqueue"
_MOST_LETTERS = 1024  # of a summary
_MOST_KEY_LETTERS = 255
_SEVERITIES = {"page": "critical", "ticket": "warning", "info": "info"}


class PagerDuty:
    reads = frozenset({"url", "secret", "private", "ca_file"})
    needs = frozenset({"secret"})
    repeatable = True
    renew_s = None

    def complaint(self, declared: DeclaredWay) -> str | None:
        return None

    def send(self, message: Message, to: Place, now_s: float) -> Told | None:
        if to.secret is None:
            raise NotDelivered("its secret, the routing key, is not to be had")
        key = to.secret.reveal()
        post(Post(to.declared.url or URL, msgspec.json.encode(event(message, key))), to)
        return None


def event(message: Message, routing_key: str) -> dict[str, object]:
    """What is sent; its end needs no more than the key."""
    known = {"routing_key": routing_key, "dedup_key": dedup_key(message)}
    if message.ends is not None:
        return {**known, "event_action": "resolve"}
    first = message.notices[0]
    together = len(message.notices) > 1
    return {
        **known,
        "event_action": "trigger",
        "client": "Tidegate",
        "payload": {
            "summary": _words.headline(message)[:_MOST_LETTERS],
            "source": message.source,
            "severity": _SEVERITIES[_words.gravest(message)],
            "timestamp": _words.moment(first.at_s),
            "component": "several" if together else first.route or "tidegate",
            "class": "several" if together else first.topic,
            "custom_details": {"told": _words.paragraphs(message)},
        },
    }


def dedup_key(message: Message) -> str:
    """The same for one thing until it is resolved; of several told together, the first message's
    id."""
    single = len(message.notices) == 1
    key = message.notices[0].key if single else message.ends or message.id
    whole = f"tidegate/{message.source}/{key}"
    if len(whole) <= _MOST_KEY_LETTERS:
        return whole
    return f"tidegate/{hashlib.sha256(whole.encode()).hexdigest()}"


plug = PagerDuty()
