"""Takes secrets and structured personal data out of text that is about to be kept: e-mail
addresses, numbers of telephones, cards, bank accounts and social security, IP addresses.

Every pattern is bounded or begins only where a word does, so its time grows with the text's length
and no faster, whatever the text is. Names, streets and firms have no structure: they stay.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tidegate.text.redact import redacted

_Judge = Callable[[str], bool]
_MOST_DIGITS: Final = 15  # of a telephone number: ITU-T E.164
_LEAST_DIGITS: Final = 7
_DIGIT: Final = re.compile(r"[0-9A-Fa-f]:|\d")
_BARE_DIGITS: Final = 9  # without a sign of what it is


def _luhn(text: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    digits = [int(it) for it in text if it.isdigit()]
    doubled = (sum(divmod(2 * it, 10)) for it in digits[-2::-2])
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _account(text: str) -> bool:
    """ISO 13616: the number, with its beginning at the end and letters as 10 to 35, is 1 mod 97."""
    packed = text.replace(" ", "")
    return int("".join(str(int(it, 36)) for it in packed[4:] + packed[:4])) % 97 == 1


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _telephone(text: str) -> bool:
    digits = sum(it.isdigit() for it in text.partition("x")[0])
    if not _LEAST_DIGITS <= digits <= _MOST_DIGITS:
        return False
    return digits >= _BARE_DIGITS or text[0] in "+(" or not text.isdigit()


_DATE: Final = (
    r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2}))(?![-/.]?\d)"
)
# In this order: what an earlier one has taken out no later one sees.
_ALWAYS: Final[tuple[tuple[str, re.Pattern[str], _Judge | None], ...]] = (
    (
        "email",
        re.compile(r"(?<![\w.%+-])[\w.%+-]{1,128}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}"),
        None,
    ),
    (
        "iban",
        re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"),
        _account,
    ),
    ("card", re.compile(r"(?<![\w+-])\d(?:[ -]?\d){11,18}(?![\w-])"), _luhn),
    ("ip", re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\w)"), _address),
    (
        "ip",
        re.compile(r"(?<![\w:])(?=.{8})(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"),
        _address,
    ),
    ("ssn", re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), None),
    (
        "phone",
        re.compile(
            rf"(?<![\w.,/-])(?!{_DATE})[+(]{{0,2}}\d(?:[ ()./-]{{0,3}}\d){{6,14}}"
            r"(?:x\d{1,6})?(?![\w-])"
        ),
        _telephone,
    ),
)
_MORE: Final = {
    "dates": re.compile(rf"(?<!\d){_DATE}"),
    "numbers": re.compile(r"\d{4,}"),
    "urls": re.compile(r"(?<![A-Za-z0-9])(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE),
}


# Longer text is looked through in pieces, so that no thread keeps the others waiting for long: at
# the end of a line, or behind a comma or the like within one, where nothing that is looked for goes
# on; of a private key alone the lines belong together.
_PIECE_CHARS: Final = 4096
_BREAK: Final = re.compile(r"\n|[.,;!?] (?=[^\W\d_])")
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
            text = _without(text, "words", self._words, None, counts)
        if len(text) <= _PIECE_CHARS or _OF_LINES in text:
            return self._of_piece(text, counts)
        return "".join([self._of_piece(piece, counts) for piece in _pieces(text)])

    def _of_piece(self, text: str, counts: Counter[str]) -> str:
        text, secrets = redacted(text)
        if secrets:
            counts["secret"] += secrets
        for kind, pattern in self._more:
            text = _without(text, kind, pattern, None, counts)
        has_digits = _DIGIT.search(text) is not None
        for kind, pattern, judge in _ALWAYS:
            if has_digits if kind != "email" else "@" in text:
                text = _without(text, kind, pattern, judge, counts)
        return text


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _PIECE_CHARS:
        found = _BREAK.search(text, start + _PIECE_CHARS)
        if found is None:
            break
        yield text[start : found.end()]
        start = found.end()
    yield text[start:]


def _without(
    text: str, kind: str, pattern: re.Pattern[str], judge: _Judge | None, counts: Counter[str]
) -> str:
    def place(match: re.Match[str]) -> str:
        if judge is not None and not judge(match[0]):
            return match[0]
        counts[kind] += 1
        return f"[{kind}]"

    return pattern.sub(place, text)
