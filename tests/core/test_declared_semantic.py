"""What a plan file says of a semantic tier is what gateways obey."""

from msgspec.structs import fields

from tidegate.config.load import compile_file
from tidegate.core.cache import RouteCache, SemanticCache
from tidegate.core.declared_cache import DeclaredCache
from tidegate.core.declared_semantic import DeclaredSemantic

FILE = """
providers:
  vllm: {base_url: "http://127.0.0.1:8000/v1"}
routes:
  small:
    target: vllm/m
    cache:
      semantic:
        mode: on
        encoder: minilm
        prefilter: wordllama
        threshold: 0.91
        target: 97%
        ttl: 10m
        max_entry: 64KB
        max: 1MB
        deterministic: any
        scope: key
"""


def test_defaults_are_the_plan_s_own() -> None:
    found = DeclaredCache(semantic=DeclaredSemantic()).cache()
    assert found == RouteCache(None, SemanticCache())
    assert found.semantic is not None
    assert found.semantic.mode == "shadow", "nothing is given before somebody has looked"


def test_everything_that_can_be_written_is_obeyed() -> None:
    written = {field.name for field in fields(DeclaredSemantic)}
    # What it was learnt with is not written: a threshold by hand was learnt with nothing.
    assert written == {field.name for field in fields(SemanticCache)} - {"learnt_with"}
    found = compile_file(FILE.encode(), {}, 1, 1.0)
    assert found.plan is not None, found.problems
    assert found.plan.routes["small"].cache == RouteCache(
        None,
        SemanticCache(
            *("on", "minilm", "wordllama", 0.91, 0.97),
            *(600.0, 64_000, 1_000_000, "any", "key"),
        ),
    )
