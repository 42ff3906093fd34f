"""What of a request its target cannot do: refused by name, or left out by the route's rule."""

import re
from typing import Final

from tidegate.core.conversation import HINTS, Conversation
from tidegate.core.outcome import Refusal

# A limit on tokens is a limit on money: it is never left out.
_NEVER_LEFT_OUT: Final = frozenset({"ceiling_tokens", "budget_tokens"})
# Names are the caller's own, of any length and signs, and stand in a header and on a receipt.
MAX_NAMES = 64
MAX_NAME_CHARS = 100
_NOT_IN_HEADERS: Final = re.compile(r"[^\x21-\x2b\x2d-\x7e]")


class Losses:
    """Collects the members that a target's wire has no place for, by the caller's own names.

    `drop` is the route's rule; without it the first such member is a Refusal. A hint, which
    changes no answer, is left out and named under either rule.
    """

    __slots__ = ("_api", "_drop", "_said", "names")

    def __init__(self, said: Conversation, api: str, *, drop: bool) -> None:
        self._said = said
        self._api = api
        self._drop = drop
        self.names: list[str] = []

    def lose(self, field: str) -> None:
        """The target has no place for `field`, a member of Conversation or of its `unread`."""
        if field in HINTS or (self._drop and field not in _NEVER_LEFT_OUT):
            self.note(field)
            return
        name = self.name(field)
        raise Refusal(
            "unsupported_parameter",
            f"`{name}` has no place in the target's API ({self._api})",
            param=name,
        )

    def lose_unread(self) -> None:
        """The target reads nothing that the middle has no word for."""
        for name in self._said.unread:
            self.lose(name)

    def note(self, field: str) -> None:
        """`field` is left out under either rule, because with it the answer would be worse."""
        name = self.name(field)
        if name not in self.names and len(self.names) < MAX_NAMES:
            self.names.append(name)

    def name(self, field: str) -> str:
        """The caller's own name of `field`."""
        name = self._said.names.get(field, field)
        return _NOT_IN_HEADERS.sub("_", name[:MAX_NAME_CHARS])
