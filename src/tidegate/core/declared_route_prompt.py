"""`prompt` of a route: by which prompt its models are asked."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.declared_scalars import Text
from tidegate.core.prompt import STABLE


class DeclaredRoutePrompt(Struct, frozen=True, omit_defaults=True):
    """The prompt is rendered with the variables that the caller sends, and stands before what the
    caller says itself. A plain text stands for its `name`."""

    name: Annotated[Text, Meta(description="The prompt, one of the repository's.")]
    tag: Annotated[Text, Meta(description="The version that this tag points at serves.")] = STABLE
    version: Annotated[
        Text | None, Meta(description="This version serves, whatever tags say. Default: the tag's.")
    ] = None
    allow_tags: Annotated[
        tuple[Text, ...],
        Meta(description="Tags that a caller may ask for in place of the route's. Default: none."),
    ] = ()
