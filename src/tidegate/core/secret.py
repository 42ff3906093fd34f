"""A secret in memory. It has no text of its own, so it cannot be printed or written by mistake."""

from typing import NoReturn

import msgspec

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
