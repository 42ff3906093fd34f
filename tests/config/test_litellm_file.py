"""LiteLLM's config: every key is carried or told of, and the plan that it comes to is one."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.config.litellm_rig import (
    FILES,
    FOLDER,
    compiled,
    convert,
    converted,
    draft,
    known,
    untold,
)

from tidegate.config.litellm_file import convert_litellm
from tidegate.config.their_file import FileRefused


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_carried_or_told_of(name: str) -> None:
    one = convert(name)
    assert untold(one, yaml.safe_load((FOLDER / name).read_text())) == set()


@pytest.mark.parametrize("name", FILES)
def test_the_plan_compiles(name: str) -> None:
    assert compiled(convert(name).plan).problems == ()


def test_no_secret_of_theirs_is_in_the_plan_or_in_what_is_said() -> None:
    one = convert("everything.yaml")
    said = one.plan + "".join(it.theirs + it.ours + it.said for it in one.findings)
    for secret in ("sk-proj-literal-secret", "hidden", "very-secret"):
        assert secret not in said
    ((file, secret),) = one.secrets.items()
    assert secret == "sk-proj-literal-secret"
    assert f"file:{file}" in one.plan


def test_an_included_file_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(
        "model_list: [{model_name: b, litellm_params: {model: openai/gpt-4o}}]"
    )
    one = converted(
        tmp_path,
        "include: [models.yaml]\n"
        "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o-mini}}]",
    )
    assert list(draft(one)["routes"]) == ["a", "b"]


def test_one_that_is_not_there_is_not_called_bad_yaml(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read") as refused:
        converted(tmp_path, "include: [models.yaml]")
    assert "is no YAML" not in str(refused.value)


def test_a_plan_for_people_has_no_anchors() -> None:
    assert "&id" not in convert("everything.yaml").plan


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="none of them its own"):
        converted(tmp_path, "include: [config.yaml]")


@given(st.binary(max_size=200))
@settings(max_examples=30)
def test_any_bytes_are_a_plan_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(data)
    try:
        convert_litellm(file, known("openai"))
    except FileRefused as error:
        assert str(file) in str(error)


_NAMES = st.sampled_from(
    ["model_list", "litellm_params", "model", "model_name", "fallbacks", "cache_params", "weight"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda it: st.lists(it, max_size=3) | st.dictionaries(_NAMES, it, max_size=4),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "model_list": _VALUES,
            "router_settings": _VALUES,
            "litellm_settings": _VALUES,
            "general_settings": _VALUES,
            "environment_variables": _VALUES,
        },
    )
)
@settings(max_examples=60)
def test_any_shape_is_read_without_a_fault(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, object]
) -> None:
    file = tmp_path_factory.getbasetemp() / "shape.yaml"
    file.write_text(yaml.safe_dump(value))
    one = convert_litellm(file, known("openai"))
    assert untold(one, yaml.safe_load(file.read_text())) == set()
