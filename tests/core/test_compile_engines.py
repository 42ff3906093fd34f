import pytest
from tests.core.plans import URL, compiled, declared

from tidegate.core.compile import PlanRefused
from tidegate.core.compile_engines import compile_engines
from tidegate.core.declared_metrics import DeclaredMetrics
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.engine_signals import EnginePage
from tidegate.core.secret import SecretRef

ENGINES = ["engine", "vllm"]
KEY = SecretRef(env="PAGE_KEY")


def engines(metrics=None, provider=None, known=ENGINES):
    targets = {"llama": DeclaredTarget("engine", "m", price="free", metrics=metrics)}
    providers = {"engine": DeclaredProvider(base_url=URL, metrics=provider)}
    plan = declared(targets=targets, providers=providers)
    said = []
    plain = DeclaredTarget("engine", "m", price="free")
    compiled_targets = compiled(declared(targets={"llama": plain})).targets
    found = compile_engines(plan, compiled_targets, known, lambda *it: said.append(it))
    return found.get("llama"), said


def test_a_kind_that_is_an_engine_s_is_asked_by_default():
    assert engines() == (EnginePage("engine"), [])
    assert engines(known=["vllm"]) == (None, [])


def test_a_target_s_own_goes_before_its_provider_s_and_none_is_none():
    above, own = DeclaredMetrics(port=9000), DeclaredMetrics(engine="vllm", path="/m")
    assert engines(provider=above)[0] == EnginePage("engine", 9000)
    assert engines(own, above)[0] == EnginePage("vllm", None, "/m")
    assert engines("none", above) == (None, [])
    assert engines(None, "none") == (None, [])


def test_one_that_is_written_out_on_its_route_is_found_there():
    target = DeclaredTarget("engine", "m", price="free", metrics=DeclaredMetrics("vllm"))
    plan = compiled(declared(targets={}, routes={"chat": DeclaredRoute(target)}))
    assert plan.engines == {"chat": EnginePage("vllm")}


def test_a_page_may_want_a_key_in_a_header_of_its_own():
    keyed = DeclaredMetrics(api_key=KEY, header="X-API-Key")
    assert engines(keyed) == (EnginePage("engine", api_key=KEY, header="X-API-Key"), [])
    assert engines(DeclaredMetrics(api_key=SecretRef())) == (EnginePage("engine"), [])


def test_a_target_that_no_route_reaches_is_not_asked():
    idle = DeclaredTarget("engine", "m", price="free", metrics=DeclaredMetrics("vllm"))
    used = DeclaredTarget("engine", "n", price="free")
    assert compiled(declared(targets={"llama": used, "idle": idle})).engines == {}


@pytest.mark.parametrize(
    ("metrics", "known", "path", "words"),
    [
        (DeclaredMetrics("vlm"), ENGINES, ("engine",), 'no engine "vlm"; did you mean "vllm"?'),
        (DeclaredMetrics(port=9), ["vllm"], (), "write `engine:` with one of: vllm"),
        (DeclaredMetrics(path="metrics"), ENGINES, ("path",), "for example /metrics"),
        (DeclaredMetrics(path="/a b"), ENGINES, ("path",), "for example /metrics"),
        (DeclaredMetrics(header="X-Key"), ENGINES, ("header",), "no `api_key`"),
        (DeclaredMetrics(header="a b", api_key=KEY), ENGINES, ("header",), "not the name"),
        (DeclaredMetrics(header="Host", api_key=KEY), ENGINES, ("header",), "is written by who"),
    ],
)
def test_what_cannot_be_asked_is_said_where_it_stands(metrics, known, path, words):
    found, [(where, message)] = engines(metrics, known=known)
    assert found is None
    assert where == ("targets", "llama", "metrics", *path)
    assert words in message


def test_a_plan_with_a_mistake_is_refused():
    wrong = DeclaredTarget("engine", "m", price="free", metrics=DeclaredMetrics("nothing"))
    with pytest.raises(PlanRefused, match=r"targets\.llama\.metrics\.engine"):
        compiled(declared(targets={"llama": wrong}))
