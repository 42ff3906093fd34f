"""What a plan file says of kept items is what gateways obey."""

from msgspec.structs import fields
from tests.core.plans import complaints, declared

from tidegate.config.load import compile_file
from tidegate.core.cache import ChunksCache, EmbeddingsCache, RouteCache
from tidegate.core.declared_cache import DeclaredCache
from tidegate.core.declared_items import DeclaredChunks, DeclaredEmbeddings
from tidegate.core.declared_routes import DeclaredRoute

FILE = """
providers:
  vllm: {base_url: "http://127.0.0.1:8000/v1"}
routes:
  small:
    target: vllm/m
    cache:
      embeddings: {ttl: 7d, max: 1MB, scope: key}
      chunks: {ttl: 10m, max_entry: 64KB, max: 1MB, scope: route}
"""


def test_defaults_are_the_plan_s_own() -> None:
    found = DeclaredCache(embeddings=DeclaredEmbeddings(), chunks=DeclaredChunks()).cache()
    assert found == RouteCache(embeddings=EmbeddingsCache(), chunks=ChunksCache())
    assert [tier for tier, _ in found.tiers()] == ["embeddings", "chunks"]


def test_everything_that_can_be_written_is_obeyed() -> None:
    for declares, obeyed in ((DeclaredEmbeddings, EmbeddingsCache), (DeclaredChunks, ChunksCache)):
        assert {it.name for it in fields(declares)} == {it.name for it in fields(obeyed)}
    found = compile_file(FILE.encode(), {}, 1, 1.0)
    assert found.plan is not None, found.problems
    assert found.plan.routes["small"].cache == RouteCache(
        embeddings=EmbeddingsCache(604_800.0, 1_000_000, "key"),
        chunks=ChunksCache(600.0, 64_000, 1_000_000, "route"),
    )


def test_what_could_never_work_is_said() -> None:
    cache = DeclaredCache(
        embeddings=DeclaredEmbeddings(store="shared"),
        chunks=DeclaredChunks(max_entry_bytes=4096, max_bytes=2048, store="shared"),
    )
    said = complaints(declared(routes={"chat": DeclaredRoute("llama", cache=cache)}))
    at = "routes.chat.cache"
    assert sorted(said) == [
        f"{at}.chunks.max_entry",
        f"{at}.chunks.store",
        f"{at}.embeddings.store",
    ]
