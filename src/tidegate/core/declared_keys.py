"""`keys` of the plan file."""

from typing import Annotated

from msgspec import Meta, Struct, field

from tidegate.core.declared_scalars import MAX_SECONDS, Name, RouteName, Text

EVERY_ROUTE = "*"


class DeclaredKeys(Struct, frozen=True, omit_defaults=True):
    """Defaults of a key that is created without saying otherwise."""

    team: Annotated[Text, Meta(description="Who pays.")] = "default"
    environment: Annotated[
        Text | None, Meta(description="Such as `production` or `staging`. Default: none.")
    ] = None
    routes: Annotated[
        tuple[RouteName, ...],
        Meta(description="Routes that the key may call; `*` is every route."),
    ] = (EVERY_ROUTE,)
    expires_after_s: Annotated[
        float | None,
        Meta(
            gt=0,
            le=MAX_SECONDS * 3660,
            extra={"read": "duration"},
            description="Life of a key, such as `90d` or `12h`. Default: it does not expire.",
        ),
    ] = field(default=None, name="expires_after")
    attributes: Annotated[
        dict[Name, Text], Meta(description="Attributes that its receipts carry.")
    ] = {}
