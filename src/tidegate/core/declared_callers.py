"""`callers` of the plan file."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

from tidegate.core.declared_budgets import Period
from tidegate.core.declared_keys import EVERY_ROUTE
from tidegate.core.declared_scalars import (
    MAX_SECONDS,
    BaseUrl,
    Name,
    Quantity,
    RouteName,
    Seconds,
    Text,
)
from tidegate.core.plan_callers import Algorithm, IssuerKeys
from tidegate.core.priority import Priority
from tidegate.core.secret import SecretRef

_KEYS = IssuerKeys()
_ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES256")
_LEEWAY_S, _LONGEST_S = 30.0, 86_400.0


class DeclaredFromClaim(Struct, frozen=True, omit_defaults=True):
    """A word that a claim of the token says."""

    claim: Annotated[
        Text,
        Meta(
            description="The claim's name; a path such as `/kubernetes.io/namespace` (a JSON "
            "Pointer) for one inside another."
        ),
    ]
    map: Annotated[
        dict[Text, Text],
        Meta(
            description="What each of its values stands for; the first that the token has decides. "
            "Default: the claim's own text."
        ),
    ] = {}
    otherwise: Annotated[
        Text | None,
        Meta(description="For tokens that say nothing of these. Default: they are refused."),
    ] = None


class DeclaredCallerLimits(Struct, frozen=True, omit_defaults=True):
    """What each caller alone is held to, beside the plan's limits."""

    requests_per_minute: Annotated[
        Quantity | None, Meta(description="Requests a minute. Default: no limit.")
    ] = None
    tokens_per_minute: Annotated[
        Quantity | None, Meta(description="Tokens a minute. Default: no limit.")
    ] = None
    max_parallel_requests: Annotated[
        Quantity | None, Meta(description="Requests at once. Default: no limit.")
    ] = None
    budget_usd: Annotated[
        Decimal | None,
        Meta(gt=0, extra={"read": "money"}, description="What it may spend. Default: no limit."),
    ] = field(default=None, name="budget")
    per: Annotated[
        Period | None,
        Meta(extra={"read": "budget_period"}, description="The time in which it may be spent."),
    ] = None
    hard: Annotated[
        bool, Meta(description="Refuse what would pass the budget; otherwise it only alerts.")
    ] = True


class DeclaredGrant(Struct, frozen=True, omit_defaults=True):
    """What callers may whose tokens have these claims."""

    team: Annotated[Text | DeclaredFromClaim, Meta(description="Who pays.")]
    match: Annotated[
        dict[Text, Text | tuple[Text, ...]],
        Meta(
            description="Claims and what they must be, or one of several; a list must hold one of "
            "them, and `*` at the end stands for whatever follows. Default: every token of this "
            "issuer."
        ),
    ] = {}
    routes: Annotated[
        tuple[RouteName, ...], Meta(description="Routes that may be called; `*` is every route.")
    ] = (EVERY_ROUTE,)
    customer: Annotated[
        Text | DeclaredFromClaim | None, Meta(description="The team's customer. Default: none.")
    ] = None
    environment: Annotated[
        Text | DeclaredFromClaim | None,
        Meta(description="Such as `production` or `staging`. Default: none."),
    ] = None
    end_user: Annotated[
        Text | DeclaredFromClaim | None,
        Meta(
            description="The person behind the request; what the request itself says of one counts "
            "no more. Default: the request's own word."
        ),
    ] = None
    purpose: Annotated[
        Name, Meta(description="What the requests are for, such as `production` or `eval`.")
    ] = "production"
    priority: Annotated[
        Priority, Meta(description="The highest class that the requests may have.")
    ] = "standard"
    attributes: Annotated[
        dict[Name, Text | DeclaredFromClaim],
        Meta(description="Attributes that the receipts carry."),
    ] = {}
    limits: Annotated[
        DeclaredCallerLimits | None,
        Meta(description="What each of these callers alone is held to. Default: nothing."),
    ] = None


class DeclaredIssuerKeys(Struct, frozen=True, omit_defaults=True):
    """Where the issuer's public keys are (a JSON Web Key Set): one of `url` and `file`."""

    url: Annotated[
        BaseUrl | None,
        Meta(
            description="`https://` address of the set, which the issuer's discovery page names as "
            "`jwks_uri`; `http://` on this machine alone."
        ),
    ] = None
    file: Annotated[
        str | None,
        Meta(extra={"read": "path"}, description="File of the set, read again when it changes."),
    ] = None
    ca_file: Annotated[
        str | None,
        Meta(extra={"read": "path"}, description="Certificates (PEM) of a private CA to trust."),
    ] = None
    credential: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Token that the address wants to see, such as that of the gateway's own "
            "Kubernetes service account: `file:/path` or `${NAME}`. Default: none.",
        ),
    ] = None
    every_s: Annotated[
        float,
        Meta(
            ge=30,
            le=MAX_SECONDS,
            extra={"read": "duration"},
            description="How often the address is asked.",
        ),
    ] = field(default=_KEYS.every_s, name="every")
    keep_s: Annotated[
        float,
        Meta(
            ge=60,
            le=MAX_SECONDS * 366,
            extra={"read": "duration"},
            description="How long the last good answer is believed while no other comes, also "
            "after a restart.",
        ),
    ] = field(default=_KEYS.keep_s, name="keep_for")


class DeclaredIssuer(Struct, frozen=True, omit_defaults=True):
    """Somebody whose signed tokens are believed in the place of a key."""

    issuer: Annotated[Text, Meta(description="`iss` of its tokens, to the letter.")]
    audiences: Annotated[
        tuple[Text, ...], Meta(description="Of its tokens' `aud` one must be one of these.")
    ]
    keys: Annotated[DeclaredIssuerKeys, Meta(description="Its public keys.")]
    grants: Annotated[
        tuple[DeclaredGrant, ...],
        Meta(
            description="What its callers may. The first that fits a token decides; a token that "
            "none fits is refused."
        ),
    ]
    algorithms: Annotated[
        tuple[Algorithm, ...], Meta(description="By which its tokens may be signed.")
    ] = _ALGORITHMS
    leeway_s: Annotated[
        float,
        Meta(
            ge=0,
            le=300,
            extra={"read": "duration"},
            description="How far its clock may be from ours.",
        ),
    ] = field(default=_LEEWAY_S, name="leeway")
    longest_s: Annotated[
        Seconds,
        Meta(description="A token that is good for longer from now on is refused."),
    ] = field(default=_LONGEST_S, name="longest")
    subject: Annotated[
        Text,
        Meta(description="The claim that says who calls, of which the caller's id is made."),
    ] = "sub"
    types: Annotated[
        tuple[Text, ...],
        Meta(
            description="What the tokens' header may say in `typ`, and then has to: `[at+jwt]` "
            "lets in access tokens alone (RFC 9068). Default: `JWT`, `JOSE`, `at+jwt`, or nothing."
        ),
    ] = ()
    bound: Annotated[
        bool,
        Meta(
            description="Let in tokens that are bound to a key or a certificate (`cnf`) without "
            "asking for its proof; whoever steals one can use it then."
        ),
    ] = False
