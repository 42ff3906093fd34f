"""Pairs that vectors take for the same and that are not, and pairs that are; and what holds of any
two texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cpu import cpu_s

from tidegate.text.veto import MAX_CHARS, veto

# Written for this test: none of them is a row of the data that the veto is measured on.
DIFFER = {
    "numbers": [
        ("Is .5 mg too much?", "Is 5 mg too much?"),
        ("What is 10\u00b2?", "What is 102?"),
        ("How do I fly 3 people to Rome?", "How do I fly 4 people to Rome?"),
        ("What changed in Python 3.10?", "What changed in Python 3.1?"),
        ("What happened in 1917?", "What happened in 1971?"),
        ("Can I carry two bags?", "Can I carry three bags?"),
        ("Is $1,000 enough?", "Is $10,000 enough?"),
        ("Who won the first race?", "Who won the third race?"),
        ("How do I get from 5 to 10?", "How do I get from 10 to 5?"),
        ("Is it far?", "Is it 5 far?"),
    ],
    "units": [
        ("How long is 5' in cm?", 'How long is 5" in cm?'),
        ("How heavy is 5 kg?", "How heavy is 5 lb?"),
        ("What is 20 degrees Celsius?", "What is 20 degrees Fahrenheit?"),
        ("How much is €20?", "How much is $20?"),
        ("What can I do in 3 hours?", "What can I do in 3 days?"),
        ("Convert 5 miles to km", "Convert 5 km to miles"),
        ("Is 20% good?", "Is 20 good?"),
    ],
    "signs": [
        ("What is 2*(3+4)?", "What is (2*3)+4?"),
        ("What is -5 + 3?", "What is 5 + 3?"),
        ("How warm is -10 C?", "How warm is 10 C?"),
        ("What does * do in Python?", "What does / do in Python?"),
        ("What does () mean in Python?", "What does [] mean in Python?"),
        ("What does : mean in Go?", "What does ; mean in Go?"),
        ("What is .NET worth?", "What is NET worth?"),
        ("What is 2+2?", "What is 2*2?"),
        ("What is 8 - 2?", "What is 8 / 2?"),
        ("What does x > y mean?", "What does x < y mean?"),
        ("I feel 😀", "I feel 😡"),
    ],
    "negation": [
        ("May I eat and not drink?", "May I not eat and drink?"),
        (
            "Are people healthy who don't smoke but drink?",
            "Are people healthy who smoke but don't drink?",
        ),
        ("Can I return it?", "Can't I return it?"),
        ("Which foods should I eat?", "Which foods should I not eat?"),
        ("How do I cook with salt?", "How do I cook without salt?"),
        ("Why does it start?", "Why doesn\u2019t it start?"),
        ("Why does it start?", "why doesnt it start"),
        ("Ist das erlaubt?", "Ist das nicht erlaubt?"),
        ("Est-ce permis ?", "Ce n'est pas permis ?"),
        ("¿Es posible?", "¿No es posible?"),
        ("Это можно?", "Это не можно?"),
    ],
    "opposites": [
        ("How do I enable 2FA?", "How do I disable 2FA?"),
        ("What is the best phone?", "What is the worst phone?"),
        ("Who is he?", "Who is she?"),
        ("How do I turn it on?", "How do I turn it off?"),
        ("Should I eat before a run?", "Should I eat after a run?"),
        ("How do I upload a file?", "How do I download a file?"),
    ],
    "names": [
        ("What does vitamin A do?", "What does vitamin D do?"),
        ("Will size M fit me?", "Will size S fit me?"),
        ("What is the capital of France?", "What is the capital of Germany?"),
        ("Where is the US?", "Where is us?"),
        ("How do I learn C++?", "How do I learn C?"),
        ("how do i open Word files", "how do i open Excel files"),
    ],
    "words": [
        ("what does vitamin d do", "what does vitamin e do"),
        ("Qual è il prezzo dell'acqua?", "Qual è il prezzo dell'olio?"),
        ("Un verre d'eau ?", "Un verre d'huile ?"),
        ("Translate to German: hello", "Translate to German: hi"),
        ("Translate please to German", "Translate thanks to German"),
        ("What does 'could' mean?", "What does 'can' mean?"),
        ("Correct this: he have an idea", "Correct this: he has an idea"),
        ("How do I reset my account password?", "How do I reset my router password?"),
        ("How can I lose weight?", "How can I lose weight quickly?"),
        ("What is the price of tea?", "What is the price of coffee?"),
        ("Is the shop open on Monday?", "Is the shop open by Monday?"),
        ("Is there a book by Lenin?", "Is there a book about Lenin?"),
    ],
    "order": [
        ("Is tea better than coffee?", "Is coffee better than tea?"),
        ("Did the dog bite the man?", "Did the man bite the dog?"),
        ("How do I go from Rome to Bern?", "How do I go from Bern to Rome?"),
    ],
    "question": [
        ("When did the war end?", "Why did the war end?"),
        ("Can I eat it?", "Should I eat it?"),
        ("Is milk good?", "Why is milk good?"),
        ("Who is the king?", "Where is the king?"),
        ("How do I swim?", "Do I swim?"),
        ("How is a letter sent?", "How can a letter be sent?"),
    ],
    "tense": [
        ("Who was the king of Spain?", "Who is the king of Spain?"),
        ("What did it cost?", "What does it cost?"),
        ("Where was the office?", "Where is the office?"),
    ],
    "person": [
        ("Can I call you?", "Can you call me?"),
        ("What if I win and you lose?", "What if you win and I lose?"),
        ("What is my name?", "What is your name?"),
        ("How old are you?", "How old am I?"),
        ("How do I reset my password?", "How do I reset your password?"),
    ],
    "length": [("a " * MAX_CHARS, "a b"), ("\ufdfa" * (MAX_CHARS // 4), "a b")],
}
SAME = [
    ("How do I reset my account password?", "How can I reset the password of my account?"),
    ("What's the best way to learn French?", "How can I learn French?"),
    ("What is the reason that cats purr?", "Why do cats purr?"),
    ("Is there more in tea or coffee?", "is there more in coffee or tea"),
    ("What is Spain's capital?", "What is the capital of Spain?"),
    ("How do I know if I am ill?", "How do you know if you are ill?"),
    ("What does 25 km cost?", "what does twenty-five kilometres cost"),
    ("How much is 2 million dollars?", "How much is $2,000,000?"),
    ("Who won the 1st prize?", "Who won the first prize?"),
    ("How do I send an e-mail?", "How do I send an email?"),
    ("Is it possible to fly there?", "Can I fly there?"),
    ("I can't log in", "I can\u2019t log in!"),
    ("HOW DO I LOG IN", "How do I log in?"),
    ("Hello, how do I log in?", "How do I log in?"),
    ("Why can't I log in?", "Why I cannot log in?"),
    ("Is 10^2 more than 50?", "Is 10\u00b2 more than 50?"),
    ("Is 0.5 mg enough?", "Is .5 mg enough?"),
    ("What is a Turing machine?", "What are Turing machines?"),
    ("Wo ist der Bahnhof in Köln?", "wo ist der Bahnhof in Köln"),
    ("東京はどこですか", "東京はどこですか？"),  # noqa: RUF001 - the sign of that script
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "one", "other"), [(why, *pair) for why, pairs in DIFFER.items() for pair in pairs]
)
def test_what_asks_for_something_else_is_vetoed_for_what_it_is(
    why: str, one: str, other: str
) -> None:
    assert veto(one, other) == why
    assert veto(other, one) == why


@pytest.mark.parametrize(("one", "other"), SAME)
def test_other_words_for_the_same_are_not(one: str, other: str) -> None:
    assert veto(one, other) is None


PIECES = (
    *("how", "do", "I", "can't", "the", "not", "of", "and", "5", "kg", "3.5", "two", "hundred"),
    *("million", "%", "$", "Rome", "is", "was", "best", "off", "than", "2nd", "C++", "e-mail"),
    *(
        "'",
        ".",
        "?",
        "1,000",
        "\u00bd",
        "\u0663",
        "don\u2019t",
        "A",
        "B",
        "what",
        "way",
        "to",
        "for",
        *(":", '"', "you", "not", "(", ")", "-", "*", ".5", "translate", "hi", "d'or"),
    ),
)
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join),
)


@given(one=TEXTS, other=TEXTS)
def test_it_is_the_same_whichever_is_asked(one: str, other: str) -> None:
    assert veto(one, other) == veto(other, one)


@given(text=TEXTS)
def test_a_text_is_never_vetoed_for_itself_however_it_is_spaced_or_ended(text: str) -> None:
    assert veto(text, text) is None
    assert veto(text, f"  {text} ") is None
    assert veto(text, f"{text}?") is None


@given(text=TEXTS, number=st.integers(2, 10**9))
def test_a_number_more_is_another_question(text: str, number: int) -> None:
    assert veto(text, f"{text} ; {number}") is not None
    assert veto(f"{text} ; {number}", f"{text} ; {number + 1}") == "numbers"


@given(text=TEXTS)
def test_a_not_more_is_another_question(text: str) -> None:
    assert veto(f"{text} it", f"{text} it not") is not None


@pytest.mark.parametrize(
    "piece",
    [
        "1,",
        "1.",
        "'",
        "a'",
        "twenty ",
        "million ",
        "what is the ",
        "of a ",
        "-",
        "ﬃ",
        "5 k",
        "'a' ",
        "not ",
        "( ",
    ],
)
def test_it_takes_no_longer_for_texts_that_are_made_to(piece: str) -> None:
    one = (piece * MAX_CHARS)[: MAX_CHARS - 1]
    assert cpu_s(lambda: [veto(one, f"{one[1:]}x") for _ in range(5)]) < 0.5
