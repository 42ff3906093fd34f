"""What deployments share by the name of a credential is each one's own."""

from pathlib import Path

from tests.config.litellm_rig import compiled, converted, draft

LISTED = """
model_list:
- {model_name: gpt, litellm_params: {model: azure/gpt-4o, litellm_credential_name: eu}}
- model_name: own
  litellm_params: {model: azure/gpt-4o, litellm_credential_name: eu, api_key: os.environ/OWN}
- {model_name: other, litellm_params: {model: openai/gpt-4o, litellm_credential_name: lost}}
credential_list:
- credential_name: eu
  credential_values:
    {api_key: os.environ/EU, api_base: "https://eu.openai.azure.com", api_version: "2024-10-21"}
  credential_info: {custom_llm_provider: azure}
- {credential_name: unused, credential_values: {api_key: sk-hidden}}
- nonsense
"""


def test_a_credential_is_written_to_each_that_names_it(tmp_path: Path) -> None:
    one = converted(tmp_path, LISTED)
    plan = draft(one)
    asked = {it["api_key"]: it["base_url"] for it in [*plan["providers"].values()][:2]}
    assert asked == dict.fromkeys(("${EU}", "${OWN}"), "https://eu.openai.azure.com")
    assert compiled(one.plan).problems == ()


def test_one_that_nobody_names_and_a_name_that_nothing_has_are_told_of(tmp_path: Path) -> None:
    one = converted(tmp_path, LISTED)
    left = {it.theirs for it in one.findings if it.fate == "left"}
    assert {"credential_list", "model_list[].litellm_params.litellm_credential_name"} <= left
    assert "sk-hidden" not in one.plan
