"""slack: with a `channel`, one post of a bot for each thing, changed as that thing's state changes;
without one, posts to an incoming webhook, which nobody can change.

Slack knows no post again. One whose answer was lost is therefore not sent twice: it stays to be
seen as one that may have arrived. A change of a post may be said as often as one likes.
"""

import msgspec

from tidegate.actuators import _slack_api, _slack_blocks
from tidegate.actuators._post import Post, post
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.secret import Secret
from tidegate.core.ways import Place, Told, only_edits


class Slack:
    reads = frozenset({"channel", "url", "secret", "private", "ca_file"})
    needs = frozenset({"secret"})
    repeatable = False
    renew_s = None

    def complaint(self, declared: DeclaredWay) -> str | None:
        if declared.url is not None and declared.channel is None:
            return (
                "a webhook's whole address is its secret; `url` is of Slack's API, for a `channel`"
            )
        return None

    def send(self, message: Message, to: Place, now_s: float) -> Told | None:
        if to.secret is None:
            raise NotDelivered("its secret is not to be had")
        is_address = to.secret.reveal().startswith(("http://", "https://"))
        if to.declared.channel is None:
            if not is_address:
                raise NotDelivered(
                    "its secret is no webhook's address; for a bot's token write a `channel`"
                )
            body = msgspec.json.encode(_slack_blocks.of(message))
            post(Post(to.secret.reveal(), body), to)
            return None
        if is_address:
            raise NotDelivered("its secret is an address; a `channel` needs a bot's token")
        return _by_bot(message, to, to.secret, to.declared.channel)


def _by_bot(message: Message, to: Place, token: Secret, channel: str) -> Told:
    """The post as it is now; below it, once, what somebody has to look at."""
    said = {**_slack_blocks.of(message), "unfurl_media": False}
    if to.posted is None:
        return Told(posted=_slack_api.call("chat.postMessage", {"channel": channel, **said}, to))
    where = {"channel": to.posted.channel, "ts": to.posted.ts}
    del said["unfurl_links"], said["unfurl_media"]
    _slack_api.call("chat.update", {**where, **said}, to)
    if not only_edits(message, to.posted):
        below = {"thread_ts": to.posted.ts, "reply_broadcast": True}
        news = _slack_blocks.of(msgspec.structs.replace(message, earlier=()))
        _slack_api.call("chat.postMessage", {"channel": to.posted.channel, **below, **news}, to)
    return Told(posted=to.posted)


plug = Slack()
