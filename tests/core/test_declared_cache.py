"""What a plan file says of kept answers is what gateways obey."""

from msgspec.structs import fields

from tidegate.config.load import compile_file
from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.declared_cache import DeclaredCache, DeclaredExact

FILE = """
providers:
  vllm: {base_url: "http://127.0.0.1:8000/v1"}
routes:
  small:
    target: vllm/m
    cache:
      exact:
        ttl: 10m
        stale_while_revalidate: 30s
        stale_if_error: 1h
        max_entry: 64KB
        max: 1MB
        deterministic: any
        scope: key
"""


def test_defaults_are_the_plan_s_own() -> None:
    assert DeclaredCache(DeclaredExact()).cache() == RouteCache(ExactCache())
    assert DeclaredCache().cache() == RouteCache()


def test_everything_that_can_be_written_is_obeyed() -> None:
    written = {field.name for field in fields(DeclaredExact)}
    of_ladders = {"stale_rung_s"}  # a rung says it
    assert written == {field.name for field in fields(ExactCache)} - of_ladders
    found = compile_file(FILE.encode(), {}, 1, 1.0)
    assert found.plan is not None, found.problems
    assert found.plan.routes["small"].cache == RouteCache(
        ExactCache(600.0, 30.0, 3600.0, 64_000, 1_000_000, "any", "key")
    )
