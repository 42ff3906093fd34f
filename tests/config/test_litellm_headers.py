"""Headers of a deployment, and variables of theirs."""

from pathlib import Path

from tests.config.litellm_rig import converted, draft


def test_a_header_that_sounds_like_a_secret_is_not_in_the_plan(tmp_path: Path) -> None:
    headers = "{X-Password: hunter2, x-credential: c4fe, x-own: Bearer hunter234, x-team: acme}"
    params = f"{{model: openai/gpt-4o, extra_headers: {headers}}}"
    plan = converted(tmp_path, f"model_list:\n- {{model_name: g, litellm_params: {params}}}").plan
    assert "acme" in plan and "hunter2" not in plan and "c4fe" not in plan


def test_what_is_no_header_is_left_and_named(tmp_path: Path) -> None:
    params = "{model: openai/gpt-4o, extra_headers: {Host: x, 'a b': y, x-team: os.environ/TEAM}}"
    one = converted(tmp_path, f"model_list:\n- {{model_name: g, litellm_params: {params}}}")
    [provider] = draft(one)["providers"].values()
    assert provider["headers"] == {"x-team": "${TEAM}"}
    left = {it.theirs.rpartition(".")[2] for it in one.findings if it.fate == "left"}
    assert left == {"Host", "a b"}
