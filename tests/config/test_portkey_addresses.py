"""Addresses of accounts that a target of Portkey's names by its parts."""

from pathlib import Path
from typing import Any

import pytest
from tests.config.litellm_rig import compiled, draft
from tests.config.test_portkey import convert

MODEL: dict[str, Any] = {"override_params": {"model": "m"}}


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (
            {"provider": "azure-openai", "resource_name": "r", "deployment_id": "d"},
            "https://r.openai.azure.com",
        ),
        ({"virtual_key": "azure-openai-prod"}, "${AZURE_API_BASE}"),
        (
            {"provider": "bedrock", "aws_region": "eu-west-1"},
            "https://bedrock-runtime.eu-west-1.amazonaws.com",
        ),
        ({"provider": "@bedrock-eu"}, "https://bedrock-runtime.${AWS_REGION}.amazonaws.com"),
        (
            {"provider": "vertex-ai", "vertex_project_id": "p", "vertex_region": "global"},
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global",
        ),
        ({"provider": "bedrock", "aws_region": "x.example/?"}, "${AWS_REGION}"),
    ],
)
def test_an_address_is_made_of_its_parts(
    tmp_path: Path, target: dict[str, Any], address: str
) -> None:
    one = convert(tmp_path, {**MODEL, **target})
    [provider] = draft(one)["providers"].values()
    assert address in provider["base_url"]
    assert compiled(one.plan).problems == ()


def test_the_version_of_a_dated_api_and_its_deployment_are_carried(tmp_path: Path) -> None:
    target = {"provider": "azure-openai", "resource_name": "r", "api_version": "2024-10-21"}
    plan = draft(convert(tmp_path, {**MODEL, **target, "deployment_id": "d"}))
    assert plan["providers"]["azure-openai"]["headers"] == {"api-version": "2024-10-21"}
    assert [it["model"] for it in plan["targets"].values()] == ["d"]
