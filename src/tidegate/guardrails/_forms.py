"""A detector of what is known by how it is written (`text.forms`)."""

from collections.abc import Sequence

from tidegate.core.guardrail import Span
from tidegate.text import held
from tidegate.text.forms import Form, find
from tidegate.text.hints import Hints


class FormsDetector:
    """core.guardrail.Detector of these forms, in their order."""

    judges_whole = False

    def __init__(self, forms: Sequence[Form]) -> None:
        self.hints = tuple(form.hint for form in forms)
        self._forms = [(Hints([form.hint]).any, form) for form in forms]

    def find(self, text: str) -> Sequence[Span]:
        likely = [form for may_have, form in self._forms if may_have(text)]
        return find(likely, text) if likely else ()

    def settled(self, text: str, since: int) -> int:
        return held.settled(text, since)
