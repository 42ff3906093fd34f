import pytest
from bench.refusals import rows, score

from tidegate.text.model_refusal import MAX_BYTES, NO_REFUSAL, model_refusal


def extent(text: str) -> str:
    return model_refusal(text.encode()).extent


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with that request.",
        "I cannot provide instructions for that.",
        "I am unable to discuss this topic.",
        "As an AI, I won't be able to create such content.",
        "I must respectfully decline.",
        "I'm not comfortable writing this.",
        "It is not appropriate to ask for someone's medical records.",
        "Sorry, that is something I can't do.",
        "That request is harmful.",
        "It would be irresponsible to answer this.",
        "It isn't ethical to share someone's address.",
        "I'd rather not.",
        "I strongly condemn any form of violence.",
        "\n\n  I do not feel comfortable with this request.",
    ],
)
def test_a_refusal_is_told(text: str) -> None:
    assert extent(text) == "full"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Paris is the capital of France.",
        "I'm sorry to hear that. Here is how to get your money back.",
        "I'm sorry to hear that you lost your job. It must be hard not to know what comes next.",
        "I apologize for the confusion. The answer is 12.",
        "They cannot help you with that, but the embassy can.",
        "I can't recommend this restaurant enough.",
        "I cannot help but smile at this.",
        'The form says "I cannot provide my passport". Sign below it.',
        "```\nprint('I cannot help with that')\n```",
        "Dear Ms Lee, I am unable to attend the meeting on Friday.",
        "Sure! Here is a polite note: I cannot assist you with that this week.",
        '{"answer": "I cannot help with that."}',
        "You should not mix bleach and ammonia: the gas is harmful.",
        "No, water is not an element.",
        "Fraud is a crime that harms people and violates their rights, and never pays.",
    ],
)
def test_what_is_no_refusal_is_not_taken_for_one(text: str) -> None:
    assert model_refusal(text.encode()) == NO_REFUSAL


@pytest.mark.parametrize(
    "text",
    [
        "I can't give medical advice. However, doctors usually advise rest.",
        "I'm unable to browse. I can suggest where to look:\n\n1. The library\n2. The archive",
        "I cannot provide Sherlock Holmes's records, as he is a fictional character.",
    ],
)
def test_who_declines_and_serves_all_the_same_has_refused_in_part(text: str) -> None:
    assert extent(text) == "partial"


def test_who_only_sends_elsewhere_has_refused_in_full() -> None:
    text = "I cannot help with that. I can suggest where to turn:\n\n1. {} a lawyer."
    assert extent(text.format("Contact")) == "full"
    assert extent(text.format("Draft the letter of")) == "partial"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I can't help with that.", "policy"),
        ("I don't have access to real-time data.", "capability"),
        ("As an AI I do not have the ability to open links.", "capability"),
        ("I cannot answer without more details about the patient.", "missing_information"),
    ],
)
def test_why(text: str, reason: str) -> None:
    assert model_refusal(text.encode()).reason == reason


def test_only_the_beginning_is_looked_at() -> None:
    assert extent("Well. " * 100 + "I can't help with that.") == "none"
    assert extent("I can't help with that." + " x" * MAX_BYTES) == "full"


@pytest.mark.parametrize("size", range(1, 60))
def test_a_text_that_is_cut_anywhere_is_read(size: int) -> None:
    model_refusal(
        "I\u2019m sorry, but I can\u2019t (désolé) help with \u201cthat\u201d.".encode()[:size]
    )


@pytest.mark.evals
def test_answers_that_nobody_looked_at_are_told_nearly_as_well_as_those_that_were_read() -> None:
    every = rows()
    seen = score([row for row in every if not row.held_out])
    unseen = score([row for row in every if row.held_out])
    assert seen.f1 > 0.94
    assert unseen.f1 > 0.91
    assert unseen.precision > 0.91
