"""How structured personal data is written: one row a form, with the check that tells it from other
numbers. For what is kept (`personal.py`) and for what passes (`guardrails/pii.py`) alike.

Every pattern is bounded or begins only where a word does, so its time grows with the text's length
and no faster, whatever the text is. Names, streets and firms have no structure: no row finds them.
"""

import re
from typing import Final

from msgspec.structs import replace

from tidegate.text.forms import Form, Judge
from tidegate.text.personal_checks import (
    account,
    address_v4,
    address_v6,
    card,
    codice_fiscale,
    cpf,
    dni,
    nir,
    social_security,
    telephone,
)

# Letters and digits of alphabets; scripts that put no space between words are no part of these.
_W: Final = "A-Za-z0-9_\u00aa-\u02af\u0370-\u1fff"
_L: Final = "A-Za-z\u00aa-\u02af\u0370-\u1fff"
_DATE: Final = (
    r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2}))(?![-/.]?\d)"
)
# The same behind its first digit.
_AFTER_DIGIT: Final = (
    r"(?:\d{3}([-/.])\d{1,2}\1\d{1,2}|\d?([-/.])\d{1,2}\2(?:\d{4}|\d{2}))(?![-/.]?\d)"
)


def _form(
    kind: str,
    core: tuple[str, str],
    hint: str,
    judge: Judge | None = None,
    *,
    beside: tuple[str, str] = ("", ""),
) -> Form:
    """`core` are its first letter, as a class, and the rest: an engine skips quickly to what a
    pattern begins with. `beside`: what else than letters and digits does not stand before it, and
    behind it."""
    first, rest = core
    before, after = beside
    pattern = re.compile(f"{first}(?<![{_W}{before}]{first})(?:{rest})(?![{_W}{after}])")
    return Form(kind, pattern, hint, judge)


def _told(kind: str, words: str, thing: str, hint: str, after: str = "") -> Form:
    """What has no form of its own, and is known by the words before it."""
    pattern = re.compile(f"(?<![{_W}])(?i:{words})(?P<it>{thing})(?![{_W}{after}])")
    return Form(kind, pattern, hint)


def _of(locale: str, form: Form) -> Form:
    """One country's own."""
    return replace(form, locale=locale)


# In this order: what an earlier one has found no later one sees.
FORMS: Final[tuple[Form, ...]] = (
    Form(
        "email",
        re.compile(
            rf"(?<![{_W}.%+-])[{_W}.%+-]{{1,128}}@(?:[{_W}-]{{1,63}}\.){{1,8}}[{_L}]{{2,24}}"
        ),
        "@",
    ),
    _form(
        "iban",
        ("[A-Z]", "[A-Z][0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"),
        "[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}",
        account,
    ),
    _of(
        "IT",
        _form(
            "codice_fiscale",
            ("[A-Z]", "[A-Z]{5}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]"),
            "[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST]",
            codice_fiscale,
        ),
    ),
    _of(
        "FR",
        _form(
            "nir",
            ("[12]", " ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
            "[12] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3}",
            nir,
        ),
    ),
    _form(
        "card",
        ("[1-6]", "(?=(?:[ -]?[0-9]){11})[0-9]{2,18}(?:[ -][0-9]{2,7}){0,6}"),
        "(?:[0-9][ -]?){11}[0-9]",
        card,
        beside=("+-", "-"),
    ),
    _form(
        "ip",
        ("[0-9]", r"[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?!\.[A-Za-z0-9_])"),
        r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        address_v4,
        beside=(".", ""),
    ),
    _form(
        "ip",
        ("[0-9A-Fa-f:]", "(?:(?<=:)|[0-9A-Fa-f]{0,3}:)(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}"),
        ":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}",
        address_v6,
        beside=(":", ":"),
    ),
    _of(
        "US",
        _form(
            "ssn",
            ("[0-9]", "[0-9]{2}(?:-[0-9]{2}-| [0-9]{2} )[0-9]{4}"),
            "[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}",
            social_security,
            beside=("-", "-"),
        ),
    ),
    _of(
        "BR",
        _form(
            "cpf",
            ("[0-9]", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"),
            r"\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
            cpf,
            beside=(".-", "-"),
        ),
    ),
    _of(
        "GB",
        _form(
            "nino",
            (
                "[A-CEGHJ-PR-TW-Z]",
                "[A-CEGHJ-NPR-TW-Z](?<!BG|GB|NK|KN|TN|NT|ZZ) ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
            ),
            "[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
        ),
    ),
    _of(
        "ES",
        _form(
            "dni",
            ("[0-9XYZ]", "(?:(?<![0-9])-)?[0-9]{7}-?[A-HJ-NP-TV-Z]"),
            "[0-9]{7}-?[A-Z]",
            dni,
        ),
    ),
    _told(
        "passport",
        r"passport(?: no\.?| number)?(?: is)?[:# ]{1,3}",
        "(?=[A-Z]{0,3}[0-9])[A-Z0-9]{6,9}",
        "(?i:passport)",
    ),
    _told(
        "driver_license",
        r"licen[sc]e(?: no\.?| number)?(?: is)?[:# ]{1,3}",
        "(?=[A-Z]{0,5}[0-9])[A-Z0-9](?:-?[A-Z0-9]){4,18}",
        "(?i:licen[sc]e)",
        after="-",
    ),
    _form(
        "phone",
        (
            "[0-9+(]",
            f"(?:(?<=[0-9])(?!{_AFTER_DIGIT})|(?<![0-9])[+(]?[0-9])"
            "(?:[ ()./-]{0,3}[0-9]){6,14}(?:x[0-9]{1,6})?",
        ),
        "(?:[0-9][ ()./-]{0,3}){6}[0-9]",
        telephone,
        beside=(".,/-", "-"),
    ),
)
# What is taken out of all that is kept.
ALWAYS: Final = ("email", "iban", "card", "ip", "ssn", "phone")
DATE: Final = re.compile(rf"(?<!\d){_DATE}")
