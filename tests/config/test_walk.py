from decimal import Decimal

import pytest

from tidegate.config.problem import Mark
from tidegate.config.tree import read_tree
from tidegate.config.walk import Walked, walk
from tidegate.core.address import Listen
from tidegate.core.declared import Declared
from tidegate.core.declared_prices import GpuPrice, TokenPrice
from tidegate.core.declared_targets import DeclaredTarget


def walked(text: str, environ: dict[str, str] | None = None, folder: str = "") -> Walked:
    root, problems = read_tree(text.encode(), "f")
    assert root is not None and problems == []
    return walk(root, Declared, "f", environ or {}, folder)


def value(text: str, environ: dict[str, str] | None = None) -> Declared:
    found = walked(text, environ)
    assert found.problems == []
    assert isinstance(found.value, Declared)
    return found.value


def target(rest: str) -> DeclaredTarget:
    return value(f"targets: {{t: {{provider: p, model: m, {rest}}}}}").targets["t"]


def test_an_empty_mapping_is_all_defaults():
    assert value("{}") == Declared()


def test_what_stands_for_an_absent_section_is_each_plan_s_own():
    value("{}").targets["t"] = DeclaredTarget("p", "m")
    assert value("{}").targets == {}


def test_units_are_normalised():
    declared = value(
        "gateway: {listen: '[::1]:1', drain_s: 2m, http: {max_body_bytes: 2KiB}}\n"
        "keys: {expires_after: 1d}\n"
        "storage: {journal_max: 1GB}\n"
    )
    assert declared.gateway.listen == Listen("::1", 1)
    assert declared.gateway.drain_s == 120.0
    assert declared.gateway.http.max_body_bytes == 2048
    assert declared.keys.expires_after_s == 86400.0
    assert declared.storage.journal_max_bytes == 10**9


def test_a_route_is_a_text_or_a_mapping():
    declared = value("routes: {a: x/y, b: {target: z}, c: {target: {provider: p, model: m}}}")
    assert declared.routes["a"].target == "x/y"
    assert declared.routes["b"].target == "z"
    assert declared.routes["c"].target == DeclaredTarget("p", "m")


def test_replicas_are_a_list_or_a_mapping():
    assert target("replicas: ['http://a']").replicas == ("http://a",)
    assert target("replicas: {x: 'http://a'}").replicas == {"x": "http://a"}


def test_a_price_is_told_by_its_keys():
    assert target("price: free").price == "free"
    tokens = target("price: {input_usd_per_mtok: 0.1}").price
    assert tokens == TokenPrice(input_usd_per_mtok=Decimal("0.1"))
    gpu = "price: {gpu_hour_usd: 2.5, input_tokens_per_s: 10, output_tokens_per_s: 1e0}"
    assert target(gpu).price == GpuPrice(Decimal("2.5"), 10.0, 1.0)


def test_variables_fill_numbers_and_text():
    declared = value(
        "gateway: {processes: '${N}', listen: 'os.environ/L'}\ncontrol: {litellm_metric_names: "
        "'${YES:-true}'}",
        {"N": "3", "L": "0.0.0.0:1"},
    )
    assert declared.gateway.processes == 3
    assert declared.gateway.listen == Listen("0.0.0.0", 1)
    assert declared.control.litellm_metric_names is True


def test_a_credential_is_never_resolved():
    found = value("providers: {p: {api_key: '${KEY}'}}", {"KEY": "sk-secret"})
    assert "sk-secret" not in repr(found)
    assert found.providers["p"].api_key is not None and found.providers["p"].api_key.env == "KEY"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("postgresql://a:${KEY}@db/x", "postgresql://a:${KEY}@db/x"),
        ("${KEY}", "${KEY}"),
        ("file:db.txt", "file:/etc/db.txt"),
    ],
)
def test_the_address_of_a_database_keeps_its_references(written, told):
    text = f"storage: {{database: '{written}'}}"
    found = walked(text, {"KEY": "sk-secret"}, folder="/etc")
    assert str(found.value.storage.database) == told
    assert "sk-secret" not in repr(found.value)


def test_a_password_in_the_plan_is_refused_and_not_repeated():
    [problem] = walked("storage: {database: 'postgresql://a:hush@db/x'}").problems
    assert "a password does not stand in a plan" in str(problem) and "hush" not in str(problem)


def test_a_variable_in_a_message_is_shown_as_written():
    found = walked("gateway: {processes: '${KEY}'}", {"KEY": "sk-secret"})
    assert "sk-secret" not in str(found.problems[0]) and "${KEY}" in str(found.problems[0])


def test_each_value_knows_its_line_and_its_variables():
    found = walked("routes:\n  chat: ${P:-a}/${M}\n", {"M": "m"})
    origin = found.origins["routes", "chat", "target"]
    assert (origin.mark, origin.sources) == (Mark(2, 9), ("default of $P", "$M"))


def test_what_cannot_be_read_is_spoiled_and_the_rest_is_read():
    found = walked("gateway: {processes: x, drain_s: 5}")
    assert found.spoiled == {("gateway", "processes")}
    assert found.value.gateway.drain_s == 5.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gatewy: {}", 'gatewy: unknown key; did you mean "gateway"?'),
        ("gateway: 5", 'gateway: expected a mapping; found the number "5"'),
        ("gateway: {processes: 1.5}", "processes: expected a whole number"),
        ("gateway: {processes: '5'}", "without quotes"),
        ("gateway: {processes: }", "expected a whole number; found nothing"),
        ("gateway: {drain_s: 0}", 'drain_s: it must be above 0; found "0"'),
        ("unpriced: [a]", "expected `refuse` or `allow`; found a list"),
        ("keys: {team: no}", 'found the truth value "no"; put it in quotes'),
        ("keys: {attributes: {a: 1}}", "put it in quotes"),
        ("routes: {a: {provider: x}}", "it belongs below `target`"),
        ("routes: {a: [x]}", "expected a mapping, or text that stands for its `target`"),
        ("providers: {p: {api_key: [x]}}", "expected a reference to a secret; found a list"),
        (
            "targets: {t: {provider: p, model: m, price: 1}}",
            "expected `free` or a mapping; found the number",
        ),
        ("targets: {t: {provider: p, model: m, price: []}}", "or a mapping; found a list"),
    ],
)
def test_a_wrong_value_says_what_was_expected_and_found(text, said):
    assert said in " | ".join(str(p) for p in walked(text).problems)


def test_paths_count_from_the_folder_and_absolute_ones_stay():
    folder = "/etc/tidegate"
    assert walked("{}", folder=folder).value.storage.dir == "/etc/tidegate/.tidegate"
    assert walked("storage: {dir: /var/x}", folder=folder).value.storage.dir == "/var/x"
