"""Takes secrets and structured personal data out of text that is about to be kept: e-mail
addresses, numbers of telephones, cards, bank accounts and social security, IP addresses.

Every pattern is bounded or begins only where a word does, so its time grows with the text's length
and no faster, whatever the text is. Names, streets and firms have no structure: they stay.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tidegate.text.forms import Form, pieces
from tidegate.text.personal_forms import ALWAYS, DATE, FORMS
from tidegate.text.redact import redacted

_DIGIT: Final = re.compile(r"[0-9A-Fa-f]:|\d")
_ALWAYS: Final = tuple(it for it in FORMS if it.kind in ALWAYS)
_MORE: Final = {
    "dates": DATE,
    "numbers": re.compile(r"\d{4,}"),
    "urls": re.compile(r"(?<![A-Za-z0-9])(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE),
}


# Longer text is looked through in pieces, so that no thread keeps the others waiting for long: at
# the end of a line, or behind a comma or the like within one, where nothing that is looked for goes
# on; of a private key alone the lines belong together.
_PIECE_CHARS: Final = 4096
_OF_LINES: Final = "-----BEGIN"


class Personal:
    """What is taken out: secrets and the structured kinds always, also `more` of them, and
    `words`."""

    def __init__(self, more: Iterable[str] = (), words: Iterable[str] = ()) -> None:
        self._more = [(kind, _MORE[kind]) for kind in more]
        longest_first = sorted(filter(str.strip, words), key=len, reverse=True)
        self._words = (
            re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
            if longest_first
            else None
        )

    def taken_out(self, text: str, counts: Counter[str]) -> str:
        """`text` with `[kind]` in the place of each, which `counts` then counts."""
        if self._words is not None:
            text = _without(text, "words", self._words, counts)
        if len(text) <= _PIECE_CHARS or _OF_LINES in text:
            return self._of_piece(text, counts)
        return "".join([self._of_piece(piece, counts) for _, piece in pieces(text, _PIECE_CHARS)])

    def _of_piece(self, text: str, counts: Counter[str]) -> str:
        text, secrets = redacted(text)
        if secrets:
            counts["secret"] += secrets
        for kind, pattern in self._more:
            text = _without(text, kind, pattern, counts)
        has_digits = _DIGIT.search(text) is not None
        for form in _ALWAYS:
            if has_digits if form.kind != "email" else "@" in text:
                text = _without_form(text, form, counts)
        return text


def _without(text: str, kind: str, pattern: re.Pattern[str], counts: Counter[str]) -> str:
    text, found = pattern.subn(f"[{kind}]", text)
    if found:
        counts[kind] += found
    return text


def _without_form(text: str, form: Form, counts: Counter[str]) -> str:
    left: list[str] = []
    at = 0
    for start, end in form.spans(text):
        left += (text[at:start], f"[{form.kind}]")
        at = end
        counts[form.kind] += 1
    return "".join([*left, text[at:]])


plug = Personal
