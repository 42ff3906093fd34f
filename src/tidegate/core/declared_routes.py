"""`routes` of the plan file."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.declared_contracts import DeclaredContract
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
    contract: Annotated[
        DeclaredContract | None,
        Meta(description="What the answers must be. Default: nothing is asked of them."),
    ] = None
