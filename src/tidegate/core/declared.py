"""The declared plan: what `tidegate.yaml` says after interpolation, units normalised.

These classes are the plan file's grammar: the reader walks YAML by them, the JSON Schema and
the reference of all keys are printed from them. `Meta.description` is a key's documentation,
`extra["read"]` names the reading of a scalar that is more than its JSON type:

- `size` (bytes), `duration` (seconds), `usd` (exact decimal dollars), `secret` (a reference),
  `path` (counted from the plan file), `name` (of a provider or target), `route`, `header`, `url`,
  `listen`, `host`, `origin`

`extra["shorthand"]` names the field that a plain text stands for.
"""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from tidegate.core.address import Listen
from tidegate.core.plan import HttpBounds, JournalBounds, SecretRef

NO_CREDENTIAL = SecretRef()  # `api_key: none`, as distinct from a key that is not written
EVERY_ROUTE = "*"
MAX_SECONDS = 86_400.0
MAX_USD = Decimal(1_000_000)
_HTTP = HttpBounds()
_JOURNAL = JournalBounds()
_MAX_BYTES = 1 << 40

Name = Annotated[str, Meta(extra={"read": "name"}, max_length=64)]
RouteName = Annotated[str, Meta(extra={"read": "route"}, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=1024)]
BaseUrl = Annotated[str, Meta(extra={"read": "url"})]
Seconds = Annotated[float, Meta(gt=0, le=MAX_SECONDS, extra={"read": "duration"})]
Size = Annotated[int, Meta(ge=1024, le=_MAX_BYTES, extra={"read": "size"})]
Usd = Annotated[Decimal, Meta(extra={"read": "usd"})]
Rate = Annotated[float, Meta(gt=0, le=1e12)]


class DeclaredDeadlines(Struct, frozen=True, omit_defaults=True):
    """Bounds of one attempt. A target's value goes before its provider's, then the default."""

    connect_s: Annotated[
        Seconds | None, Meta(description="To open a connection. Default 2 seconds.")
    ] = None
    first_token_s: Annotated[
        Seconds | None,
        Meta(description="From sending the request to the first content. Default 60 seconds."),
    ] = None
    gap_s: Annotated[
        Seconds | None,
        Meta(description="Between two pieces of a streamed answer. Default 30 seconds."),
    ] = None
    total_s: Annotated[
        Seconds | None, Meta(description="From sending to the end. Default 600 seconds.")
    ] = None


class TokenPrice(Struct, frozen=True, omit_defaults=True):
    """What the tokens of a target cost, in dollars a million tokens (at most 9 decimals).

    A class that is not written is charged as its parent: cache reads and writes as input,
    reasoning as output.
    """

    input_usd_per_mtok: Annotated[Usd | None, Meta(description="Plain input.")] = None
    output_usd_per_mtok: Annotated[Usd | None, Meta(description="Output.")] = None
    cache_read_usd_per_mtok: Annotated[
        Usd | None, Meta(description="Input read from the provider's prefix cache.")
    ] = None
    cache_write_usd_per_mtok: Annotated[
        Usd | None, Meta(description="Input written to the provider's prefix cache.")
    ] = None
    reasoning_usd_per_mtok: Annotated[Usd | None, Meta(description="Reasoning.")] = None
    request_usd: Annotated[Usd | None, Meta(description="Each request, beside its tokens.")] = None


class GpuPrice(Struct, frozen=True, omit_defaults=True):
    """What the tokens of your own engine cost, from what its GPUs cost and how fast it is.

    Dollars a token = gpus x gpu_hour_usd / 3600 / tokens a second.
    """

    gpu_hour_usd: Annotated[Usd, Meta(description="Price of one GPU for one hour, in dollars.")]
    input_tokens_per_s: Annotated[
        Rate, Meta(description="Input tokens a second that all the GPUs together prefill.")
    ]
    output_tokens_per_s: Annotated[
        Rate, Meta(description="Output tokens a second that all the GPUs together decode.")
    ]
    gpus: Annotated[int, Meta(ge=1, le=1_000_000, description="How many GPUs serve it.")] = 1


DeclaredPrice = Literal["free"] | TokenPrice | GpuPrice


class DeclaredProvider(Struct, frozen=True, omit_defaults=True):
    """One account at a provider, or one engine of yours."""

    kind: Annotated[
        str | None,
        Meta(
            description="The wire dialect: a file in `providers/`. Default: the provider's own "
            "name, where there is such a file."
        ),
    ] = None
    base_url: Annotated[
        BaseUrl | None,
        Meta(description="Address before `/chat/completions`. Default: the dialect's, if any."),
    ] = None
    api_key: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Where the credential is found: `${NAME}` (or `os.environ/NAME`), "
            "`file:/path`, or `none`. Never the secret itself.",
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        Meta(extra={"read": "path"}, description="Certificates (PEM) of a private CA to trust."),
    ] = None
    headers: Annotated[
        dict[Annotated[str, Meta(extra={"read": "header"})], Text],
        Meta(description="Extra headers on every request to this provider."),
    ] = {}
    deadlines: Annotated[
        DeclaredDeadlines, Meta(description="Bounds of one attempt at this provider.")
    ] = DeclaredDeadlines()


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


class DeclaredStorage(Struct, frozen=True, omit_defaults=True):
    """Where receipts, keys and journals lie, and for how long."""

    dir: Annotated[
        str,
        Meta(
            extra={"read": "path"},
            description="The state directory; a relative path counts from the plan file.",
        ),
    ] = ".tidegate"
    retention_days: Annotated[
        int, Meta(ge=1, le=3660, description="Days that receipts stay in the ledger.")
    ] = 90
    durability: Annotated[
        Literal["process", "disk", "store"],
        Meta(
            description="What an answer's last byte waits for: `process` (the journal write, "
            "safe against kill -9), `disk` (fsync), `store` (the ledger)."
        ),
    ] = _JOURNAL.durability
    journal_max_bytes: Annotated[
        Size,
        Meta(description="Journal size, a gateway, at which new paid work is refused."),
    ] = field(default=_JOURNAL.max_bytes, name="journal_max")
    segment_bytes: Annotated[Size, Meta(le=1 << 30, description="Size of one journal segment.")] = (
        field(default=_JOURNAL.segment_bytes, name="segment")
    )


class DeclaredTls(Struct, frozen=True):
    """The certificate that a listener shows."""

    cert_file: Annotated[str, Meta(extra={"read": "path"}, description="Certificate chain, PEM.")]
    key_file: Annotated[str, Meta(extra={"read": "path"}, description="Private key, PEM.")]


class DeclaredHttp(Struct, frozen=True, omit_defaults=True):
    """Bounds on what a client may send and how slowly."""

    max_body_bytes: Annotated[Size, Meta(description="Largest request body.")] = (
        _HTTP.max_body_bytes
    )
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
    drain_s: Annotated[
        Seconds, Meta(description="How long open requests may finish after SIGTERM.")
    ] = 30.0


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


class Declared(Struct, frozen=True, omit_defaults=True):
    """A Tidegate plan file."""

    providers: Annotated[
        dict[Name, DeclaredProvider], Meta(description="Accounts at providers, engines of yours.")
    ] = {}
    targets: Annotated[
        dict[Name, DeclaredTarget], Meta(description="Models at providers or engine pools.")
    ] = {}
    routes: Annotated[
        dict[RouteName, Annotated[DeclaredRoute, Meta(extra={"shorthand": "target"})]],
        Meta(description="What applications call, by the name they send as `model`."),
    ] = {}
    unpriced: Annotated[
        Literal["refuse", "allow"],
        Meta(
            description="Whether a hosted model whose price nobody knows is refused, or allowed "
            "and its cost stored as unknown."
        ),
    ] = "refuse"
    keys: Annotated[DeclaredKeys, Meta(description="Defaults of new keys.")] = DeclaredKeys()
    storage: Annotated[DeclaredStorage, Meta(description="Ledger, journals and keys.")] = (
        DeclaredStorage()
    )
    gateway: Annotated[
        DeclaredGateway, Meta(description="The processes that serve applications.")
    ] = DeclaredGateway()
    control: Annotated[
        DeclaredControl, Meta(description="The control API, for operators only.")
    ] = DeclaredControl()
