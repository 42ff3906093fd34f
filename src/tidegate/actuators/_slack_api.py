"""One call of Slack's Web API, and what its errors mean (docs.slack.dev, `chat.postMessage` and
`chat.update`). It answers an error with status 200 and `ok: false`."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.actuators._post import Post, post
from tidegate.core.notice import NotDelivered
from tidegate.core.ways import Place, Posted, PostGone

URL: Final = "https://slack.com/api"
_MOST_BYTES = 1 << 20
_MOST_LETTERS = 60
_GONE = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"}
)
_NEVER = frozenset(
    {
        *("msg_too_long", "msg_blocks_too_long", "no_text", "too_many_attachments"),
        *("invalid_blocks", "invalid_blocks_format", "invalid_arguments", "invalid_json"),
    }
)
# After these some of it may have been done.
_PERHAPS = frozenset({"internal_error", "fatal_error", "request_timeout"})
_ADVICE = {
    "not_in_channel": "invite its app to the channel",
    "channel_not_found": "write the channel's id, and invite its app to it",
    "missing_scope": "its app needs the scope chat:write",
}


class _Answer(Struct):
    ok: bool
    error: str = ""
    channel: str = ""
    ts: str = ""


def call(method: str, body: dict[str, Any], to: Place) -> Posted | None:
    """The post that was made or changed, None where it cannot be changed. NotDelivered; PostGone
    where there is none to change any more."""
    changes = method == "chat.update"
    token = "" if to.secret is None else to.secret.reveal()
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/json; charset=utf-8",
    }
    url = f"{to.declared.url or URL}/{method}"
    try:
        said = post(Post(url, msgspec.json.encode(body), headers, _MOST_BYTES), to)
    except NotDelivered as error:
        raise _may_be_said_again(error) if changes else error from None
    try:
        answer = msgspec.json.decode(said, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotDelivered("what it answers is not Slack's", unknown=not changes) from None
    if not answer.ok:
        raise _failure(answer.error, to, changes=changes)
    return Posted(answer.channel, answer.ts) if answer.channel and answer.ts else None


def _failure(error: str, to: Place, *, changes: bool) -> NotDelivered:
    if changes and error in _GONE:
        return PostGone(error)
    said = error.encode("utf-8", "replace")
    shown = (said if to.secret is None else to.secret.conceal(said)).decode("utf-8", "replace")
    shown = "".join(c if c.isprintable() else "?" for c in shown[:_MOST_LETTERS])
    advice = f"; {_ADVICE[error]}" if error in _ADVICE else ""
    unknown = error in _PERHAPS and not changes
    return NotDelivered(f"Slack says {shown}{advice}", final=error in _NEVER, unknown=unknown)


def _may_be_said_again(error: NotDelivered) -> NotDelivered:
    return NotDelivered(error.reason, final=error.final, retry_after_s=error.retry_after_s)
