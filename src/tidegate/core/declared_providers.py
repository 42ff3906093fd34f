"""`providers` of the plan file, and the deadlines that a provider and a target both may have."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_metrics import DeclaredMetrics
from tidegate.core.declared_probes import DeclaredProbe
from tidegate.core.declared_scalars import BaseUrl, Seconds, Text
from tidegate.core.identity import Identity
from tidegate.core.secret import SecretRef

NO_CREDENTIAL = SecretRef()  # `api_key: none`, as distinct from a key that is not written


class DeclaredDeadlines(Struct, frozen=True, omit_defaults=True):
    """Bounds of one attempt. A target's value goes before its provider's, then the default."""

    connect_s: Annotated[
        Seconds | None, Meta(description="To open a connection. Default 2 seconds.")
    ] = None
    first_token_s: Annotated[
        Seconds | None,
        Meta(description="From sending the request to the first content. Default 60 seconds."),
    ] = None
    gap_s: Annotated[
        Seconds | None,
        Meta(description="Between two pieces of a streamed answer. Default 30 seconds."),
    ] = None
    total_s: Annotated[
        Seconds | None, Meta(description="From sending to the end. Default 600 seconds.")
    ] = None


class DeclaredProvider(Struct, frozen=True, omit_defaults=True):
    """One account at a provider, or one engine of yours."""

    kind: Annotated[
        str | None,
        Meta(
            description="The wire dialect: a file in `providers/`. Default: the provider's own "
            "name, where there is such a file."
        ),
    ] = None
    base_url: Annotated[
        BaseUrl | None,
        Meta(description="Address before `/chat/completions`. Default: the dialect's, if any."),
    ] = None
    api_key: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Where the credential is found: `${NAME}` (or `os.environ/NAME`), "
            "`file:/path`, or `none`. Never the secret itself.",
        ),
    ] = None
    identity: Annotated[
        Identity | None,
        Meta(
            description="As whom it is asked, in place of a credential: an identity in a cloud, "
            "whose tokens are renewed ahead of their end. Default: none."
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        Meta(extra={"read": "path"}, description="Certificates (PEM) of a private CA to trust."),
    ] = None
    headers: Annotated[
        dict[Annotated[str, Meta(extra={"read": "header"})], Text],
        Meta(description="Extra headers on every request to this provider."),
    ] = {}
    deadlines: Annotated[
        DeclaredDeadlines, Meta(description="Bounds of one attempt at this provider.")
    ] = DeclaredDeadlines()
    probe: Annotated[
        DeclaredProbe | None,
        Meta(
            description="Synthetic requests to each of its targets that has none of its own. "
            "Default: none is sent."
        ),
    ] = None
    metrics: Annotated[
        Literal["none"] | DeclaredMetrics | None,
        Meta(
            description="Where its engines tell of their queue and cache. Default: `/metrics` of "
            "each replica, of kinds that are engines."
        ),
    ] = None
