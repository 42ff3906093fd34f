"""Structured personal data and secrets do not come through; ordinary text does."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.personal import Personal

SECRET = "aB3dE6gH9jK2mN5pQ8sT"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n{SECRET}\n"
SAID = {
    "anna.berg+shop@mail.example.co.uk": "email",
    "josé@exámple.es": "email",
    "GB82 WEST 1234 5698 7654 32": "iban",
    "DE89370400440532013000": "iban",
    "4111 1111 1111 1111": "card",
    "378282246310005": "card",
    "192.168.0.17": "ip",
    "2001:db8:85a3::8a2e:370:7334": "ip",
    "853-37-1694": "ssn",
    "+49 (0)30 901820-11": "phone",
    "(415) 555-2671": "phone",
    "03.93.92.16.85": "phone",
    "780-999-2181x45": "phone",
    f"Bearer {SECRET}": "secret",
    PEM: "secret",
}


def taken(text: str, *more: str, words: tuple[str, ...] = ()) -> tuple[str, Counter[str]]:
    counts: Counter[str] = Counter()
    return Personal(more, words).taken_out(text, counts), counts


@pytest.mark.parametrize("said", SAID)
def test_each_kind_is_taken_out_and_counted(said: str) -> None:
    kind = SAID[said]
    shown, counts = taken(f"Reach me: {said}, please.")
    assert said not in shown
    assert counts == {kind: 1}
    if kind != "secret":
        assert shown == f"Reach me: [{kind}], please."


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-03-01 at 10:30:15 we shipped 12,500 parts for 1.99 each.",
        "Version 4.1 of `std::vector` took 0.35 s, see page 1234.",
        "GB82 WEST 1234 5698 7654 33 fails its check",
        "the card 4111 1111 1111 1112 x",
        "key: value; a@b is no address",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    kept, counts = taken(text)
    assert counts.keys() <= {"phone"}  # a card that is none may still be a number to call
    if not counts:
        assert kept == text


def test_a_route_may_have_more_taken_out() -> None:
    text = "Born 1978-04-13, order 77123, see https://x.example/a?b=1 on Project Falcon"
    assert taken(text)[0] == text
    shown, counts = taken(text, "dates", "numbers", "urls", words=("project falcon", " "))
    assert shown == "Born [dates], order [numbers], see [urls] on [words]"
    assert counts == {"dates": 1, "numbers": 1, "urls": 1, "words": 1}


@given(st.text(), st.text(), st.integers(0, 5000))
def test_whatever_stands_around_it_nothing_of_a_card_or_a_key_comes_through(
    before: str, after: str, filler: int
) -> None:
    for said in ("4111 1111 1111 1111", f"Bearer {SECRET}"):
        shown, _ = taken(f"{'word, ' * filler}{before} {said} {after}")
        assert said not in shown


# Each would take minutes if time grew with the square of a text's length.
@pytest.mark.parametrize(
    "part",
    ["1", "1 ", "a", "a.", "a@", "ab:", "eyJ-", "a://", "GB12", "(", "+1-", "bearer ", "1.2.", " "],
)
def test_no_text_is_too_much_for_it(part: str) -> None:
    text = part * (300_000 // len(part))
    assert taken(text, "dates", "numbers", "urls", words=("x",))[0] is not None
