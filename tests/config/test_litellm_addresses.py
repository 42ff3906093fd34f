"""Where deployments are asked that name no address, or one in other words."""

from pathlib import Path

import pytest
from tests.config.litellm_rig import compiled, converted, draft

from tidegate.config.moving import Finding


def asked(folder: Path, params: str) -> tuple[dict[str, str], list[Finding]]:
    text = f"model_list:\n- {{model_name: m, litellm_params: {{{params}}}}}"
    one = converted(folder, text)
    assert compiled(one.plan).problems == ()
    [provider] = draft(one)["providers"].values()
    return provider, one.findings


@pytest.mark.parametrize(
    ("model", "address"),
    [
        ("azure/gpt-4o", "${AZURE_API_BASE}"),
        ("databricks/dbrx", "${DATABRICKS_API_BASE}"),
        ("litellm_proxy/gpt-4o", "${LITELLM_PROXY_API_BASE}"),
    ],
)
def test_without_an_address_it_is_read_from_the_variable_as_there(
    tmp_path: Path, model: str, address: str
) -> None:
    provider, findings = asked(tmp_path, f"model: {model}")
    assert provider["base_url"] == address
    assert any(it.fate == "changed" and it.ours == address for it in findings)


def test_older_names_of_a_place_at_google_s_count_as_well(tmp_path: Path) -> None:
    provider, _ = asked(
        tmp_path, "model: vertex_ai/gemini-2.5-pro, vertex_ai_project: p, vertex_ai_location: e-w1"
    )
    assert "//e-w1-aiplatform" in provider["base_url"] and "/projects/p/" in provider["base_url"]


def test_a_place_that_nobody_has_said_is_told_of(tmp_path: Path) -> None:
    _, findings = asked(tmp_path, "model: vertex_ai/gemini-2.5-pro, vertex_project: p")
    assert any("us-central1" in it.ours and it.fate == "changed" for it in findings)


def test_what_fills_the_file_in_is_a_variable_and_no_secret(tmp_path: Path) -> None:
    provider, findings = asked(
        tmp_path, "model: openai/m, api_key: '${KEY}', api_base: '${BASE:-http://h:1/v1}'"
    )
    assert provider["api_key"] == "${KEY}"
    assert provider["base_url"] == "${BASE:-http://h:1/v1}"
    assert sum(it.ours == "a variable" for it in findings) == 2


@pytest.mark.parametrize(
    ("model", "theirs", "ours"),
    [
        ("anthropic/claude-haiku-4-5", "https://api.anthropic.com", "https://api.anthropic.com/v1"),
        ("anthropic/claude-haiku-4-5", "https://a/v1/messages", "https://a/v1"),
        ("anthropic/claude-haiku-4-5", "os.environ/A_BASE", "${A_BASE}/v1"),
        ("huggingface/tgi", "http://t:80/", "http://t:80/v1"),
        ("ollama/llama3", "http://o:1", "http://o:1/v1"),
        ("openai/m", "http://own", "http://own"),
    ],
)
def test_a_version_that_litellm_adds_itself_is_in_the_plan(
    tmp_path: Path, model: str, theirs: str, ours: str
) -> None:
    provider, _ = asked(tmp_path, f"model: {model}, api_base: '{theirs}'")
    assert provider["base_url"] == ours
