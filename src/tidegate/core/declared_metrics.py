"""`metrics` of a target or a provider: where an engine tells of itself."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.declared_scalars import Text
from tidegate.core.secret import SecretRef


class DeclaredMetrics(Struct, frozen=True, omit_defaults=True):
    """The page that each replica has beside its API, on its own host."""

    engine: Annotated[
        Text | None,
        Meta(
            description="Whose page it is: a file in `engines/`. Default: the provider's `kind`, "
            "where that is an engine's."
        ),
    ] = None
    port: Annotated[
        int | None, Meta(ge=1, le=65_535, description="Its port. Default: the replica's.")
    ] = None
    path: Annotated[
        Text | None, Meta(description="Its path. Default: the engine's, mostly `/metrics`.")
    ] = None
    api_key: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Where the key that opens the page is found. Default: it is open; the "
            "provider's own key is not sent there.",
        ),
    ] = None
    header: Annotated[
        Text | None,
        Meta(
            description="The header that is the key, and nothing but the key. Default: "
            "`authorization`, as in `Bearer KEY`."
        ),
    ] = None
