"""What stands in the context."""

import pytest
from tests.graders.graded import case, grade

CONTEXT = (
    "Refunds are paid within 14 days to the card that was used. Ms Okafor leads the refunds desk.",
    "Orders above 200 euros ship free.",
)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("Refunds are paid within 14 days, to the card you used.", "pass"),
        ("Refunds are paid within 30 days, to the card you used.", "fail"),
        ("The desk for refunds is led by Ms Okafor.", "pass"),
        ("The desk for refunds is led by Ms Tanaka.", "fail"),
        ("Orders above 200 euros ship free. Penguins migrate over glaciers every winter.", "fail"),
        ("Yes.", "pass"),
    ],
)
def test_numbers_names_and_words_have_to_be_there(answer: str, verdict: str) -> None:
    of = case(context=CONTEXT, variables={"question": "How long do refunds take?"})
    assert grade("groundedness", {}, answer, of).verdict == verdict


def test_the_score_is_the_part_of_sentences_and_what_is_absent_is_told() -> None:
    answer = "Orders above 200 euros ship free. Refunds take 90 days."
    found = grade("groundedness", {"threshold": 0.5}, answer, case(context=CONTEXT))
    assert (found.verdict, found.score) == ("pass", 0.5)
    assert "90" in found.why


def test_without_a_context_or_a_sentence_nobody_knows() -> None:
    assert grade("groundedness", {}, "It is so.").verdict == "error"
    assert grade("groundedness", {}, " ... ", case(context=CONTEXT)).verdict == "error"
