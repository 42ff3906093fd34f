import pytest

from tidegate.config.load import compile_file
from tidegate.core.engine_signals import EnginePage

PLAN = """
providers: {{gpu: {{kind: openai_compatible, base_url: "http://h:1/v1", metrics: {metrics}}}}}
routes: {{chat: {{target: {{provider: gpu, model: m, price: free}}}}}}
"""


def found(metrics: str) -> tuple[dict[str, EnginePage] | None, list[str]]:
    compiled = compile_file(PLAN.format(metrics=metrics).encode(), {}, 1, 1_795_000_000.0)
    plan = compiled.plan
    return None if plan is None else plan.engines, [str(one) for one in compiled.problems]


def test_an_engine_and_where_it_is() -> None:
    assert found("{engine: sglang}") == ({"chat": EnginePage("sglang")}, [])
    page = EnginePage("tgi", 9100, "/stats")
    assert found("{engine: tgi, port: 9100, path: /stats}") == ({"chat": page}, [])
    assert found("none") == ({}, [])


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ("{engine: sglang, port: 0}", "port"),
        ("{engine: sglang, port: 65536}", "port"),
        ("{engin: sglang}", 'did you mean "engine"'),
        ("{port: 80}", "write `engine:` with one of"),
        ("off", "metrics"),
    ],
)
def test_what_is_wrong_is_said(metrics: str, words: str) -> None:
    plan, problems = found(metrics)
    assert plan is None
    assert any(words in problem for problem in problems), problems
