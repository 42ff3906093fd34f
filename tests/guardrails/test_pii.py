"""Structured personal data is found by form and check digit, each type to be chosen."""

import pytest
from tests.guardrails.looked import complaint, found

THINGS = {
    "anna.berg+shop@mail.example.co.uk": "email",
    "GB82 WEST 1234 5698 7654 32": "iban",
    "4111 1111 1111 1111": "card",
    "192.168.0.17": "ip",
    "2001:db8:85a3::8a2e:370:7334": "ip",
    "853-37-1694": "ssn",
    "+49 (0)30 901820-11": "phone",
    "RSSMRA85T10A562S": "codice_fiscale",
    "1 85 05 78 006 084 91": "nir",
    "529.982.247-25": "cpf",
    "AB 12 34 56 C": "nino",
    "12345678Z": "dni",
    "X1234567L": "dni",
}


@pytest.mark.parametrize("thing", THINGS)
def test_each_is_found_between_words_and_beside_other_scripts(thing: str) -> None:
    assert found("pii", f"It is {thing}, yes.") == [(thing, THINGS[thing])]
    assert found("pii", f"\u7535\u8bdd\u662f{thing}\u3002") == [(thing, THINGS[thing])]


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-03-01 at 10:30:15 we shipped 12,500 parts for 1.99 each.",
        "GB82 WEST 1234 5698 7654 33",
        "RSSMRA85T10A562T and 12345678A and 529.982.247-26",
        "see std::vector and a@b, version 4.1",
    ],
)
def test_what_fails_its_check_is_none(text: str) -> None:
    assert found("pii", text, types=("email", "iban", "ip", "codice_fiscale", "dni", "cpf")) == []


def test_papers_are_known_by_the_words_before_them() -> None:
    said = "My passport number is X1234567 and my license no. F16-2823-540116."
    assert found("pii", said) == [
        ("X1234567", "passport"),
        ("F16-2823-540116", "driver_license"),
    ]


def test_two_that_stand_together_are_two() -> None:
    cards = "4111 1111 1111 1111 4242 4242 4242 4242"
    assert [it for it, _ in found("pii", cards)] == ["4111 1111 1111 1111", "4242 4242 4242 4242"]


def test_types_and_countries_are_chosen() -> None:
    text = "anna@x.org 853-37-1694 12345678Z"
    assert [it for _, it in found("pii", text, types=("ssn", "dni"))] == ["ssn", "dni"]
    assert [it for _, it in found("pii", text, locales=("US",))] == ["email", "ssn"]
    assert "there are BR" in (complaint("pii", locales=("ZZ",)) or "")


def test_what_stands_far_into_a_long_text_is_found_where_it_is() -> None:
    text = "Nothing to see, move on. " * 100 + "mail anna@x.org now"
    assert found("pii", text) == [("anna@x.org", "email")]
