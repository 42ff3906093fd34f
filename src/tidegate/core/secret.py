"""A secret in memory, which has no text of its own, so that it cannot be printed or written by
mistake; and where one is to be found."""

from typing import NoReturn

import msgspec
from msgspec import Struct

CONCEALED = b"[redacted]"


class Secret:
    """Holds a secret. Only `reveal` gives it away; encoders and pickle refuse it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def conceal(self, text: bytes) -> bytes:
        """`text` without this secret, for what somebody else has written.

        JSON can spell any letter as an escape, so text that has escapes comes back written anew,
        and where it cannot be read as JSON it is held back whole.
        """
        if b"\\" in text:
            try:
                text = msgspec.json.encode(msgspec.json.decode(text))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return CONCEALED
        spelled = msgspec.json.encode(self._value)[1:-1]
        return text.replace(spelled, CONCEALED).replace(self._value.encode(), CONCEALED)

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")


class SecretRef(Struct, frozen=True, omit_defaults=True):
    """Where a secret is to be found: an environment variable or a file. Never the secret."""

    env: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        return f"${{{self.env}}}" if self.env else f"file:{self.file}"
