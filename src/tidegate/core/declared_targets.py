"""`targets` of the plan file."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_prices import DeclaredPrice
from tidegate.core.declared_providers import DeclaredDeadlines
from tidegate.core.declared_scalars import BaseUrl, Name, Text
from tidegate.core.plan import SecretRef


class DeclaredTarget(Struct, frozen=True, omit_defaults=True):
    """One model at one provider or engine pool."""

    provider: Annotated[Name, Meta(description="A name in `providers`.")]
    model: Annotated[Text, Meta(description="The model's name at the provider.")]
    replicas: Annotated[
        tuple[BaseUrl, ...] | dict[Name, BaseUrl] | None,
        Meta(
            description="Addresses that serve this model: a list of base URLs, or a mapping from "
            "a name to its base URL. Default: the provider's `base_url`."
        ),
    ] = None
    context_tokens: Annotated[
        int | None,
        Meta(ge=1, le=1_000_000_000, description="Context length of the model, in tokens."),
    ] = None
    tokenizer: Annotated[
        Literal["o200k", "cl100k", "llama3", "qwen3"] | None,
        Meta(
            description="The exact tokenizer, to count where the provider does not. Default: "
            "the bound by bytes, labelled as estimated."
        ),
    ] = None
    price: Annotated[
        DeclaredPrice | None,
        Meta(
            description="`free`, prices a token, or prices a GPU-hour. Default: looked up in the "
            "table of published prices when the plan is compiled."
        ),
    ] = None
    unpriced: Annotated[
        Literal["refuse", "allow"] | None,
        Meta(description="Whether a price that nobody knows is allowed here. Default: the plan's."),
    ] = None
    deadlines: Annotated[
        DeclaredDeadlines, Meta(description="Bounds of one attempt at this target.")
    ] = DeclaredDeadlines()
    api_key: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="A credential of this target's own. Default: its provider's.",
        ),
    ] = None
    max_connections: Annotated[
        int, Meta(ge=1, le=100_000, description="Connections to one replica, a gateway process.")
    ] = 512
