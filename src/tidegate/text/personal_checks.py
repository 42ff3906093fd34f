"""What tells structured personal data from other numbers: check digits, lengths, ranges.

Each takes what a pattern has found and says how many of its letters, from the beginning, are the
thing: a pattern may have run on into the number behind it. 0: none are.
"""

import ipaddress
import re
from typing import Final

_MOST_DIGITS: Final = 15  # of a telephone number: ITU-T E.164
_LEAST_DIGITS: Final = 7
_BARE_DIGITS: Final = 9  # without a sign of what it is
_PLACE: Final = re.compile(r"[1-9][0-9]{3} [0-9]{3}|[1-9][0-9]{4}[ -][0-9]{2,4}")
# Behind its point a number of more digits than a telephone has there; `1.` and `7.` are dialled.
_DECIMAL: Final = re.compile(
    r"(?![17]\.[0-9]{10}$)[0-9]\.[0-9]{7,}|[1-9][0-9]{1,2}\.[0-9]{12,}", re.ASCII
)
_PARTS: Final = re.compile(r"[0-9A-Za-z]+")
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
# ISO 13616's registry: how long a country's account numbers are.
_ACCOUNT_LENGTHS: Final[dict[str, int]] = {
    country: int(length)
    for length, countries in (
        ("15", "NO"),
        ("16", "BE"),
        ("18", "DK FI FK FO GL NL SD"),
        ("19", "MK SI"),
        ("20", "AT BA EE KZ LT LU MN XK"),
        ("21", "CH HR LI LV"),
        ("22", "BG BH CR DE GB GE IE ME RS VA"),
        ("23", "AE GI IL IQ OM SO TL"),
        ("24", "AD CZ ES MD PK RO SA SE SK TN VG"),
        ("25", "LY PT ST"),
        ("26", "IS TR"),
        ("27", "BI DJ FR GR IT MC MR SM"),
        ("28", "AL AZ BY CY DO GT HN HU LB NI PL SV"),
        ("29", "BR EG PS QA UA"),
        ("30", "JO KW MU YE"),
        ("31", "MT SC"),
        ("32", "LC"),
        ("33", "RU"),
    )
    for country in countries.split()
}
# Twice a digit, and of that the sum of its digits.
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")
_AS_NUMBERS: Final = {ord("A") + place: str(10 + place) for place in range(26)}
# Of the characters of a codice fiscale at odd places.
_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20),
            *(11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        ),
        strict=True,
    )
)


def card(text: str) -> int:
    """ISO/IEC 7812-1, annex B, of 12 to 19 digits; whole groups of them where more were found."""
    if _is_card(text):
        return len(text)
    return next((end for end in _ends(text) if _is_card(text[:end])), 0)


def _is_card(text: str) -> bool:
    digits = text.replace(" ", "").replace("-", "")
    if not 12 <= len(digits) <= 19:
        return False
    doubled = map(int, digits[-2::-2].translate(_DOUBLED))
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def account(text: str) -> int:
    """ISO 13616: as long as its country's are, and, with its beginning at the end and letters as 10
    to 35, 1 mod 97."""
    wanted = _ACCOUNT_LENGTHS.get(text[:2], 0)
    packed = text.replace(" ", "")[:wanted]
    if not wanted or len(packed) < wanted:
        return 0
    if int((packed[4:] + packed[:4]).translate(_AS_NUMBERS)) % 97 != 1:
        return 0
    end = [at + 1 for at, it in enumerate(text) if it != " "][wanted - 1]
    return end if text[end : end + 1] in ("", " ") else 0


def _ends(text: str) -> list[int]:
    """Where its groups end, the last first."""
    return [match.end() for match in _PARTS.finditer(text)][::-1]


def address_v4(text: str) -> int:
    """Four numbers of a byte each, none with a nought before it."""
    groups = text.split(".")
    fits = all(int(it) < 256 and (len(it) == 1 or it[0] != "0") for it in groups)
    return len(text) if fits else 0


def address_v6(text: str) -> int:
    """With four letters at least: `::` is more often something else."""
    return _address(text) if len(text) - text.count(":") >= 4 else 0


def _address(text: str) -> int:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return 0
    return len(text)


def social_security(text: str) -> int:
    """The Social Security Administration gives no area 000 or 666, no group 00, no serial 0000."""
    area, group, serial = text[:3], text[4:6], text[7:]
    given = area not in ("000", "666") and group != "00" and serial != "0000"
    return len(text) if given else 0


def telephone(text: str) -> int:
    digits = sum(map(str.isdigit, text.partition("x")[0]))
    if not _LEAST_DIGITS <= digits <= _MOST_DIGITS or _is_place(text):
        return 0
    if _DECIMAL.fullmatch(text):
        return 0
    looks = digits >= _BARE_DIGITS or text[0] in "+(" or not text.isdigit()
    return len(text) if looks else 0


def _is_place(text: str) -> bool:
    """A postcode and the number of a house, or the long form of a postcode: two groups, the second
    shorter than that of any number that is written in two."""
    return _PLACE.fullmatch(text) is not None


def nir(text: str) -> int:
    """INSEE: the last two digits are 97 less the rest of the others by 97."""
    packed = text.replace(" ", "")
    number = packed[:13].replace("2A", "19").replace("2B", "18")
    if not number.isdigit() or not "01" <= packed[3:5] <= "12":
        return 0
    return len(text) if 97 - int(number) % 97 == int(packed[13:]) else 0


def dni(text: str) -> int:
    """The letter of a Spanish DNI or NIE: its number by 23."""
    packed = text.replace("-", "")
    number = packed[:-1].translate(str.maketrans("XYZ", "012"))
    return len(text) if _DNI_LETTERS[int(number) % 23] == packed[-1] else 0


def cpf(text: str) -> int:
    """Both check digits of a Brazilian CPF, each of what stands before it."""
    digits = [int(it) for it in text if it.isdigit()]
    if len(set(digits)) == 1:
        return 0
    for length in (9, 10):
        weighted = sum(it * by for it, by in zip(digits, range(length + 1, 1, -1), strict=False))
        if digits[length] != (weighted * 10 % 11) % 10:
            return 0
    return len(text)


def codice_fiscale(text: str) -> int:
    """The last letter: the sum of the others', at odd places by a table, by 26."""
    total = 0
    for place, it in enumerate(text[:15]):
        total += _ODD[it] if place % 2 == 0 else int(it, 36) - (10 if it.isalpha() else 0)
    return len(text) if chr(ord("A") + total % 26) == text[15] else 0
