"""Ways: how a message reaches people, one file in `actuators/` a way."""

from typing import Protocol

from msgspec import Struct

from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, Notice
from tidegate.core.secret import Secret


class Place(Struct, frozen=True):
    """Where a message goes: the way as it is declared, and the secret that it names."""

    declared: DeclaredWay
    secret: Secret | None = None


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

    def send(self, message: Message, to: Place, now_s: float) -> str | None:
        """Blocks until it was taken; then perhaps a remark, as that only some were told.
        NotDelivered."""


def fits(declared: DeclaredWay, notice: Notice) -> bool:
    """Whether a way is told of a notice."""
    return (
        (not declared.topics or notice.topic in declared.topics)
        and (not declared.severities or notice.severity in declared.severities)
        and (not declared.routes or notice.route in declared.routes)
    )
