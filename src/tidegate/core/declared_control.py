"""`control` of the plan file."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from tidegate.core.address import Listen
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.core.declared_notifications import DeclaredNotifications
from tidegate.core.declared_scalars import BaseUrl, Name
from tidegate.core.secret import SecretRef

MOST_APPROVALS: Final = 5


class DeclaredWebhook(Struct, frozen=True, omit_defaults=True):
    """An address that is told of alerts, and the only one."""

    url: Annotated[BaseUrl, Meta(description="Where each alert is posted to, as JSON.")]
    api_key: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Where its credential is found, sent as `Authorization: Bearer`. "
            "Default: none is sent.",
        ),
    ] = None


class DeclaredAlerts(Struct, frozen=True, omit_defaults=True):
    """How alerts of budgets are told, beside the log, the control API and `/metrics`."""

    webhook: Annotated[
        DeclaredWebhook | None,
        Meta(description="An address that is told of each alert once. Default: none."),
    ] = None


class DeclaredControl(Struct, frozen=True, omit_defaults=True):
    """The control API, for operators only."""

    listen: Annotated[
        Listen, Meta(extra={"read": "listen"}, description="Address of the control API.")
    ] = Listen("127.0.0.1", 4001)
    gateway_url: Annotated[
        BaseUrl | None,
        Meta(
            description="Where control asks the gateway, such as a judge of live answers. Default: "
            "the gateway on this machine."
        ),
    ] = None
    allowed_hosts: Annotated[
        tuple[Annotated[str, Meta(extra={"read": "host"})], ...],
        Meta(description="Host names, beside loopback, that a request may be addressed to."),
    ] = ()
    allowed_origins: Annotated[
        tuple[Annotated[str, Meta(extra={"read": "origin"})], ...],
        Meta(description="Web origins whose pages may call the control API."),
    ] = ()
    alerts: Annotated[DeclaredAlerts, Meta(description="How alerts of budgets are told.")] = (
        DeclaredAlerts()
    )
    approvals: Annotated[
        dict[Name, Annotated[int, Meta(ge=0, le=MOST_APPROVALS)]],
        Meta(
            description="How many others have to say yes before a lever is held by a person, by "
            "the lever's name. Default: nobody."
        ),
    ] = {}
    loop: Annotated[
        DeclaredLoop, Meta(description="What watches releases and objectives, and acts.")
    ] = DeclaredLoop()
    notifications: Annotated[
        DeclaredNotifications,
        Meta(description="How people are told of budgets, burning objectives and releases."),
    ] = DeclaredNotifications()
    litellm_metric_names: Annotated[
        bool, Meta(description="Serve LiteLLM's metric names beside our own.")
    ] = False
