"""Other people's words in our messages: shortened, harmless to a terminal, with the word meant."""

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN_CHARS = 60


def quoted(text: str) -> str:
    """`text` in quotes, shortened, with nothing in it that a terminal would obey."""
    if len(text) > SHOWN_CHARS:
        text = text[:SHOWN_CHARS] + "..."
    if not text.isprintable():
        text = text.encode("unicode_escape", "backslashreplace").decode("ascii")
    return f'"{text}"'


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` for the closest known word, or nothing when none is close."""
    found = get_close_matches(word[:200], list(known), n=1, cutoff=0.6)
    return f"; did you mean {quoted(found[0])}?" if found else ""
