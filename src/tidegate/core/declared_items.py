"""`cache.embeddings` and `cache.chunks` of a route: what is kept by the item."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from tidegate.core.cache import ChunksCache, EmbeddingsCache, Scope, Where
from tidegate.core.declared_scalars import Size

_VECTORS: Final = EmbeddingsCache()
_CHUNKS: Final = ChunksCache()
# A month. A vector is the same until its model is another.
MOST_KEPT_S: Final = 30 * 86_400.0
_Kept = Annotated[float, Meta(gt=0, le=MOST_KEPT_S, extra={"read": "duration"})]
# A reply of the shared store is read whole.
_MOST_ENTRY_BYTES: Final = 1024 * 1024


class DeclaredEmbeddings(Struct, frozen=True, omit_defaults=True):
    """Vectors of `/v1/embeddings`: those that are kept are given again, the others are asked
    for."""

    ttl_s: Annotated[_Kept, Meta(description="How long a vector is kept.")] = field(
        default=_VECTORS.ttl_s, name="ttl"
    )
    max_bytes: Annotated[
        Size, Meta(description="The most that is kept of the route, as with `exact`.")
    ] = field(default=_VECTORS.max_bytes, name="max")
    scope: Annotated[
        Scope,
        Meta(
            description="Who shares a vector: each team's customer (`tenant`), each key, or "
            "everybody who may use the route."
        ),
    ] = _VECTORS.scope
    store: Annotated[Where, Meta(description="`memory`, `disk` or `shared`, as with `exact`.")] = (
        _VECTORS.store
    )

    def embeddings(self) -> EmbeddingsCache:
        """What gateways obey."""
        return EmbeddingsCache(self.ttl_s, self.max_bytes, self.scope, self.store)


class DeclaredChunks(Struct, frozen=True, omit_defaults=True):
    """What applications put and get themselves, such as what a search has found."""

    ttl_s: Annotated[
        _Kept, Meta(description="The longest that an entry is kept; its own may be less.")
    ] = field(default=_CHUNKS.ttl_s, name="ttl")
    max_entry_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=_MOST_ENTRY_BYTES,
            extra={"read": "size"},
            description="The longest value that is kept.",
        ),
    ] = field(default=_CHUNKS.max_entry_bytes, name="max_entry")
    max_bytes: Annotated[
        Size, Meta(description="The most that is kept of the route, as with `exact`.")
    ] = field(default=_CHUNKS.max_bytes, name="max")
    scope: Annotated[
        Scope,
        Meta(
            description="Who shares an entry: each team's customer (`tenant`), each key, or "
            "everybody who may use the route."
        ),
    ] = _CHUNKS.scope
    store: Annotated[Where, Meta(description="`memory`, `disk` or `shared`, as with `exact`.")] = (
        _CHUNKS.store
    )

    def chunks(self) -> ChunksCache:
        """What gateways obey."""
        return ChunksCache(self.ttl_s, self.max_entry_bytes, self.max_bytes, self.scope, self.store)
