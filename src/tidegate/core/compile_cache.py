"""A route's cache: from what is declared to what requests obey."""

from tidegate.core.assemble import Path, Say
from tidegate.core.cache import RouteCache
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_storage import DeclaredStorage


def compile_cache(
    route: DeclaredRoute, storage: DeclaredStorage, path: Path, say: Say
) -> RouteCache | None:
    """None where nothing is kept. What could never work, or would tell strangers, is said."""
    cache = None if route.cache is None else route.cache.cache()
    exact = None if cache is None else cache.exact
    if exact is None:
        return None
    at = (*path, "exact")
    if exact.max_entry_bytes > exact.max_bytes:
        say((*at, "max_entry"), "one answer may be longer than all that is kept together, `max`")
    if exact.public and exact.scope != "route":
        say(
            (*at, "public"),
            f"with `scope: {exact.scope}` answers are not for everybody, and who stands in front "
            "would give them to anybody; write `scope: route` too, or remove `public`",
        )
    if exact.store == "shared" and storage.limits is None:
        say(
            (*at, "store"),
            "there is no shared store; write the address of a Redis or Valkey below "
            "`storage.limits`, or `store: memory`",
        )
    return cache
