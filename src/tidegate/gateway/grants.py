"""grants: from the claims of a token that is believed to a caller, or to nobody. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.caller import Caller, id_of_caller, id_of_issuer, id_of_token
from tidegate.core.key_limits import KeyLimits
from tidegate.core.outcome import Refusal
from tidegate.core.plan_callers import FromClaim, Grant, Issuer, Match
from tidegate.text.jws import Claims, time_of

MAX_WORD_CHARS: Final = 256
# Of a list of groups, more than anybody has.
MOST_WORDS: Final = 1000


class Granted(Struct, frozen=True):
    """A grant of a plan, with its limits as those of keys are."""

    grant: Grant
    limits: KeyLimits | None


def granted(issuer: Issuer) -> tuple[Granted, ...]:
    """The issuer's grants, ready."""
    return tuple(Granted(it, _limits(it)) for it in issuer.grants)


def caller_of(issuer: Issuer, grants: Iterable[Granted], claims: Claims, until_s: float) -> Caller:
    """Who calls with these claims, until then. Refusal (`caller_not_allowed`) where no grant fits,
    or where the one that does does not find a word that it needs."""
    subject = _one(_found(claims, issuer.subject))
    if subject is None:
        raise _no("the token does not say who calls")
    for it in grants:
        if all(_matches(claims, match) for match in it.grant.matches):
            return _caller(issuer, it, claims, subject, until_s)
    raise _no("no grant of the gateway's plan fits the token")


def _caller(
    issuer: Issuer, granted: Granted, claims: Claims, subject: str, until_s: float
) -> Caller:
    grant = granted.grant
    own_id, token_id = id_of_caller(issuer.issuer, subject), claims.get("jti")
    ids = [own_id, id_of_issuer(issuer.issuer)]
    if isinstance(token_id, str):
        ids.append(id_of_token(issuer.issuer, token_id))
    issued_s = time_of(claims, "iat")
    starts_s = max(time_of(claims, "nbf") or 0.0, issued_s or 0.0)
    return Caller(
        id=own_id,
        digest=b"",
        pepper_version=0,
        name=subject,
        team=_word(claims, grant.team, "team"),
        created_at_s=issued_s or 0.0,
        routes=grant.routes,
        customer=_maybe(claims, grant.customer, "customer"),
        environment=_maybe(claims, grant.environment, "environment"),
        purpose=grant.purpose,
        priority=grant.priority,
        attributes={name: _word(claims, it, name) for name, it in grant.attributes},
        expires_at_s=until_s,
        limits=granted.limits,
        end_user=_maybe(claims, grant.end_user, "end_user"),
        not_before_s=starts_s - issuer.leeway_s,
        issued_at_s=issued_s,
        ids=tuple(ids),
    )


def _limits(grant: Grant) -> KeyLimits | None:
    if grant.limits is None:
        return None
    return msgspec.convert(msgspec.to_builtins(grant.limits), KeyLimits)


def _matches(claims: Claims, match: Match) -> bool:
    words = _words(_found(claims, match.path))
    return any(_fits(word, wanted) for wanted in match.any_of for word in words)


def _fits(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


def _maybe(claims: Claims, wanted: FromClaim | None, what: str) -> str | None:
    return None if wanted is None else _word(claims, wanted, what)


def _word(claims: Claims, wanted: FromClaim, what: str) -> str:
    if wanted.value is not None:
        return wanted.value
    told = _found(claims, wanted.path)
    if wanted.table is not None:
        words = frozenset(_words(told))
        found = next((stands for word, stands in wanted.table if word in words), None)
    else:
        found = _one(told)
    found = wanted.otherwise if found is None else found
    if found is None:
        raise _no(f"the token's claim {'/'.join(wanted.path)} says no {what} known here")
    return found


def _found(claims: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = claims
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def _one(value: Any) -> str | None:
    """The one word that a claim says; None where it says none, or several."""
    if isinstance(value, list) and len(value) != 1:
        return None
    words = _words(value)
    return words[0] if words else None


def _words(value: Any) -> list[str]:
    """A claim's words that are fit to be stored and shown; others count as absent."""
    if isinstance(value, list):
        return [word for it in value[:MOST_WORDS] for word in _words_of_one(it)]
    return _words_of_one(value)


def _words_of_one(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int):
        return [str(value)]
    fit = isinstance(value, str) and 0 < len(value) <= MAX_WORD_CHARS and value.isprintable()
    return [value] if fit else []


def _no(message: str) -> Refusal:
    return Refusal("caller_not_allowed", message)
