"""Which conversation a request is of: the same for all of its turns, in every gateway, and a digest
that does not tell who talks.

A session that its caller names is one. An end user is none: somebody talks of many things, and
whoever were drawn by their name would be kept for good, and others never. Where no session is named
a conversation is how it began (`text.fingerprint`), of one key and one end user. Those who begin
alike and say nothing of who they are cannot be told apart.
"""

from typing import Final

from tidegate.core.arm import bucket
from tidegate.core.receipt import Receipt

_SALT: Final = "conversation"
_SEPARATOR: Final = "\x1f"


def conversation_place(receipt: Receipt) -> int | None:
    """Among 2**64; None where nothing is known of it."""
    session = named_session(receipt)
    if session is not None:
        # Nobody's sessions are those of another tenant.
        whose = ("session", receipt.team, receipt.customer, session)
    elif receipt.conversation is not None:
        whose = ("begun", receipt.key_id, receipt.end_user, f"{receipt.conversation:x}")
    else:
        return None
    return bucket(_SALT, _SEPARATOR.join(it or "" for it in whose))


def named_session(receipt: Receipt) -> str | None:
    """The session that its caller named. A limit by session writes into its place what it makes of
    the end user, or of how the conversation began (`Receipt.session`)."""
    session = receipt.session_id
    if session is None or session == f"user-{receipt.end_user}":
        return None
    begun = receipt.conversation
    return None if begun is not None and session == f"conversation-{begun:x}" else session
