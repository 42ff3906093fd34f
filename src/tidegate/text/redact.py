"""Takes secrets out of text that is about to be shown or stored."""

import re

_SECRETS = re.compile(
    r"""
    (?P<bearer>bearer\s+)[A-Za-z0-9._~+/=-]{8,}
    | \b(?:sk|pk|rk|gsk|xai|hf|AIza|AKIA|ASIA|ghp|gho|glpat|xox[abp])[-_]?[A-Za-z0-9_*-]{12,}
    | (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    | (?P<url>(?<![a-z0-9])[a-z][a-z0-9+.-]{0,30}://)[^/\s:@]+:[^/\s@]+@
    | -----BEGIN\ [A-Z0-9 ]{0,40}PRIVATE\ KEY-----[A-Za-z0-9+/=,:\s]*
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact(text: str) -> str:
    """`text` with anything that looks like a credential replaced by `[redacted]`."""
    return _SECRETS.sub(_replacement, text)


def redacted(text: str) -> tuple[str, int]:
    """The same, and how often. Its time grows with the text's length and no faster."""
    return _SECRETS.subn(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    if match["url"] is not None:
        return f"{match['url']}[redacted]@"
    return f"{match['bearer'] or ''}[redacted]"
