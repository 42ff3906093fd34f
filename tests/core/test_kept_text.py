"""What was said is kept up to a bound, and counted beyond it."""

import pytest

from tidegate.core import kept_text
from tidegate.core.kept_text import KeptText


class Reader(KeptText):
    def take(self, text: bytes, *, content: bool) -> None:
        if content and self._content_at is None:
            self._content_at = len(self._text)
        self._keep(text)


def test_nothing_was_said_yet() -> None:
    reader = Reader()
    assert (reader.started, reader.text(), reader.text_bytes()) == (False, b"", 0)
    assert reader.opening(10) is None


def test_the_opening_is_of_the_content_and_not_of_the_thinking_before_it() -> None:
    reader = Reader()
    reader.take(b"hm", content=False)
    reader.take(b"hello", content=True)
    assert (reader.text(), reader.opening(4)) == (b"hmhello", b"hell")
    assert (reader.started, reader.content_chunks) == (True, 2)


def test_beyond_the_bound_it_is_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_text, "MAX_TEXT_BYTES", 3)
    reader = Reader()
    for text in (b"abcd", b"ef"):
        reader.take(text, content=True)
    assert (reader.text(), reader.text_beyond_bytes, reader.text_bytes()) == (b"abcd", 2, 6)
