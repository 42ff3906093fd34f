"""Check digits tell what is one from what only looks like it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text import personal_checks as checks

GOOD: list[tuple[Callable[[str], int], str]] = [
    (checks.card, "4111111111111111"),
    (checks.account, "GB82WEST12345698765432"),
    (checks.nir, "185057800608491"),
    (checks.dni, "12345678Z"),
    (checks.cpf, "52998224725"),
    (checks.codice_fiscale, "RSSMRA85T10A562S"),
]


@pytest.mark.parametrize(("check", "good"), GOOD, ids=lambda it: getattr(it, "__name__", None))
def test_one_wrong_digit_is_seen(check: Callable[[str], int], good: str) -> None:
    assert check(good) == len(good)
    for at, digit in enumerate(good):
        if digit.isdigit():
            other = good[:at] + str((int(digit) + 1) % 10) + good[at + 1 :]
            assert not check(other)


def test_what_runs_on_is_cut_at_a_group() -> None:
    assert checks.card("4111 1111 1111 1111 123") == len("4111 1111 1111 1111")
    assert checks.account("GB82 WEST 1234 5698 7654 32 OK") == len("GB82 WEST 1234 5698 7654 32")
    assert not checks.account("GB82WEST123456987654321")


@given(st.text(alphabet="0123456789 -", min_size=12, max_size=24))
def test_a_card_is_never_longer_than_what_was_found(text: str) -> None:
    assert 0 <= checks.card(text) <= len(text)


def test_addresses_numbers_and_areas() -> None:
    assert checks.address_v4("10.0.0.1") and not checks.address_v4("10.0.0.256")
    assert checks.address_v6("fe80::1") and not checks.address_v6("::1")
    assert not checks.address_v4("10.0.0.01")
    assert checks.telephone("+4930901820") and not checks.telephone("12345678")
    assert checks.social_security("853-37-1694") and not checks.social_security("000-12-3456")


@pytest.mark.parametrize("text", ["17151 2450", "99449 18", "7873 216", "75534-030", "12345-6789"])
def test_a_postcode_and_the_number_of_a_house_are_no_telephone(text: str) -> None:
    assert not checks.telephone(text)


@pytest.mark.parametrize(
    "text", ["0.1234567", "0.1234567890123", "3.14159265358979", "52.520006599999", "1.00000000001"]
)
def test_a_decimal_number_is_no_telephone(text: str) -> None:
    assert not checks.telephone(text)


@pytest.mark.parametrize(
    "text", ["1.8005551212", "7.9161234567", "49.15112345678", "0.20.79460958"]
)
def test_telephones_with_points_are_some(text: str) -> None:
    assert checks.telephone(text) == len(text)


@pytest.mark.parametrize(
    "text", ["555 1234", "2122 1234", "01632 9601", "+1632 960", "98765 43210", "55 123 456"]
)
def test_short_numbers_of_telephones_are_some(text: str) -> None:
    assert checks.telephone(text) == len(text)
