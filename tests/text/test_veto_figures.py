"""Numbers however they are written, units, signs, and which words are names."""

import pytest

from tidegate.text.veto_figures import Figures


@pytest.mark.parametrize(
    ("text", "numbers", "units"),
    [
        ("10k users", ["10000"], []),
        ("1.5 million", ["1500000"], []),
        ("two hundred", ["200"], []),
        ("twenty five or twenty", ["25", "20"], []),
        ("five three", ["5", "3"], []),
        ("three lakh rupees", ["300000"], ["rupee"]),
        ("1,234,567 and 1,5", ["1234567", "1,5"], []),
        ("10:30 on 2016-05-12", ["10", "30", "2016", "05", "12"], []),
        ("the 21st, 5kg, 20%", ["21", "5", "20"], ["kg", "percent"]),
        ("٣ and ３", ["3", "3"], []),  # noqa: RUF001 - other scripts' digits
        ("iPhone6s", ["6"], ["s"]),
        ("a million reasons, one way", [], []),
        ("9" * 400 + " million", ["9" * 400], []),
        ("²", ["2"], []),
    ],
)
def test_numbers_and_their_units(text: str, numbers: list[str], units: list[str]) -> None:
    figures = Figures(text)
    assert (figures.numbers, figures.units) == (numbers, units)


def test_signs_are_those_that_no_sentence_needs() -> None:
    assert Figures("Is 5-3, or 5 / 3, and/or well-known x = y?").signs == ["-", "/", "="]
    assert Figures("Is it (or so)?").signs == []
    assert Figures("2 * (3 - -4)").signs == ["*", "-", "-", "(2", ")6"]
    assert Figures("a / b . c , (d)").signs == ["/", ".", ",", "(2", ")3"]


def test_names_are_capitals_that_no_sentence_begins_with() -> None:
    figures = Figures("Does NASA fly to Mars? Where is it? I know. Ask Bob")
    assert figures.named == {"nasa", "mars", "bob"}
    assert figures.shouted == {"nasa"}
    assert Figures("WHERE IS IT").shouted == set()
