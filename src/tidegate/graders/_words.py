"""Texts as their words, and as they are when case, accents' forms and spacing say nothing."""

import re
import string
import unicodedata

_WORD = re.compile(r"\w+", re.UNICODE)
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def folded(text: str) -> str:
    """In one form of Unicode and without a difference of case."""
    return unicodedata.normalize("NFC", text).casefold()


def words(text: str) -> list[str]:
    """The words of a text in order, folded. Languages that write no spaces come as one."""
    return _WORD.findall(folded(text))


def spaced(text: str) -> str:
    """With one space wherever there is any."""
    return " ".join(text.split())


def normalised(text: str) -> str:
    """In lower case without punctuation, English articles and spacing (SQuAD's normalisation)."""
    return spaced(_ARTICLES.sub(" ", folded(text).translate(_PUNCTUATION)))
