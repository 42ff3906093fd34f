"""A detector of what is known by how it is written (`text.forms`)."""

from collections.abc import Sequence
from typing import Final

from tidegate.core.guardrail import Span
from tidegate.text import held
from tidegate.text.forms import Form, find, pieces
from tidegate.text.hints import Hints

_PIECE_CHARS: Final = 256
_OF_LINES: Final = "-----BEGIN"


class FormsDetector:
    """core.guardrail.Detector of these forms, in their order."""

    judges_whole = False
    settled = staticmethod(held.settled)  # one function, that several need ask no more than once

    def __init__(self, forms: Sequence[Form]) -> None:
        self.hints = tuple(form.hint for form in forms)
        self._may_have = Hints(self.hints).any
        self._forms = [(Hints([form.hint]).any, form) for form in forms]

    def find(self, text: str) -> Sequence[Span]:
        """Of a longer text piece by piece: most have nothing in them."""
        if len(text) <= _PIECE_CHARS or _OF_LINES in text:
            return self._find(text)
        found: list[Span] = []
        for at, piece in pieces(text, _PIECE_CHARS):
            if self._may_have(piece):
                found += [(at + start, at + end, kind) for start, end, kind in self._find(piece)]
        return found

    def _find(self, text: str) -> Sequence[Span]:
        likely = [form for may_have, form in self._forms if may_have(text)]
        return find(likely, text) if likely else ()
