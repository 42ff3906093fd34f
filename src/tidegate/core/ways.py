"""Ways: how a message reaches people, one file in `actuators/` a way."""

from typing import Protocol

from msgspec import Struct

from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, NotDelivered, Notice
from tidegate.core.secret import Secret


class Posted(Struct, frozen=True):
    """A post that its way can change: where it is, and its number there."""

    channel: str
    ts: str


class Place(Struct, frozen=True):
    """Where a message goes: the way as it is declared, and the secret that it names. `posted` is
    the post of the same thing that is to be changed."""

    declared: DeclaredWay
    secret: Secret | None = None
    posted: Posted | None = None


class Told(Struct, frozen=True):
    """What is to be known of a message that was taken: a remark, as that only some were told, and
    the post that can be changed from now on."""

    remark: str | None = None
    posted: Posted | None = None


class PostGone(NotDelivered):
    """The post that was to be changed is deleted, or can be changed no more."""


class Way(Protocol):
    """One kind of way. `reads` and `needs` are fields of DeclaredWay below `routes`.

    `repeatable`: its receiver knows a message again by its id, so that one whose fate nobody knows
    may be sent again. `renew_s`: how often its receiver must hear that what was told still holds.
    """

    reads: frozenset[str]
    needs: frozenset[str]
    repeatable: bool
    renew_s: float | None

    def complaint(self, declared: DeclaredWay) -> str | None:
        """What is wrong with a way of this kind that has all that it needs."""

    def send(self, message: Message, to: Place, now_s: float) -> Told | None:
        """Blocks until it was taken. NotDelivered; PostGone where there was a post to change."""


def only_edits(message: Message, posted: Posted | None) -> bool:
    """Whether a message does no more than change a post, so that it may be said twice. Nobody's
    telephone rings for a change: what somebody has to look at is also said below the post."""
    if posted is None:
        return False
    return message.ends is not None or all(one.severity == "info" for one in message.notices)


def fits(declared: DeclaredWay, notice: Notice) -> bool:
    """Whether a way is told of a notice."""
    return (
        (not declared.topics or notice.topic in declared.topics)
        and (not declared.severities or notice.severity in declared.severities)
        and (not declared.routes or notice.route in declared.routes)
    )
