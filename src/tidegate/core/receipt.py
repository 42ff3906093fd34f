"""The Receipt: the one mutable thing in a request's life, frozen at settle.

None means unknown; 0 is data. Token classes are disjoint: `input_tokens` were neither read from
nor written to a cache, `output_tokens` exclude reasoning. Of these two so many are audio as
`audio_input_tokens` and `audio_output_tokens` say. On disk a receipt is one journal frame
(`core.frames`): MessagePack of the fields that are not at their default.
"""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from tidegate.core.arm import Arm, UnitKind
from tidegate.core.cache import ANSWERED, Outcome, Tier
from tidegate.core.earlier_cost import EarlierCost
from tidegate.core.frames import MAX_FRAME_BYTES, framed
from tidegate.core.guardrail import Hit
from tidegate.core.ladder import RungKind, RungReason
from tidegate.core.priority import Priority
from tidegate.core.probe import OWN, PROBE
from tidegate.core.purpose import BATCH_HOLD, PRODUCTION, is_production
from tidegate.core.setters import plain_setters

Endpoint = Literal[
    "chat",
    "completions",
    "embeddings",
    "count_tokens",
    "rerank",
    "moderations",
    "images",
    "image_edits",
    "image_variations",
    "speech",
    "transcriptions",
    "translations",
]
# What is sold by other units than the tokens of a text: core.metered.
METERED: Final[frozenset[Endpoint]] = frozenset(
    {
        *("rerank", "moderations", "images", "image_edits", "image_variations"),
        *("speech", "transcriptions", "translations"),
    }
)
# What makes no tokens, only reads some.
NO_OUTPUT: Final[frozenset[Endpoint]] = frozenset({"embeddings", "rerank", "moderations"})
# The dialect that nothing is said of: OpenAI's own endpoints.
OPENAI_CHAT = "openai_chat"
# What became of an answer. `valid` is said only where a contract was kept.
Validity = Literal[
    "valid",
    "truncated",
    "interrupted",
    "malformed",
    "schema_violation",
    "empty",
    "duplicate_terminator",
]
ModelRefusalExtent = Literal["none", "partial", "full"]
ModelRefusalReason = Literal["policy", "capability", "missing_information"]


@plain_setters
class Attempt(Struct, omit_defaults=True):
    """One call to one replica. Times are seconds since the request was accepted. `credential` is
    named where its target has several, by its reference in the plan. `validity` and the rest of the
    verdict are of this attempt's answer, as the receipt's own are of the last."""

    target: str
    replica: str
    started_s: float
    reused: bool = False
    connect_s: float | None = None
    sent_s: float | None = None
    ended_s: float | None = None
    status: int | None = None
    failure: str | None = None
    cost_nanousd: int | None = None
    credential: str | None = None
    validity: Validity | None = None
    violation_at_bytes: int | None = None
    violation_path: str | None = None
    violation_rule: str | None = None


class Hold(Struct, omit_defaults=True):
    """What one limit held for a request. `used` None while it is held, or counted as held."""

    limit: str
    scope: str
    amount: int
    used: int | None = None


@plain_setters
class Receipt(Struct, omit_defaults=True):
    """What one request was, what its user felt and what it cost.

    `most_nanousd` is there where nobody knows the cost and a price is known: what budgets count in
    its place, the most that it can have been. Costs are of all attempts, tokens of the last;
    of them `earlier_costs` was spent at other targets than the receipt's. `earlier_s` is what those
    before it and the pauses took.

    While a release is under way on the route, `rollout` names it and `arm` says what was assigned,
    whatever served in the end: `unit` is the place of the unit that was assigned (`core.arm`),
    `arm_forced` that something else than the salt chose at this weight: a file, a caller who
    may, or how the conversation began. A shadow's `shadow_of` is the request that it copies;
    nobody has had anything of its answer. `passed_over`: none of the route's own targets could
    be asked, and a fallback was the first. `rung` is the last of its route's ladder that it came
    to, `rung_reason` what led there; without one the route itself served, or failed.

    `prefix_saved_nanousd` is what the provider's cache saved of the last attempt's input, less what
    writes to it cost beyond plain input. It is only there where something was read or written.

    `cache` says what was looked for among kept answers, `cache_from` whose answer it was, and
    `saved_nanousd` and `saved_s` what that had cost and taken. Nobody has made any token of it, so
    that those are absent. A `refresh` asks anew for what was stale: nobody waits for it. Of
    embeddings `cache_item_hits` of `cache_items` were kept. Of the semantic tier `cache_score` is
    the cosine of the nearest kept question, `cache_veto` what spoke against it, `cache_encode_s`
    how long its caller waited for a vector, `cache_semantic_s` for all that the tier did, a part of
    `cache_lookup_s`, and `cache_shadow_from` whose answer would have been given were it not for the
    veto, or for the route being in shadow.

    Of an eval's request `asked_digest` is of all that was said to the model, as it was sent: equal
    for the same question of the same version.

    Of what is no chat: so many `images` were made, of the size and quality that its provider told
    or else its caller asked for; so many seconds of audio were read (`audio_s`), characters spoken
    (`characters`), documents ranked (`documents`), and searches charged for that (`search_units`);
    of the tokens so many were of images. `output_bytes` is how long an answer was that is no text.

    `validity` None: no answer had begun, or nothing is known against it and nobody has checked.
    `violation_at_bytes` is the offset in the content at which it stops being JSON,
    `violation_path` a JSON Pointer to what does not fit, `violation_rule` the keyword that says so,
    and `bytes_before_violation` how much of the content had been passed on when it was found.

    `guardrails` are what those of the route found and did, as many as `core.guardrail` says.
    """

    id: str
    started_at_s: float
    gateway: str
    endpoint: Endpoint
    plan_version: int = 0
    key_id: str | None = None
    team: str | None = None
    customer: str | None = None
    end_user: str | None = None
    environment: str | None = None
    purpose: str = PRODUCTION
    priority: Priority = "standard"
    attributes: dict[str, str] | None = None
    trace_id: str | None = None
    session_id: str | None = None
    conversation: int | None = None
    prompt_fingerprint: str | None = None
    asked_digest: str | None = None
    client_request_id: str | None = None
    retry_count: int | None = None

    route: str | None = None
    release: str | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    rollout: str | None = None
    arm: Arm | None = None
    unit: int | None = None
    unit_kind: UnitKind | None = None
    arm_forced: bool = False
    shadow_of: str | None = None
    cache: Outcome | None = None
    cache_tier: Tier | None = None
    cache_age_s: float | None = None
    cache_lookup_s: float | None = None
    cache_from: str | None = None
    cache_items: int | None = None
    cache_item_hits: int | None = None
    cache_score: float | None = None
    cache_veto: str | None = None
    cache_encode_s: float | None = None
    cache_semantic_s: float | None = None
    cache_shadow_from: str | None = None
    saved_nanousd: int | None = None
    saved_s: float | None = None
    passed_over: bool = False
    rung: str | None = None
    rung_kind: RungKind | None = None
    rung_reason: RungReason | None = None
    target: str | None = None
    provider: str | None = None
    replica: str | None = None
    dialect: str = OPENAI_CHAT
    dropped: list[str] = []
    model_asked: str | None = None
    model_wanted: str | None = None
    model_served: str | None = None
    model_fingerprint: str | None = None
    provider_request_id: str | None = None
    stream: bool = False

    input_bytes: int | None = None
    output_ceiling_tokens: int | None = None
    choices: int = 1
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    service_tier: str | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    images: int | None = None
    image_size: str | None = None
    image_quality: str | None = None
    audio_s: float | None = None
    characters: int | None = None
    documents: int | None = None
    search_units: int | None = None
    output_bytes: int | None = None
    tokens_estimated: bool = False
    usage_conflict: bool = False

    cost_nanousd: int | None = None
    most_nanousd: int | None = None
    earlier_costs: list[EarlierCost] | None = None
    prefix_saved_nanousd: int | None = None
    price_version: str | None = None

    gateway_s: float | None = None
    queue_s: float | None = None
    connect_s: float | None = None
    first_token_s: float | None = None
    generation_s: float | None = None
    earlier_s: float | None = None
    retrieval_s: float | None = None
    tool_s: float | None = None
    ttft_s: float | None = None
    itl_mean_s: float | None = None
    itl_max_s: float | None = None
    output_tokens_per_s: float | None = None
    total_s: float | None = None
    content_chunks: int = 0

    status: int | None = None
    finish_reason: str | None = None
    interrupted: bool = False
    cancelled_by: Literal["client", "deadline", "gateway"] | None = None
    error_code: str | None = None
    error_fault: str | None = None
    error_message: str | None = None
    surplus_events: int = 0
    validity: Validity | None = None
    violation_at_bytes: int | None = None
    violation_path: str | None = None
    violation_rule: str | None = None
    bytes_before_violation: int | None = None
    model_refusal: ModelRefusalExtent | None = None
    model_refusal_reason: ModelRefusalReason | None = None
    guardrails: list[Hit] = []
    refused_by: str | None = None
    over_limits: list[str] = []
    holds: list[Hold] = []
    attempts: list[Attempt] = []

    @property
    def is_own(self) -> bool:
        """Whether it is the gateway's own request, which no budget, objective or error figure of
        anybody counts. A key may have that purpose too: what comes with a key counts."""
        return self.key_id is None and self.purpose in OWN

    @property
    def is_hold(self) -> bool:
        """Whether it is no request, but what a batch holds of its budgets until its results are
        settled: as `most_nanousd`, and the same below 0 once it has ended."""
        return self.purpose == BATCH_HOLD

    @property
    def is_probe(self) -> bool:
        return self.key_id is None and self.purpose == PROBE

    @property
    def is_production(self) -> bool:
        """Whether somebody used us by it: what objectives, error budgets and releases count."""
        if self.shadow_of is not None or self.arm == "shadow" or self.cache == "refresh":
            return False
        purpose = self.purpose
        return purpose == PRODUCTION or is_production(purpose, has_key=self.key_id is not None)

    @property
    def is_kept_answer(self) -> bool:
        """Whether its answer was kept from an earlier request: nobody was asked."""
        return self.cache in ANSWERED

    @property
    def session(self) -> str | None:
        """The session that its caller named; else its end user's, or its conversation's."""
        if self.session_id is not None:
            return self.session_id
        if self.end_user is not None:
            return f"user-{self.end_user}"
        return None if self.conversation is None else f"conversation-{self.conversation:x}"

    @property
    def total_input_tokens(self) -> int | None:
        """All input, whatever its class; None when the plain class is unknown."""
        if self.input_tokens is None:
            return None
        return self.input_tokens + (self.cache_read_tokens or 0) + (self.cache_write_tokens or 0)

    @property
    def tells_prefix(self) -> bool:
        """Whether its provider told what of the input its cache had, be it nothing."""
        return self.cache_read_tokens is not None or self.cache_write_tokens is not None

    @property
    def touches_prefix(self) -> bool:
        """Whether any of its input was read from its provider's cache or written to it."""
        return bool(self.cache_read_tokens or self.cache_write_tokens)


SEGMENT_MAGIC = b"TGJ1"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Receipt).decode


def encode_frame(receipt: Receipt) -> bytes:
    """The receipt's journal frame, of at most MAX_FRAME_BYTES.

    What would not fit goes without the fields that somebody else can make long.
    """
    payload = _encode(receipt)
    if len(payload) > MAX_FRAME_BYTES:
        payload = _encode(
            msgspec.structs.replace(receipt, attributes=None, attempts=[], error_message=None)
        )
    return framed(payload)


def decode_payload(payload: bytes) -> Receipt:
    """The receipt inside one frame's payload. msgspec.DecodeError when it is none."""
    return _decode(payload)
