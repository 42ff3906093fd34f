"""How keys, tokens and passwords are written: those of providers by their own forms, any other by
the name that it is assigned to and by looking like nothing that was thought of.

Every pattern is bounded, or begins only where a word does.
"""

import re
from collections import Counter
from math import log2
from typing import Final

from tidegate.text.forms import Form, Judge

_LEAST_BITS: Final = 2.8  # a character: words have less, random letters and digits more
# What stands in documentation in a secret's place.
_STAND_IN: Final = re.compile(
    r"(?i)your|example|placeholder|change.?me|dummy|sample|redacted|secret|password|passwd"
    r"|x{4}|\*{3}|\.{3}|1234567|abcdef"
)
# So is what is looked up elsewhere.
_LOOKED_UP: Final = re.compile(r"[$<{(%]|os\.|env|process\.|config|self\.|None|null|true|false")


def _bits(text: str) -> float:
    """Shannon's entropy of its characters."""
    size = len(text)
    return -sum(many / size * log2(many / size) for many in Counter(text).values())


def _mixed(text: str) -> bool:
    return any(it.isdigit() for it in text) and any(it.isalpha() for it in text)


def random_looking(text: str) -> int:
    """A long text of letters and digits in no order that words have."""
    return len(text) if _mixed(text) and _bits(text) >= _LEAST_BITS else 0


def assigned(text: str) -> int:
    """The same, and neither an example nor a name by which it is looked up."""
    if _LOOKED_UP.match(text) or _STAND_IN.search(text):
        return 0
    return random_looking(text)


def _key(kind: str, core: str, hint: str, judge: Judge | None = None) -> Form:
    return Form(kind, re.compile(f"(?<![A-Za-z0-9_-])(?:{core})(?![A-Za-z0-9_-])"), hint, judge)


_NAMES: Final = (
    r"(?:api[_-]?key|access[_-]?key|secret[_-]?key|client[_-]?secret|private[_-]?key"
    r"|auth[_-]?token|access[_-]?token|account[_-]?key|password|passwd|pwd|secret|token)"
)
# In this order: what an earlier one has found no later one sees.
FORMS: Final[tuple[Form, ...]] = (
    Form(
        "private_key",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[A-Za-z0-9+/=,:.\s\\]|-(?!----BEGIN))*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?=-----BEGIN)|\Z)"
        ),
        "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY",
    ),
    _key(
        "jwt", r"eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,2000}", "eyJ"
    ),
    _key("aws_key", "(?:AKIA|ASIA)[0-9A-Z]{16}", "AKIA|ASIA"),
    _key("google_key", "AIza[0-9A-Za-z_-]{35}|ya29\\.[0-9A-Za-z_-]{20,500}", "AIza|ya29"),
    _key(
        "github_token",
        "gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}",
        "gh[pousr]_|github_pat_",
    ),
    _key("slack_token", "xox[abeoprs]-[A-Za-z0-9-]{10,250}", "xox[abeoprs]-"),
    _key(
        "provider_key",
        "(?:sk|pk|rk)[-_](?:tg|ant|proj|svcacct|admin|or|live|test)?[-_]?[A-Za-z0-9_-]{16,250}",
        "[spr]k[-_]",
        random_looking,
    ),
    _key(
        "provider_key",
        "(?:gsk_|hf_|r8_|fw_|xai-|pplx-|nvapi-|csk-|glpat-|npm_|pypi-|dapi|dop_v1_|shpat_|SG\\.)"
        "[A-Za-z0-9_.-]{16,250}",
        "gsk_|hf_|r8_|fw_|xai-|pplx-|nvapi-|csk-|glpat-|npm_|pypi-|dapi|dop_v1_|shpat_|SG\\.",
        random_looking,
    ),
    Form(
        "url_password",
        re.compile(
            r"(?i)(?<![a-z0-9])[a-z][a-z0-9+.-]{0,30}://[^\s/:@\"'<>]{0,256}:"
            r"(?P<it>[^\s/@\"'<>]{1,256})@"
        ),
        r"://[^\s/:@]*:[^\s/@]+@",
    ),
    Form(
        "bearer",
        re.compile(r"(?i:(?<![a-z])(?:bearer|basic)[ \t]{1,3})(?P<it>[A-Za-z0-9._~+/=-]{16,4000})"),
        "(?i:bearer|basic)[ \t]+[A-Za-z0-9._~+/=-]{16}",
        random_looking,
    ),
    Form(
        "assigned",
        re.compile(
            rf"(?i:{_NAMES})[A-Za-z0-9_-]{{0,20}}[\"'`\\]{{0,2}}[ \t]{{0,3}}"
            r"(?:=>|:=|[:=])[ \t]{0,3}"
            r"[\"'`\\]{0,2}(?P<it>[A-Za-z0-9_~+/.!@#$%^&*=-]{8,250})"
        ),
        rf"(?i:{_NAMES})[A-Za-z0-9_-]*[\"'`\\]*[ \t]*[:=]",
        assigned,
    ),
)
