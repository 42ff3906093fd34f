"""`control` of the plan file."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.address import Listen


class DeclaredControl(Struct, frozen=True, omit_defaults=True):
    """The control API, for operators only."""

    listen: Annotated[
        Listen, Meta(extra={"read": "listen"}, description="Address of the control API.")
    ] = Listen("127.0.0.1", 4001)
    allowed_hosts: Annotated[
        tuple[Annotated[str, Meta(extra={"read": "host"})], ...],
        Meta(description="Host names, beside loopback, that a request may be addressed to."),
    ] = ()
    allowed_origins: Annotated[
        tuple[Annotated[str, Meta(extra={"read": "origin"})], ...],
        Meta(description="Web origins whose pages may call the control API."),
    ] = ()
    litellm_metric_names: Annotated[
        bool, Meta(description="Serve LiteLLM's metric names beside our own.")
    ] = False
