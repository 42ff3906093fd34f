"""`routes` of the plan file."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_scalars import Text
from tidegate.core.declared_targets import DeclaredTarget


class DeclaredRoute(Struct, frozen=True, omit_defaults=True):
    """What an application calls (the API's `model`).

    A plain text stands for its `target`.
    """

    target: Annotated[
        Text | DeclaredTarget,
        Meta(
            description="A name in `targets`, `provider/model` (split at the first slash), or a "
            "target written out here."
        ),
    ]
    unsupported: Annotated[
        Literal["refuse", "drop"],
        Meta(
            description="What becomes of a request that asks for something which its target's API "
            "has no place for: refused, or served without it, named in the header "
            "`x-tidegate-dropped` and on the receipt. Bounds on tokens are never left out."
        ),
    ] = "refuse"
