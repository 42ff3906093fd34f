"""Forms are looked for piece by piece, and held by what may go on."""

from tidegate.guardrails._forms import FormsDetector
from tidegate.text.forms import find
from tidegate.text.personal_forms import FORMS


def test_a_long_text_has_what_its_pieces_have() -> None:
    text = "Call (415) 555-2671 today, or write to a@x.org. " * 50
    detector = FormsDetector(FORMS)
    assert detector.find(text) == find(FORMS, text)
    assert detector.settled("write to anna", 8) == len("write to ")
