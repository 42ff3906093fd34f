"""alertmanager: alerts of Prometheus' Alertmanager (API v2), told anew while they hold.

An Alertmanager forgets what it does not hear of, and keeps nothing over a restart: what is open is
said again each minute, and ends by itself some time after that stops.
"""

from typing import Final

import msgspec

from tidegate.actuators import _words
from tidegate.actuators._post import Post, post
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, Notice
from tidegate.core.ways import Place, Told

RENEW_S: Final = 60.0
_LASTS_S = 15 * 60.0
_PATH = "/api/v2/alerts"
_MOST_LETTERS = 4000


class Alertmanager:
    reads = frozenset({"url", "secret", "private", "ca_file"})
    needs = frozenset({"url"})
    repeatable = True
    renew_s = RENEW_S

    def complaint(self, declared: DeclaredWay) -> str | None:
        return None

    def send(self, message: Message, to: Place, now_s: float) -> Told | None:
        alerts = [alert(one, message, now_s) for one in message.notices]
        secret = to.secret
        headers = {} if secret is None else {"authorization": f"Bearer {secret.reveal()}"}
        url = f"{to.declared.url}{_PATH}"
        post(Post(url, msgspec.json.encode(alerts), headers), to)
        return None


def alert(notice: Notice, message: Message, now_s: float) -> dict[str, object]:
    """One notice as Alertmanager has it. Its labels are the same from beginning to end."""
    labels = {
        "alertname": f"Tidegate{notice.topic.capitalize()}",
        "severity": notice.severity,
        "topic": notice.topic,
        "source": message.source,
        "key": notice.key,
        **({} if notice.route is None else {"route": notice.route}),
    }
    ends_at_s = notice.resolved_at_s if notice.resolved_at_s is not None else now_s + _LASTS_S
    return {
        "labels": labels,
        "annotations": {
            "summary": notice.title,
            "description": (notice.resolution or notice.text)[:_MOST_LETTERS],
        },
        "startsAt": _words.moment(min(notice.at_s, ends_at_s)),
        "endsAt": _words.moment(ends_at_s),
    }


plug = Alertmanager()
