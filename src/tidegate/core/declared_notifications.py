"""`control.notifications` of the plan file."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from tidegate.core.address import Listen
from tidegate.core.declared_scalars import BaseUrl, Name, RouteName, Text
from tidegate.core.notice import Severity, Topic
from tidegate.core.secret import SecretRef


class DeclaredWay(Struct, frozen=True, omit_defaults=True):
    """One way to tell people. Which of the keys from `url` on it reads is its kind's; others are
    refused. It is told what fits all of `topics`, `severities` and `routes`."""

    kind: Annotated[str, Meta(description="A file in `actuators/`.")]
    topics: Annotated[
        tuple[Topic, ...], Meta(description="What it is told of. Default: everything.")
    ] = ()
    severities: Annotated[
        tuple[Severity, ...],
        Meta(
            description="How grave it must be: `page` (somebody has to look now), `ticket` (soon), "
            "`info`. Default: any."
        ),
    ] = ()
    routes: Annotated[
        tuple[RouteName, ...],
        Meta(description="Only what is of one of these routes. Default: of any route, or none."),
    ] = ()
    url: Annotated[
        BaseUrl | None, Meta(description="Where it is told. Default: the kind's own, if any.")
    ] = None
    secret: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Where its secret is found: the whole address of Slack's incoming "
            "webhook or, with a `channel`, a bot's token, PagerDuty's routing key, the key that a "
            "webhook's posts are signed with, "
            "Alertmanager's bearer token, the mail server's password.",
        ),
    ] = None
    channel: Annotated[
        Text | None,
        Meta(
            description="Slack's channel, by its id, that a bot posts to and keeps up to date. "
            "Default: the one of the incoming webhook."
        ),
    ] = None
    private: Annotated[
        bool | None,
        Meta(
            description="Whether its address may be private or this machine's own: 10.0.0.5, "
            "localhost. Default: false."
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        Meta(extra={"read": "path"}, description="Certificates (PEM) of a private CA to trust."),
    ] = None
    server: Annotated[
        Listen | None,
        Meta(extra={"read": "listen"}, description="The mail server, as in smtp.example.com:587."),
    ] = None
    tls: Annotated[
        Literal["starttls", "implicit", "none"] | None,
        Meta(description="How mail is encrypted on its way. Default: `starttls`."),
    ] = None
    user: Annotated[Text | None, Meta(description="Who logs in at the mail server.")] = None
    sender: Annotated[Text | None, Meta(description="The address that mail is from.")] = field(
        default=None, name="from"
    )
    to: Annotated[tuple[Text, ...], Meta(description="The addresses that mail goes to.")] = ()


class DeclaredNotifications(Struct, frozen=True, omit_defaults=True):
    """How people are told of budgets, burning objectives and releases."""

    source: Annotated[
        Text, Meta(description="What this Tidegate is called there, as in `production`.")
    ] = "tidegate"
    ways: Annotated[dict[Name, DeclaredWay], Meta(description="How people are told, by name.")] = {}
