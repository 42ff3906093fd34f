"""A route's cache: from what is declared to what requests obey."""

from msgspec.structs import replace

from tidegate.core.assemble import Path, Say
from tidegate.core.cache import ChunksCache, ExactCache, RouteCache, SemanticCache
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_storage import DeclaredStorage
from tidegate.core.learnt import LearntThreshold, with_learnt


def compile_cache(
    route: DeclaredRoute,
    storage: DeclaredStorage,
    learnt: LearntThreshold | None,
    path: Path,
    say: Say,
) -> RouteCache | None:
    """None where nothing is kept. What could never work, or would tell strangers, is said."""
    cache = None if route.cache is None else route.cache.cache()
    if cache is None or cache == RouteCache():
        return None
    exact, semantic = cache.exact, cache.semantic
    if exact is not None and exact.public and exact.scope != "route":
        say(
            (*path, "exact", "public"),
            f"with `scope: {exact.scope}` answers are not for everybody, and who stands in front "
            "would give them to anybody; write `scope: route` too, or remove `public`",
        )
    for one, at in ((exact, "exact"), (semantic, "semantic"), (cache.chunks, "chunks")):
        if one is not None:
            _check_entry(one, (*path, at), say)
    if semantic is not None and semantic.prefilter == semantic.encoder:
        say(
            (*path, "semantic", "prefilter"),
            "it is the encoder itself, which would only be asked twice; remove it",
        )
    for tier, bounds in cache.tiers():
        if bounds.store == "shared" and storage.limits is None:
            say(
                (*path, tier, "store"),
                "there is no shared store; write the address of a Redis or Valkey below "
                "`storage.limits`, or `store: memory`",
            )
    return replace(cache, semantic=None if semantic is None else with_learnt(semantic, learnt))


def _check_entry(tier: ExactCache | SemanticCache | ChunksCache, at: Path, say: Say) -> None:
    if tier.max_entry_bytes > tier.max_bytes:
        say((*at, "max_entry"), "one answer may be longer than all that is kept together, `max`")
