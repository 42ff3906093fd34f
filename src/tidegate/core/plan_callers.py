"""What a plan says of callers without a key: whose tokens are believed, and what they grant."""

from typing import Literal

from msgspec import Struct

from tidegate.core.priority import Priority
from tidegate.core.secret import SecretRef

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]

# What tokens of callers are by RFC 7519, RFC 7515 and RFC 9068; many do not say.
USUAL_KINDS = ("", "jwt", "jose", "at+jwt")


def kind_of(typ: str | None) -> str:
    """A `typ` as it is compared (RFC 7515, 4.1.9)."""
    return (typ or "").lower().removeprefix("application/")


class FromClaim(Struct, frozen=True, omit_defaults=True):
    """A word about a caller: `value`, or what the claim at `path` says. With a `table` only its
    words count, and the first of them that the claim has decides. `otherwise` is for all else; None
    refuses it."""

    value: str | None = None
    path: tuple[str, ...] = ()
    table: tuple[tuple[str, str], ...] | None = None
    otherwise: str | None = None


class Match(Struct, frozen=True):
    """The claim at `path` is one of these, or has one of them where it is a list; one that ends
    in `*` stands for all that begin so."""

    path: tuple[str, ...]
    any_of: tuple[str, ...]


class GrantLimits(Struct, frozen=True, omit_defaults=True):
    """What each caller of a grant alone is held to, by the names of `key_limits.KeyLimits`."""

    budget_nanousd: int | None = None
    budget_unit: str | None = None
    budget_s: float | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_parallel_requests: int | None = None
    budget_hard: bool = True


class Grant(Struct, frozen=True, omit_defaults=True):
    """What callers may whose tokens match all of `matches`."""

    team: FromClaim
    matches: tuple[Match, ...] = ()
    routes: tuple[str, ...] = ("*",)
    customer: FromClaim | None = None
    environment: FromClaim | None = None
    end_user: FromClaim | None = None
    purpose: str = "production"
    priority: Priority = "standard"
    attributes: tuple[tuple[str, FromClaim], ...] = ()
    limits: GrantLimits | None = None


class IssuerKeys(Struct, frozen=True, omit_defaults=True):
    """Where an issuer's public keys are: in a file, or at an address that is asked every
    `every_s`. They are believed for `keep_s` after the last good answer."""

    file: str | None = None
    url: str | None = None
    ca_file: str | None = None
    credential: SecretRef | None = None
    every_s: float = 600.0
    keep_s: float = 86_400.0


class Issuer(Struct, frozen=True, omit_defaults=True):
    """Whose tokens are believed: `issuer` and one of `audiences` stand in them. `kinds` are what
    their `typ` may be, "" for none. `bound`: also those that belong to a key or a certificate
    (`cnf`), for whose proof nobody asks here."""

    name: str
    issuer: str
    audiences: tuple[str, ...]
    keys: IssuerKeys
    grants: tuple[Grant, ...]
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")
    leeway_s: float = 30.0
    longest_s: float = 86_400.0
    subject: tuple[str, ...] = ("sub",)
    kinds: tuple[str, ...] = USUAL_KINDS
    bound: bool = False
