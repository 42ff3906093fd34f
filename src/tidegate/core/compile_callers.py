"""`callers` of the plan file: to whose tokens are believed, and what they grant. Pure.

What would let in somebody whom nobody meant, or never anybody, fails the plan.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from tidegate.core import plugs
from tidegate.core.address import is_loopback
from tidegate.core.assemble import Path, Say
from tidegate.core.caller import load_verifier
from tidegate.core.compile_limits import EACH_ALLOWS_ALL, counts_alone
from tidegate.core.declared import Declared
from tidegate.core.declared_callers import (
    DeclaredCallerLimits,
    DeclaredFromClaim,
    DeclaredGrant,
    DeclaredIssuer,
    DeclaredIssuerKeys,
)
from tidegate.core.declared_keys import EVERY_ROUTE
from tidegate.core.declared_providers import NO_CREDENTIAL
from tidegate.core.plan_callers import (
    USUAL_KINDS,
    FromClaim,
    Grant,
    GrantLimits,
    Issuer,
    IssuerKeys,
    Match,
    kind_of,
)
from tidegate.core.probe import OWN
from tidegate.core.units import usd_to_nanousd
from tidegate.core.words import nearest, quoted

MAX_GRANTS: Final = 200
# Where anybody gets an account, and so a token for whatever audience.
_PUBLIC: Final = (
    *("https://token.actions.githubusercontent.com", "https://gitlab.com"),
    *("https://accounts.google.com", "https://login.microsoftonline.com/common/v2.0"),
    *("https://app.terraform.io", "https://oidc.circleci.com"),
)

Claims = tuple[str, ...]


def compile_callers(declared: Declared, say: Say) -> tuple[Issuer, ...]:
    """In the order of the file."""
    found, seen = [], dict[str, str]()
    for name, one in declared.callers.items():
        path = ("callers", name)
        first = seen.setdefault(one.issuer, name)
        if first != name:
            say(
                (*path, "issuer"),
                f"{quoted(first)} is of the same issuer; write its grants and audiences there",
            )
        found.append(_issuer(name, one, declared, say))
    if found:
        try:
            load_verifier()
        except plugs.PlugError as error:
            say(("callers",), str(error))
    return tuple(found)


def _issuer(name: str, one: DeclaredIssuer, declared: Declared, say: Say) -> Issuer:
    path: Path = ("callers", name)
    for key, values in (("audiences", one.audiences), ("algorithms", one.algorithms)):
        if not values:
            say((*path, key), "the list is empty; nobody would be let in")
    if not 0 < len(one.grants) <= MAX_GRANTS:
        what = "is empty; nobody would be let in" if not one.grants else "is too long"
        say((*path, "grants"), f"the list {what}; write 1 to {MAX_GRANTS} grants")
    _check_keys((*path, "keys"), one.keys, say)
    grants = []
    for number, grant in enumerate(one.grants[:MAX_GRANTS]):
        at = (*path, "grants", str(number))
        grants.append(_grant(at, grant, declared, say))
        if not grant.match and one.issuer.rstrip("/") in _PUBLIC:
            say(at, "everybody who has an account there would be let in; say who with `match`")
        if not grant.match and number + 1 < len(one.grants):
            say(at, "it fits every token, so those after it never would; write it last")
    keys = one.keys
    return Issuer(
        name,
        one.issuer,
        one.audiences,
        IssuerKeys(keys.file, keys.url, keys.ca_file, keys.credential, keys.every_s, keys.keep_s),
        tuple(grants),
        one.algorithms,
        one.leeway_s,
        one.longest_s,
        _claim((*path, "subject"), one.subject, say),
        tuple(kind_of(it) for it in one.types) or USUAL_KINDS,
        one.bound,
    )


def _check_keys(path: Path, keys: DeclaredIssuerKeys, say: Say) -> None:
    if (keys.url is None) == (keys.file is None):
        say(path, "write one of `url` and `file`: where the issuer's public keys are")
    if keys.url is not None:
        try:
            parts = urlsplit(keys.url)
            plain = parts.scheme != "https" and not is_loopback(parts.hostname or "")
        except ValueError:
            return  # said where it was read
        if plain:
            say(
                (*path, "url"),
                "whoever stands in between could sign for everybody; write https://",
            )
    elif keys.ca_file is not None or keys.credential is not None:
        say(path, "`ca_file` and `credential` go with a `url`")
    if keys.credential == NO_CREDENTIAL:
        say((*path, "credential"), "leave it out where none is wanted")


def _grant(path: Path, one: DeclaredGrant, declared: Declared, say: Say) -> Grant:
    for number, route in enumerate(one.routes):
        if route != EVERY_ROUTE and route not in declared.routes:
            near = nearest(route, declared.routes)
            say((*path, "routes", str(number)), f"there is no route {quoted(route)}{near}")
    if not one.routes:
        say((*path, "routes"), "the list is empty; leave the grant out")
    if one.purpose in OWN:
        say((*path, "purpose"), f"{quoted(one.purpose)} is what the gateway calls its own requests")
    if one.limits is not None and counts_alone(declared):
        message = EACH_ALLOWS_ALL.format(what="limits that callers bring with them")
        say((*path, "limits"), message)
    return Grant(
        team=_word((*path, "team"), one.team, say),
        matches=tuple(_match(path, claim, any_of, say) for claim, any_of in one.match.items()),
        routes=one.routes,
        customer=_maybe((*path, "customer"), one.customer, say),
        environment=_maybe((*path, "environment"), one.environment, say),
        end_user=_maybe((*path, "end_user"), one.end_user, say),
        purpose=one.purpose,
        priority=one.priority,
        attributes=_attributes((*path, "attributes"), one.attributes, say),
        limits=None if one.limits is None else _limits((*path, "limits"), one.limits, say),
    )


def _match(path: Path, claim: str, any_of: str | tuple[str, ...], say: Say) -> Match:
    at = (*path, "match", claim)
    words = (any_of,) if isinstance(any_of, str) else any_of
    if not words:
        say(at, "the list is empty; no token would fit")
    if any("*" in word[:-1] for word in words):
        say(at, "`*` stands at the end alone, for whatever follows")
    return Match(_claim(at, claim, say), words)


def _attributes(
    path: Path, declared: Mapping[str, str | DeclaredFromClaim], say: Say
) -> tuple[tuple[str, FromClaim], ...]:
    pairs: Iterable[tuple[str, str | DeclaredFromClaim]] = declared.items()
    return tuple((name, _word((*path, name), one, say)) for name, one in pairs)


def _maybe(path: Path, one: str | DeclaredFromClaim | None, say: Say) -> FromClaim | None:
    return None if one is None else _word(path, one, say)


def _word(path: Path, one: str | DeclaredFromClaim, say: Say) -> FromClaim:
    if isinstance(one, str):
        return FromClaim(one)
    claim = _claim((*path, "claim"), one.claim, say)
    return FromClaim(None, claim, tuple(one.map.items()) or None, one.otherwise)


def _claim(path: Path, name: str, say: Say) -> Claims:
    """A name, or a JSON Pointer (RFC 6901) to a claim inside another."""
    if not name.startswith("/"):
        return (name,)
    parts = name[1:].split("/")
    if not all(parts) or any("~" in it.replace("~0", "").replace("~1", "") for it in parts):
        say(path, "a path to a claim is such as `/kubernetes.io/namespace`, with ~1 for a slash")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _limits(path: Path, one: DeclaredCallerLimits, say: Say) -> GrantLimits | None:
    if (one.budget_usd is None) != (one.per is None):
        say(path, "`budget` and `per` belong together: what may be spent, and in what time")
    per = one.per
    found = GrantLimits(
        None if one.budget_usd is None else usd_to_nanousd(one.budget_usd),
        None if per is None else per.unit,
        None if per is None else per.rolling_s,
        one.requests_per_minute,
        one.tokens_per_minute,
        one.max_parallel_requests,
        one.hard,
    )
    return None if found == GrantLimits(budget_hard=one.hard) else found
