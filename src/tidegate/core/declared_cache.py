"""`cache` of a route: which of its answers are kept to be given again."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from tidegate.core.cache import Deterministic, ExactCache, RouteCache, Scope, Where
from tidegate.core.cache_labels import MOST_CHARS, MOST_TAGS
from tidegate.core.declared_items import DeclaredChunks, DeclaredEmbeddings
from tidegate.core.declared_scalars import MAX_SECONDS, Seconds, Size
from tidegate.core.declared_semantic import MOST_ENTRY_BYTES, DeclaredSemantic
from tidegate.core.declared_worth import DeclaredWorth

_DEFAULT: Final = ExactCache()
_More = Annotated[float, Meta(ge=0, le=MAX_SECONDS, extra={"read": "duration"})]


Tag = Annotated[str, Meta(min_length=1, max_length=MOST_CHARS, pattern=r"^[^\s,]+$")]


class DeclaredExact(Struct, frozen=True, omit_defaults=True):
    """The same request, the same answer: whole, valid answers are given again to whoever asks the
    same of the same release."""

    ttl_s: Annotated[Seconds, Meta(description="How long an answer is fresh.")] = field(
        default=_DEFAULT.ttl_s, name="ttl"
    )
    stale_s: Annotated[
        _More,
        Meta(description="So much longer it is given, while one request asks for a new one."),
    ] = field(default=_DEFAULT.stale_s, name="stale_while_revalidate")
    stale_if_error_s: Annotated[
        _More, Meta(description="So much longer it is given where no target has an answer.")
    ] = field(default=_DEFAULT.stale_if_error_s, name="stale_if_error")
    max_entry_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=MOST_ENTRY_BYTES,
            extra={"read": "size"},
            description="The longest answer that is kept.",
        ),
    ] = field(default=_DEFAULT.max_entry_bytes, name="max_entry")
    max_bytes: Annotated[
        Size,
        Meta(
            description="The most that is kept of the route: in each gateway's memory, where the "
            "least recently used goes first, or in the shared store, where what would expire "
            "soonest does."
        ),
    ] = field(default=_DEFAULT.max_bytes, name="max")
    deterministic: Annotated[
        Deterministic,
        Meta(
            description="Which requests: those with `temperature: 0` and a `seed`, or any. A "
            "request that its caller sends to have another answer has to say `no-cache` then."
        ),
    ] = _DEFAULT.deterministic
    scope: Annotated[
        Scope,
        Meta(
            description="Who shares an answer: each team's customer (`tenant`), each key, or "
            "everybody who may use the route."
        ),
    ] = _DEFAULT.scope
    store: Annotated[
        Where,
        Meta(
            description="`memory` of each gateway process; `disk`: that, and a file which outlives "
            "the process, in the state directory; or `shared`: the Redis or Valkey of "
            "`storage.limits`."
        ),
    ] = _DEFAULT.store
    public: Annotated[
        bool,
        Meta(
            description="Whether answers say `cache-control: public`, for a CDN in front. Only "
            "with `scope: route`."
        ),
    ] = _DEFAULT.public

    def exact(self) -> ExactCache:
        """What gateways obey."""
        return ExactCache(
            self.ttl_s,
            self.stale_s,
            self.stale_if_error_s,
            self.max_entry_bytes,
            self.max_bytes,
            self.deterministic,
            self.scope,
            self.store,
            self.public,
        )


class DeclaredCache(Struct, frozen=True, omit_defaults=True):
    """What a route keeps of its answers."""

    exact: Annotated[
        DeclaredExact | None, Meta(description="Answers to the same request. Default: off.")
    ] = None
    semantic: Annotated[
        DeclaredSemantic | None,
        Meta(description="Answers to questions that mean the same. Default: off."),
    ] = None
    embeddings: Annotated[
        DeclaredEmbeddings | None,
        Meta(description="Vectors, by the item of a batch. Default: off."),
    ] = None
    chunks: Annotated[
        DeclaredChunks | None,
        Meta(description="What applications keep themselves. Default: off."),
    ] = None
    tags: Annotated[
        tuple[Tag, ...],
        Meta(
            max_length=MOST_TAGS,
            description="By these all that is kept of the route may be invalidated, with that of "
            "other routes that have them.",
        ),
    ] = ()
    worth: Annotated[
        DeclaredWorth,
        Meta(
            extra={"shorthand": "mode"},
            description="By what it is judged whether they pay, and what follows.",
        ),
    ] = DeclaredWorth()

    def cache(self) -> RouteCache:
        """What gateways obey."""
        return RouteCache(
            exact=None if self.exact is None else self.exact.exact(),
            semantic=None if self.semantic is None else self.semantic.semantic(),
            embeddings=None if self.embeddings is None else self.embeddings.embeddings(),
            chunks=None if self.chunks is None else self.chunks.chunks(),
            tags=self.tags,
        )
