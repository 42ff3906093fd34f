"""`control` of the plan file."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.address import Listen
from tidegate.core.declared_notifications import DeclaredNotifications
from tidegate.core.declared_scalars import BaseUrl
from tidegate.core.plan import SecretRef


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
    notifications: Annotated[
        DeclaredNotifications,
        Meta(description="How people are told of budgets, burning objectives and releases."),
    ] = DeclaredNotifications()
    litellm_metric_names: Annotated[
        bool, Meta(description="Serve LiteLLM's metric names beside our own.")
    ] = False
