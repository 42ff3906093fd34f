"""What a route keeps of its answers, and for whom: the plan's side of the answer cache.

Tiers are asked in turn. Each has a key that holds everything by which answers may differ, so that
nothing that has changed is ever asked for again.
"""

from collections.abc import Iterator
from typing import Final, Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

# Which requests may be answered alike: those that say that they want the same each time, or any.
Deterministic = Literal["required", "any"]
# Who shares an answer: a team's customer, one key, or everybody who may use the route.
Scope = Literal["tenant", "key", "route"]
Where = Literal["memory", "disk", "shared"]
Mode = Literal["shadow", "on"]
Tier = Literal["exact", "semantic", "embeddings", "chunks"]
# What a lookup came to. `joined`: the same was being asked already, and both have its answer.
# `bypass`: it was not looked for. `partial`: some of its items were kept, and the others asked for.
Outcome = Literal["hit", "stale", "joined", "miss", "bypass", "refresh", "partial"]
# Of a vector; longer than a list of 4,096 numbers with all their digits.
MOST_VECTOR_BYTES: Final = 128 * 1024
ANSWERED: Final[frozenset[str | None]] = frozenset({"hit", "stale", "joined"})


class ExactCache(Struct, frozen=True, omit_defaults=True):
    """Answers to requests that are the same in everything that a model hears of.

    An answer is fresh for `ttl_s`. For `stale_s` more it is given away while one request asks anew,
    and for `stale_if_error_s` more where nobody else has an answer. `max_bytes` bounds what a route
    keeps, in each gateway's memory or in the shared store. `public`: what stands in front of the
    gateway may keep answers too, for anybody. For `stale_rung_s` after it was fresh a rung of the
    route's ladder may give an answer.
    """

    ttl_s: float = 3600.0
    stale_s: float = 0.0
    stale_if_error_s: float = 0.0
    max_entry_bytes: int = 256 * 1024
    max_bytes: int = 64 * 1024 * 1024
    deterministic: Deterministic = "required"
    scope: Scope = "tenant"
    store: Where = "memory"
    public: bool = False
    stale_rung_s: float = 0.0

    @property
    def old_s(self) -> float:
        """How long after it was fresh an answer is of any use."""
        return max(self.stale_s, self.stale_if_error_s, self.stale_rung_s)

    @property
    def keep_s(self) -> float:
        """How long an answer is of any use."""
        return self.ttl_s + self.old_s


class SemanticCache(Struct, frozen=True, omit_defaults=True):
    """Answers to questions that mean the same, as `encoder` and the veto see it.

    `threshold` is the least cosine that is taken for the same; None: nothing was learnt, so that
    nothing is given. In mode `shadow` what would have been given is only noted. `target` is the
    precision whose lower 95 % bound a learnt threshold keeps to. `prefilter` is a fast encoder that
    says first whether anything is near at all. `learnt_with` names what a learnt threshold was
    learnt with (`core.learnt.made_with`); with anything else there is none.
    """

    mode: Mode = "shadow"
    encoder: str = "minilm"
    prefilter: str | None = None
    threshold: float | None = None
    target: float = 0.95
    ttl_s: float = 3600.0
    max_entry_bytes: int = 256 * 1024
    max_bytes: int = 64 * 1024 * 1024
    deterministic: Deterministic = "required"
    scope: Scope = "tenant"
    store: Where = "memory"
    learnt_with: str | None = None

    def at(self, threshold: float, learnt_with: str) -> "SemanticCache":
        """With a threshold that was learnt."""
        return replace(self, threshold=threshold, learnt_with=learnt_with)


class EmbeddingsCache(Struct, frozen=True, omit_defaults=True):
    """Vectors, each of one item of `/v1/embeddings`, for `ttl_s`."""

    ttl_s: float = 86_400.0
    max_bytes: int = 64 * 1024 * 1024
    scope: Scope = "tenant"
    store: Where = "memory"

    @property
    def max_entry_bytes(self) -> int:
        return MOST_VECTOR_BYTES


class ChunksCache(Struct, frozen=True, omit_defaults=True):
    """What applications keep themselves, such as what a search has found, for `ttl_s` at most."""

    ttl_s: float = 3600.0
    max_entry_bytes: int = 256 * 1024
    max_bytes: int = 64 * 1024 * 1024
    scope: Scope = "tenant"
    store: Where = "memory"


class Bounds(Protocol):
    """What any tier says of what it keeps."""

    @property
    def ttl_s(self) -> float: ...

    @property
    def max_bytes(self) -> int: ...

    @property
    def max_entry_bytes(self) -> int: ...

    @property
    def store(self) -> Where: ...


class RouteCache(Struct, frozen=True, omit_defaults=True):
    """The tiers of a route; None is off. All of its answers may be invalidated by its `tags`."""

    exact: ExactCache | None = None
    semantic: SemanticCache | None = None
    embeddings: EmbeddingsCache | None = None
    chunks: ChunksCache | None = None
    tags: tuple[str, ...] = ()

    def tiers(self) -> Iterator[tuple[Tier, Bounds]]:
        """Those that keep something."""
        if self.exact is not None:
            yield "exact", self.exact
        if self.semantic is not None:
            yield "semantic", self.semantic
        if self.embeddings is not None:
            yield "embeddings", self.embeddings
        if self.chunks is not None:
            yield "chunks", self.chunks
