"""What was seen of requests beside another gateway, and what that gateway's ledger says of them."""

from typing import Final, Literal, get_args

from msgspec import Struct

# front: between applications and the gateway. back: between the gateway and its providers.
Side = Literal["front", "back"]
# whole: to its proper end. cut: it ended before that, or never began. left: whoever asked has gone.
# refused: a status that is no answer. unseen: a copy of a request, whose answer nobody saw.
End = Literal["whole", "cut", "left", "refused", "unseen"]
Kind = Literal[
    "lost",
    "unrecorded_call",
    "cut_as_success",
    "counted_twice",
    "cached_twice",
    "more_tokens",
    "fewer_tokens",
    "unattributed",
    "unpriced",
    "other_cost",
    "unseen_row",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Observed(Struct, frozen=True, omit_defaults=True):
    """One request that was seen. None is what nobody told.

    `key` is the SHA-256, in hexadecimal, of the key that came with it, as LiteLLM stores its own:
    the key itself is nowhere. `answer_id` is the id that the answer has in its body, `call_id` what
    the gateway told of it in its headers. `input_tokens` are all of the prompt's, those that were
    read from a cache or written to it among them.
    """

    id: str
    side: Side
    at_s: float
    path: str
    end: End
    took_s: float | None = None
    status: int | None = None
    model: str | None = None
    stream: bool = False
    key: str | None = None
    answer_id: str | None = None
    call_id: str | None = None
    model_served: str | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def told(self) -> bool:
        """Whether its answer said how many tokens it had."""
        return self.input_tokens is not None


class LedgerRow(Struct, frozen=True, omit_defaults=True):
    """One row of the other gateway's ledger. `model` is what callers asked for, `sold` what its
    provider was asked for. `succeeded` None: it does not say. `lacks` are questions that a ledger
    without such a column says nothing of: `status`, `tokens`, `money`, `names`."""

    id: str
    at_s: float
    call_id: str | None = None
    succeeded: bool | None = None
    spend_nanousd: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    key: str | None = None
    team: str | None = None
    user: str | None = None
    end_user: str | None = None
    model: str | None = None
    provider: str | None = None
    sold: str | None = None
    api_base: str | None = None
    from_cache: bool = False
    lacks: tuple[str, ...] = ()


class Finding(Struct, frozen=True):
    """What is wrong in one way: how often, by how many tokens and how much money, the first ids.
    Tokens and money are what the ledger has too much (or, below 0, too little); None is unknown."""

    kind: Kind
    count: int
    tokens: int | None
    nanousd: int | None
    examples: tuple[str, ...]


class AuditReport(Struct, frozen=True):
    """What an audit found between two wall-clock times. `judged` are rows whose answer told its
    tokens, as they do; what could not be compared is counted, never taken for right. `lacks` as of
    a row; by `skew_s` the ledger's clock is ahead of the tap's, None where no two could be held
    together. `priced` are rows whose money was held against a published price."""

    since_s: float
    until_s: float
    observed: int
    rows: int
    matched: int
    judged: int
    spend_nanousd: int
    findings: tuple[Finding, ...]
    lacks: tuple[str, ...] = ()
    skew_s: float | None = None
    priced: int = 0
