"""The Plan: immutable, versioned, compiled whole; what every request obeys.

Credentials are references; the gateway that sends a request resolves them.
"""

from typing import Literal

from msgspec import Struct

from tidegate.core.arm import Lane, UnitKind
from tidegate.core.batches import Batches
from tidegate.core.cache import RouteCache
from tidegate.core.capture import Capture
from tidegate.core.database_ref import CounterStore, VectorStore
from tidegate.core.engine_signals import EnginePage
from tidegate.core.ladder import Rung
from tidegate.core.media import UNKNOWN_FILE_TOKENS, UNKNOWN_IMAGE_TOKENS
from tidegate.core.model_facts import ModelFacts
from tidegate.core.plan_callers import Issuer
from tidegate.core.price import Price
from tidegate.core.probe import Probe
from tidegate.core.prompt import RoutePrompt, Tagged
from tidegate.core.resilience import (
    Balance,
    Breaker,
    Deadlines,
    FailureClass,
    OnViolation,
    Retry,
)
from tidegate.core.secret import SecretRef


class Tls(Struct, frozen=True, omit_defaults=True):
    """How a provider's certificate is checked: a private CA beside or instead of the system's."""

    ca_file: str | None = None
    server_name: str | None = None


class Replica(Struct, frozen=True, omit_defaults=True):
    """One address of a target. `path` is the prefix before `/chat/completions`, as in `/v1`."""

    name: str
    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str


class Queueing(Struct, frozen=True, omit_defaults=True):
    """How many requests a target serves at once, in one gateway process, and how others wait.

    `max_in_flight` None learns the number, between `adaptive_min` and `adaptive_max` (None: as
    many as there may be connections). Weights are of `team` or `team/customer`; others have 1.
    """

    max_in_flight: int | None = None
    adaptive_min: int = 1
    adaptive_max: int | None = None
    max_waiting: int = 512
    max_wait_s: float = 10.0
    tenant_weights: tuple[tuple[str, float], ...] = ()


# How an engine is told of an adapter: in the model's place, behind it (`MODEL:NAME`), or by number
# in a member of its own.
AdapterForm = Literal["model", "suffix", "number"]


class Adapter(Struct, frozen=True, omit_defaults=True):
    """A LoRA adapter by its engine's name of it; `of` is the target of the model without it, which
    itself has one with a scale of 0 where its engine would else use what it has loaded."""

    name: str
    of: str
    scale: float = 1.0


class Target(Struct, frozen=True, omit_defaults=True):
    """One model at one provider or engine pool. `dialect` is the file in `providers/`.

    `image_tokens` and `file_tokens` are the most that one of a prompt's images and files can be.
    `hides_reasoning`: tokens are charged that no text of an answer tells of; `sums_up_reasoning`:
    so it is where a caller wants the model to think. `more_credentials` are used beside
    `credential`. `facts` are what is published or declared of the model, None where nothing is.
    `provisioned`: paid for whether it is used or not, so it is chosen before others that are not.
    With `batches` its provider takes files of requests. With an `adapter` it is that, on the model
    of another target, or that model without any.
    """

    name: str
    provider: str
    dialect: str
    model: str
    replicas: tuple[Replica, ...]
    credential: SecretRef | None = None
    price: Price | None = None
    unpriced_allowed: bool = False
    context_tokens: int | None = None
    tokenizer: str | None = None
    image_tokens: int = UNKNOWN_IMAGE_TOKENS
    file_tokens: int = UNKNOWN_FILE_TOKENS
    hides_reasoning: bool = False
    deadlines: Deadlines = Deadlines()
    headers: tuple[tuple[str, str], ...] = ()
    tls: Tls = Tls()
    max_connections: int = 512
    queueing: Queueing = Queueing()
    more_credentials: tuple[SecretRef, ...] = ()
    breaker: Breaker = Breaker()
    provisioned: bool = False
    sums_up_reasoning: bool = False
    batches: Batches | None = None
    facts: ModelFacts | None = None
    adapter: Adapter | None = None

    @property
    def pool(self) -> str:
        """The target whose places its requests take: its own, or its model's."""
        return self.name if self.adapter is None else self.adapter.of

    @property
    def credentials(self) -> tuple[SecretRef, ...]:
        return () if self.credential is None else (self.credential, *self.more_credentials)


class Share(Struct, frozen=True, omit_defaults=True):
    """A target that takes its part of a release's requests."""

    target: Target
    weight: float = 1.0


class Release(Struct, frozen=True, omit_defaults=True):
    """One versioned bundle that a route can serve: one target, or several that share the requests.

    `weight` is that of `target` among `others`.
    """

    name: str
    target: Target
    weight: float = 1.0
    others: tuple[Share, ...] = ()

    @property
    def shares(self) -> tuple[Share, ...]:
        return (Share(self.target, self.weight), *self.others)


class Contract(Struct, frozen=True, omit_defaults=True):
    """What an answer of a route must be, and what is done with one that is not.

    `json_schema` is a schema as JSON text. `tools`: calls fit the `tools` of their request.
    `max_chars` bounds an answer's content. `buffer` holds a stream back until it is known to fit.
    """

    json: bool = False
    json_schema: str | None = None
    tools: bool = False
    regex: str | None = None
    max_chars: int = 1_000_000
    on_violation: OnViolation = "mark"
    buffer: bool = False


class Candidate(Struct, frozen=True, omit_defaults=True):
    """A release on its way onto a route: what its requests obey, whose name is the route's own.

    The weight is not here but in the changes in force: without one it is 0. `units` are the kinds
    of unit that are looked for, in this order; `always` and `never` are keys, teams or customers
    whose requests are no part of the comparison. Without a `lane` all units may be its own.
    """

    rollout: str
    salt: str
    route: "Route"
    units: tuple[UnitKind, ...] = ("experiment", "user", "conversation", "key", "request")
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    shadow_nanousd: int = 0
    lane: Lane | None = None


# How long a provider that has to be told so caches the beginning of a prompt.
PrefixTtl = Literal["5m", "1h"]


class Route(Struct, frozen=True, omit_defaults=True):
    """What an application calls (the API's `model`).

    `fallbacks` are the targets that are asked, in this order, when those of the release have failed
    in that way. `drops_unsupported`: what a target cannot do is left out, and named, instead of
    refused. `parameters` are members of a request's body (JSON) that it has unless its caller said
    otherwise, `system_prompt` or what `prompt` comes to stands before the conversation.
    `candidate` is a release under way, `beside` a second one, `kept_warm` what the last ones
    replaced. `came_by` are the releases that this version came by, as long as they may be taken
    back, and `taken_back` those whose promotions were. With `capture` some of its requests are kept
    with what was said, with `cache` answers are, to be given again. `prefix_marks`: Claude is told
    to cache its prompts' beginnings for so long. `ladder` is what serves instead when the route
    itself cannot, and `rung_targets` what of it is asked.
    """

    name: str
    release: Release
    balance: Balance = "weighted"
    fallbacks: tuple[tuple[FailureClass, tuple[Target, ...]], ...] = ()
    retry: Retry = Retry()
    drops_unsupported: bool = False
    contract: Contract | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    system_prompt: str | None = None
    prompt: RoutePrompt | None = None
    candidate: Candidate | None = None
    beside: Candidate | None = None
    kept_warm: tuple[Target, ...] = ()
    came_by: tuple[str, ...] = ()
    taken_back: tuple[str, ...] = ()
    capture: Capture | None = None
    prefix_marks: PrefixTtl | None = None
    cache: RouteCache | None = None
    ladder: tuple[Rung, ...] = ()
    rung_targets: tuple[Target, ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target that may serve it, each once; the release's first."""
        pool = [share.target for share in self.release.shares]
        beyond = [target for _, targets in self.fallbacks for target in targets]
        return tuple({target.name: target for target in (*pool, *beyond)}.values())

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The releases that are under way on it."""
        return tuple(it for it in (self.candidate, self.beside) if it is not None)

    @property
    def reachable(self) -> tuple[Target, ...]:
        """`targets`, and those of its ladder, of its candidates and of what it keeps warm, each
        once."""
        coming = (target for one in self.candidates for target in one.route.targets)
        every = (*self.targets, *self.rung_targets, *coming, *self.kept_warm)
        return tuple({target.name: target for target in every}.values())


class HttpBounds(Struct, frozen=True):
    """Bounds on what a client may send and how slowly. Bytes and seconds."""

    max_body_bytes: int = 32 * 1024 * 1024
    max_file_bytes: int = 200 * 1024 * 1024
    max_response_bytes: int = 64 * 1024 * 1024
    header_timeout_s: float = 10.0
    body_timeout_s: float = 60.0
    idle_timeout_s: float = 75.0
    write_timeout_s: float = 30.0
    max_connections: int = 10_000
    max_connections_per_ip: int = 2_000
    keepalive_comment_s: float = 15.0


class JournalBounds(Struct, frozen=True):
    """What the journal promises and how far it may grow before paid work is refused."""

    durability: Literal["process", "disk", "store"] = "process"
    segment_bytes: int = 16 * 1024 * 1024
    max_bytes: int = 1024 * 1024 * 1024


# A lifetime never ends: what was spent stays spent.
PeriodUnit = Literal["hour", "day", "week", "month", "quarter", "year", "lifetime"]


class Raise(Struct, frozen=True):
    """So much more of a limit until a date (wall-clock seconds), when it ends by itself.

    `scope` has a value for each dimension of the limit's scope, whose counter alone it raises; ()
    raises them all.
    """

    extra: int
    until_s: float
    scope: tuple[tuple[str, str], ...] = ()


class Limit(Struct, frozen=True, omit_defaults=True):
    """One limit in force. `kind` is the file in `limits/`, a budget's is `spend`.

    `scope` names the dimensions (`core.limit`) that each have a counter of their own; () is one
    counter for everything. `only` restricts it to requests with these values. A request in which
    a dimension of `scope` is unknown is not counted. `amount` is requests, tokens, calls or
    nano-dollars; what the fields below it mean is the kind's. `raises` come on top of it. Where
    `openings` is another, what was spent elsewhere before is: it is read anew. Where a budget
    `degrades`, ladders of routes look at it.
    """

    name: str
    kind: str
    amount: int
    scope: tuple[str, ...] = ()
    only: tuple[tuple[str, str], ...] = ()
    per_s: float | None = None
    unit: PeriodUnit | None = None
    time_zone: str = "UTC"
    burst: int | None = None
    count: Literal["input", "output", "total"] = "total"
    cached_weight: float = 1.0
    on_excess: Literal["refuse", "cap", "alert"] = "refuse"
    alert_percents: tuple[int, ...] = ()
    raises: tuple[Raise, ...] = ()
    openings: int = 0
    degrades: bool = False


class Plan(Struct, frozen=True, omit_defaults=True):
    """Everything that a request obeys. `version` rises with each accepted plan.

    `assumed_output_tokens` stands for the output of a request whose caller has set no limit.
    `session_alert_tokens` in five minutes of one session are told; 0 tells of none.
    `counters` None counts in each gateway's memory, `vectors` None has shared vectors where
    `counters` are. `probes` and `engines` are by the names of
    their targets, `prompts` by their own. `callers` are whose tokens are taken in a key's place.
    """

    version: int
    digest: str
    compiled_at_s: float
    routes: dict[str, Route]
    http: HttpBounds = HttpBounds()
    journal: JournalBounds = JournalBounds()
    limits: tuple[Limit, ...] = ()
    assumed_output_tokens: int = 4096
    session_alert_tokens: int = 50_000
    drain_s: float = 30.0
    counters: CounterStore | None = None
    vectors: VectorStore | None = None
    probes: dict[str, Probe] = {}
    engines: dict[str, EnginePage] = {}
    prompts: dict[str, Tagged] = {}
    callers: tuple[Issuer, ...] = ()

    @property
    def targets(self) -> dict[str, Target]:
        """Every target that a route may reach, by its name."""
        return {target.name: target for route in self.routes.values() for target in route.reachable}
