"""`gateway` of the plan file."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.address import Listen
from tidegate.core.declared_scalars import Quantity, Seconds, Size
from tidegate.core.plan import HttpBounds

_HTTP = HttpBounds()


class DeclaredTls(Struct, frozen=True):
    """The certificate that a listener shows."""

    cert_file: Annotated[str, Meta(extra={"read": "path"}, description="Certificate chain, PEM.")]
    key_file: Annotated[str, Meta(extra={"read": "path"}, description="Private key, PEM.")]


class DeclaredHttp(Struct, frozen=True, omit_defaults=True):
    """Bounds on what a client may send and how slowly."""

    max_body_bytes: Annotated[Size, Meta(description="Largest request body.")] = (
        _HTTP.max_body_bytes
    )
    max_file_bytes: Annotated[
        Size,
        Meta(
            description="Largest file of requests (`/v1/files`). Beyond 256 KiB it waits on disk; "
            "four times as much may wait at once."
        ),
    ] = _HTTP.max_file_bytes
    max_response_bytes: Annotated[
        Size, Meta(description="Largest answer that is read from a provider.")
    ] = _HTTP.max_response_bytes
    header_timeout_s: Annotated[Seconds, Meta(description="To receive a request's head.")] = (
        _HTTP.header_timeout_s
    )
    body_timeout_s: Annotated[Seconds, Meta(description="To receive a request's body.")] = (
        _HTTP.body_timeout_s
    )
    idle_timeout_s: Annotated[
        Seconds, Meta(description="That a connection may stay open without a request.")
    ] = _HTTP.idle_timeout_s
    write_timeout_s: Annotated[
        Seconds, Meta(description="That a client may take to read what is waiting for it.")
    ] = _HTTP.write_timeout_s
    max_connections: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Open client connections, a gateway process.")
    ] = _HTTP.max_connections
    max_connections_per_ip: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Open connections of one client address.")
    ] = _HTTP.max_connections_per_ip
    keepalive_comment_s: Annotated[
        Seconds, Meta(description="Silence in a stream after which a comment keeps it open.")
    ] = _HTTP.keepalive_comment_s


class DeclaredGateway(Struct, frozen=True, omit_defaults=True):
    """The processes that serve applications."""

    listen: Annotated[
        Listen, Meta(extra={"read": "listen"}, description="Address that applications call.")
    ] = Listen("127.0.0.1", 4000)
    processes: Annotated[
        int, Meta(ge=1, le=256, description="Gateway processes; each keeps one core busy.")
    ] = 1
    tls: Annotated[
        DeclaredTls | None, Meta(description="Serve HTTPS with this certificate. Default: HTTP.")
    ] = None
    http: Annotated[DeclaredHttp, Meta(description="Bounds of the HTTP server.")] = DeclaredHttp()
    assumed_output_tokens: Annotated[
        Quantity,
        Meta(
            le=1_000_000_000,
            description="Output that limits and budgets hold for a request that sets no ceiling.",
        ),
    ] = 4096
    session_alert_tokens: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000_000,
            extra={"read": "quantity"},
            description="Tokens that one session may use in five minutes before it is told of; "
            "0 tells of none.",
        ),
    ] = 50_000
    drain_s: Annotated[
        Seconds, Meta(description="How long open requests may finish after SIGTERM.")
    ] = 30.0
