"""A text as a model would read it: what hides it from patterns is taken off."""

import base64
import binascii
import re
import unicodedata
from typing import Final

from tidegate.text.hints import Hints

# Where any of these is, a text may say something else than its letters seem to.
HIDDEN: Final = (
    "[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufe00-\ufe0f\U000e0000-\U000e007f]",
    "[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]",
    "[\uff21-\uff5a\U0001d400-\U0001d7ff]",
    "(?:[A-Za-z][ ._-]){6}",
    "[A-Za-z0-9+/]{24}",
)
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufe00-\ufe0f]")
# Letters of a plane that nobody sees, one for each of ASCII; and the two signs that stand for a
# sentence each, which would make a text eighteen times as long.
_TAGS: Final = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)} | {0xFDFA: 32, 0xFDFB: 32}
# The time to put marks into their order is the square of how many stand upon one letter.
_PIECE_CHARS: Final = 256
_MIXED: Final = re.compile("[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]")
_ALIKE: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u03b1\u03bf\u03bd"
    "\u03c1\u03b5\u03b9\u03ba\u03c4\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422"
    "\u0423\u0425\u0406",
    "aeopcyxijsdhaovpeiktABEKMHOPCTYXI",
)
_SPACED: Final = re.compile(r"(?<![A-Za-z])[A-Za-z](?:[ ._-][A-Za-z]){3,}(?![A-Za-z])")
_BETWEEN: Final = re.compile("[ ._-]")
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_MOST_ENCODED: Final = 16
_MOST_ENCODED_CHARS: Final = 8192
_LEAST_PRINTABLE: Final = 0.9


def plain_forms(text: str) -> list[str]:
    """The text made plain, and what stands in it encoded, if that is text."""
    if not Hints(HIDDEN).any(text):
        return [text]
    plain = text if text.isascii() else _visible(text)
    plain = _SPACED.sub(lambda it: _BETWEEN.sub("", it[0]), plain)
    forms = [plain]
    for count, match in enumerate(_ENCODED.finditer(plain)):
        if count >= _MOST_ENCODED:
            break
        inner = _decoded(match[0][:_MOST_ENCODED_CHARS])
        if inner is not None:
            forms.append(inner)
    return forms


def _visible(text: str) -> str:
    text = _INVISIBLE.sub("", text.translate(_TAGS))
    pieces = (text[at : at + _PIECE_CHARS] for at in range(0, len(text), _PIECE_CHARS))
    text = "".join(unicodedata.normalize("NFKC", piece) for piece in pieces)
    return text.translate(_ALIKE) if _MIXED.search(text) is not None else text


def _decoded(text: str) -> str | None:
    """What it is in base64; None where that is no text."""
    text = text.rstrip("=")
    try:
        found = base64.b64decode(text[: len(text) // 4 * 4]).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    printable = sum(it.isprintable() or it.isspace() for it in found)
    return found if found and printable >= _LEAST_PRINTABLE * len(found) else None
