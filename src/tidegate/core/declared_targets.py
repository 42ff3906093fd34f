"""`targets` of the plan file."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_batches import DeclaredBatch
from tidegate.core.declared_metrics import DeclaredMetrics
from tidegate.core.declared_prices import DeclaredPrice
from tidegate.core.declared_probes import DeclaredProbe
from tidegate.core.declared_providers import DeclaredDeadlines
from tidegate.core.declared_scalars import BaseUrl, Name, Seconds, Text
from tidegate.core.model_facts import Modality, Purpose
from tidegate.core.plan import Queueing
from tidegate.core.resilience import Breaker
from tidegate.core.secret import SecretRef

MediaTokens = Annotated[int, Meta(ge=1, le=10_000_000)]
Places = Annotated[int, Meta(ge=1, le=10_000_000)]
_QUEUEING: Final = Queueing()
_BREAKER: Final = Breaker()


class DeclaredQueueing(Struct, frozen=True, omit_defaults=True):
    """How many requests a gateway process gives the target at once, and how the others wait."""

    max_in_flight: Annotated[
        Places | None,
        Meta(
            description="So many at once, always. Default: learnt from how long first tokens take."
        ),
    ] = None
    adaptive_min: Annotated[
        Places | None, Meta(description="The learnt number is never below this. Default: 1.")
    ] = None
    adaptive_max: Annotated[
        Places | None,
        Meta(
            description="The learnt number is never above this. Default: as many as there may be "
            "connections."
        ),
    ] = None
    max_waiting: Annotated[
        int,
        Meta(
            ge=0, le=100_000, description="Requests in line; beyond, the lowest class is refused."
        ),
    ] = _QUEUEING.max_waiting
    max_wait_s: Annotated[
        Seconds, Meta(description="A longer wait, expected or actual, is refused.")
    ] = _QUEUEING.max_wait_s
    tenant_weights: Annotated[
        dict[Text, Annotated[float, Meta(ge=0.001, le=1000)]],
        Meta(
            description="Shares of a class, by `team` or `team/customer`, as far as requests have "
            "to wait. Default: 1 each."
        ),
    ] = {}


class DeclaredBreaker(Struct, frozen=True, omit_defaults=True):
    """When a replica, or a credential, of the target is left alone for a while."""

    failures: Annotated[
        int, Meta(ge=1, le=1000, description="So many in a row, within `window_s`.")
    ] = _BREAKER.failures
    window_s: Annotated[Seconds, Meta(description="The time in which `failures` have to come.")] = (
        _BREAKER.window_s
    )
    open_s: Annotated[
        Seconds, Meta(description="How long it is left alone before one request tries it again.")
    ] = _BREAKER.open_s
    max_ejected_percent: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="Of several replicas and credentials, at most so many are left alone at "
            "once, and at least one may be.",
        ),
    ] = _BREAKER.max_ejected_percent
    when_all_open: Annotated[
        Literal["try", "refuse"],
        Meta(
            description="When nothing else can serve a request: it is sent all the same, or "
            "refused at once."
        ),
    ] = _BREAKER.when_all_open


class DeclaredAdapter(Struct, frozen=True, omit_defaults=True):
    """A LoRA adapter of the target's model, which its engine has loaded: a target of its own."""

    name: Annotated[
        Text,
        Meta(description="As the engine knows it; llama.cpp's are numbers (`/lora-adapters`)."),
    ]
    scale: Annotated[
        float | None,
        Meta(ge=0, le=100, description="How much of it, where the engine is told. Default: 1."),
    ] = None
    price: Annotated[
        DeclaredPrice | None, Meta(description="As of a target. Default: that of its model.")
    ] = None


class DeclaredFacts(Struct, frozen=True, omit_defaults=True):
    """What a target's model takes and can do. What is left out here is as published, or unknown."""

    inputs: Annotated[
        tuple[Modality, ...] | None,
        Meta(
            min_length=1,
            description="All kinds of content that a prompt may hold; a request with another is "
            "refused before it is sent.",
        ),
    ] = None
    serves: Annotated[
        Purpose | None,
        Meta(
            description="What it is for: a chat model is asked for no embeddings and rankings, and "
            "the others for nothing else."
        ),
    ] = None
    tools: Annotated[
        bool | None, Meta(description="Whether it calls tools; `false` refuses requests with them.")
    ] = None
    json_schema: Annotated[
        bool | None,
        Meta(description="Whether it keeps to a JSON Schema; `false` refuses requests with one."),
    ] = None
    output_tokens: Annotated[
        int | None,
        Meta(
            ge=1,
            le=1_000_000_000,
            description="The most that it writes; a request for more is sent with this ceiling.",
        ),
    ] = None
    retires_on: Annotated[
        str | None,
        Meta(
            pattern=r"^\d{4}-\d{2}-\d{2}$",
            description="The day from which it is not served any more, as 2027-03-31: people are "
            "told of it 90 and 30 days before.",
        ),
    ] = None


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
    facts: Annotated[
        DeclaredFacts, Meta(description="What the model takes and can do. Default: as published.")
    ] = DeclaredFacts()
    tokenizer: Annotated[
        Literal["o200k", "cl100k", "llama3", "qwen3"] | None,
        Meta(
            description="The exact tokenizer, to count where the provider does not. Default: "
            "the bound by bytes, labelled as estimated. Its vocabulary takes up to 55 MB of every "
            "gateway process."
        ),
    ] = None
    image_tokens: Annotated[
        MediaTokens | None,
        Meta(
            description="The most tokens of one image in a prompt, which limits and budgets hold. "
            "Default: by the rule that the model's provider has published, else 50,000."
        ),
    ] = None
    file_tokens: Annotated[
        MediaTokens | None,
        Meta(
            description="The most tokens of one file or film in a prompt. Default: "
            "`context_tokens`, else 1,000,000."
        ),
    ] = None
    hidden_reasoning: Annotated[
        bool | None,
        Meta(
            description="Whether the model thinks without showing it: the cost of an answer that "
            "ended before its usage came is unknown. Default: by the model's name."
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
    api_keys: Annotated[
        tuple[Annotated[SecretRef, Meta(extra={"read": "secret"})], ...],
        Meta(
            description="Several credentials that share the requests, in place of `api_key`. One "
            "that is refused or throttled rests."
        ),
    ] = ()
    breaker: Annotated[
        DeclaredBreaker, Meta(description="When a part of the target is left alone for a while.")
    ] = DeclaredBreaker()
    probe: Annotated[
        Literal["none"] | DeclaredProbe | None,
        Meta(
            description="Synthetic requests that tell whether the target can serve. Default: its "
            "provider's; `none` where that has one and this target is not to be probed."
        ),
    ] = None
    metrics: Annotated[
        Literal["none"] | DeclaredMetrics | None,
        Meta(
            description="Where its replicas tell of their queue and cache. Default: its "
            "provider's; `none` where they are not to be asked."
        ),
    ] = None
    batch: Annotated[
        Literal["none"] | DeclaredBatch | None,
        Meta(
            description="Files of requests that its provider takes. Default: taken where the "
            "provider's kind is known to have them; `none` where this target takes none."
        ),
    ] = None
    adapters: Annotated[
        dict[Name, Annotated[DeclaredAdapter, Meta(extra={"shorthand": "name"})]],
        Meta(
            description="LoRA adapters that its engine serves, by the names of the targets that "
            "they are. They share its places, connections and replicas, and what else is said of "
            "it here."
        ),
    ] = {}
    provisioned: Annotated[
        bool,
        Meta(
            description="Throughput that is paid for whether it is used or not: a route with "
            "several targets fills this one first, and spills over to the others."
        ),
    ] = False
    max_connections: Annotated[
        int, Meta(ge=1, le=100_000, description="Connections to one replica, a gateway process.")
    ] = 512
    queueing: Annotated[
        DeclaredQueueing, Meta(description="What happens when more is asked than it can serve.")
    ] = DeclaredQueueing()


def adapters_of(
    targets: Mapping[str, DeclaredTarget],
) -> dict[str, tuple[str, DeclaredAdapter]]:
    """All adapters by the names of the targets that they are, each with the target it is of."""
    return {
        name: (of, adapter)
        for of, target in targets.items()
        for name, adapter in target.adapters.items()
    }
