"""Every key that LiteLLM's config may have is carried, or left with a word on what to do.

docs/moving-in-keys.md lists them as the importer tells them; `python -m
tests.config.test_litellm_families` prints it. `litellm/keys.txt` are the keys of LiteLLM 1.109.1,
section by section: the fields of its own types, the arguments of its router and its cache, the
settings of its module, and whatever its proxy asks of a section by name.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.config.litellm_rig import FOLDER, converted

from tidegate.config.litellm_advice import HARMLESS_INFO, HARMLESS_PARAMS
from tidegate.config.litellm_families import advice_of
from tidegate.config.moving import Finding
from tidegate.config.their_file import UNNEEDED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "moving-in-keys.md"
_FATES = {"carried": "carried", "changed": "differs", "left": "not carried"}
_MOST_NAMES = 40
# What the sections are called, and the way to each.
SECTIONS = {
    "config": "",
    "general_settings": "general_settings",
    "router_settings": "router_settings",
    "litellm_settings": "litellm_settings",
    "cache_params": "litellm_settings.cache_params",
    "litellm_params": "model_list[].litellm_params",
    "model_info": "model_list[].model_info",
}
_SECTIONS_THEMSELVES = {
    *("general_settings", "router_settings", "litellm_settings", "model_list", "include"),
    *("cache_params", "environment_variables"),
}
# A value that fits; any other key is given a text.
_FITTING: dict[str, Any] = {
    "fallbacks": [{}],
    "context_window_fallbacks": [{}],
    "content_policy_fallbacks": [{}],
    "extra_headers": {"x-team": "a"},
    **dict.fromkeys(("cache", "drop_params"), True),
    **dict.fromkeys(
        (
            *("num_retries", "max_retries", "timeout", "request_timeout", "stream_timeout", "ttl"),
            *("retry_after", "allowed_fails", "cooldown_time", "max_budget", "weight", "order"),
            *("max_request_size_mb", "global_max_parallel_requests", "max_parallel_requests"),
            *("rpm", "tpm", "max_input_tokens"),
        ),
        3,
    ),
    "default_fallbacks": ["other"],
    "model_group_alias": {"alias": "chat"},
    "budget_duration": "30d",
    "api_base": "http://10.0.0.1:8000/v1",
    "base_model": "azure/gpt-4o",
    "routing_strategy": "least-busy",
    "blocked": True,
}


def keys() -> dict[str, list[str]]:
    lines = (FOLDER / "keys.txt").read_text().splitlines()
    return {name: names.split() for name, _, names in (it.partition(":") for it in lines)}


def file_of(section: str, names: list[str]) -> dict[str, Any]:
    """A config in which each of these says something."""
    params: dict[str, Any] = {"model": "openai/gpt-4o-mini", "api_key": "os.environ/KEY"}
    settings = {name: _value(name) for name in names if name not in _SECTIONS_THEMSELVES}
    info: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    if section == "litellm_params":
        params = {**settings, **params}
    elif section == "model_info":
        info = settings
    elif section == "cache_params":
        whole = {"litellm_settings": {"cache_params": settings}}
    else:
        whole = {section: settings} if SECTIONS[section] else settings
    one = {"model_name": "chat", "litellm_params": params, "model_info": info}
    return {"model_list": [one], **whole}


def _value(name: str) -> Any:
    if "cost" in name or "price" in name:
        return 0.001
    return _FITTING.get(name, "something")


def told(folder: Path, section: str, name: str) -> Finding | None:
    """What is said of this one key."""
    text = yaml.safe_dump(file_of(section, [name]))
    way = f"{SECTIONS[section]}.{name}".removeprefix(".")
    of = re.compile(re.escape(way) + r"([:.].*)?")
    return next((it for it in converted(folder, text).findings if of.fullmatch(it.theirs)), None)


def every(folder: Path) -> Iterator[tuple[str, str, Finding]]:
    for section, names in keys().items():
        for name in names:
            found = told(folder, section, name)
            if name not in _SECTIONS_THEMSELVES and name not in _NAMED_OTHERWISE:
                assert found is not None, f"{section}: nothing is said of {name}"
                yield section, name, found


# The deployment is left, or served, and that is what is told.
_NAMED_OTHERWISE = {"blocked", "custom_llm_provider", "model_group_alias", "api_key"}


def test_every_key_is_carried_or_left_with_a_word(tmp_path: Path) -> None:
    page = PAGE.read_text()
    found = list(every(tmp_path))
    assert len(found) > 1000
    strangers = [(s, name) for s, name, it in found if it.said == "nothing here does that"]
    assert strangers == []
    assert page == written(found), "python -m tests.config.test_litellm_families > docs/..."


@pytest.mark.parametrize("section", [it for it in SECTIONS if it != "config"])
def test_a_key_that_nobody_knows_is_named(tmp_path: Path, section: str) -> None:
    found = told(tmp_path, section, "of_tomorrow")
    assert found is not None
    assert (found.fate, found.said) == ("left", "nothing here does that")


def test_a_value_that_cannot_be_read_is_left_and_said(tmp_path: Path) -> None:
    text = """
model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini, timeout: soon, rpm: -1, weight: x}}
router_settings: {num_retries: often, allowed_fails: true, timeout: .nan}
litellm_settings: {max_budget: lots, drop_params: "yes", cache: 1}
general_settings: {global_max_parallel_requests: 0, max_request_size_mb: big}
"""
    left = {it.theirs for it in converted(tmp_path, text).findings if it.fate == "left"}
    assert left >= {
        *(f"model_list[].litellm_params.{it}" for it in ("timeout", "rpm", "weight")),
        *(f"router_settings.{it}" for it in ("num_retries", "allowed_fails", "timeout")),
        *(f"litellm_settings.{it}" for it in ("max_budget", "drop_params", "cache")),
        *("general_settings.global_max_parallel_requests", "general_settings.max_request_size_mb"),
    }


def test_a_blocked_deployment_and_one_of_one_team_are_told_of(tmp_path: Path) -> None:
    text = """
model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o-mini}, model_info: {blocked: true}}
- {model_name: b, litellm_params: {model: openai/gpt-4o-mini}, model_info: {team_id: t}}
"""
    one = converted(tmp_path, text)
    said = {it.theirs: it.said for it in one.findings if it.fate == "left"}
    assert said["model_list: a"] == "it is blocked there"
    assert "that team alone" in said["model_list[].model_info.team_id"]
    assert [*yaml.safe_load(one.plan)["routes"]] == ["b"]


def test_no_word_of_advice_stands_for_a_key_that_is_read() -> None:
    assert all(advice_of(name) is None for name in ("model", "timeout", "fallbacks", "rpm"))
    assert advice_of("of_tomorrow") is None
    assert advice_of("litellm_license") == ""
    assert {advice_of(name) for name in (*HARMLESS_INFO, *HARMLESS_PARAMS)} >= {None}


def written(found: list[tuple[str, str, Finding]]) -> str:
    """The page, from what the importer says of each key."""
    lines = [_HEAD]
    for section, way in SECTIONS.items():
        rows: dict[tuple[str, str], list[str]] = defaultdict(list)
        for of, name, it in found:
            if of == section:
                unneeded = it.ours == UNNEEDED
                fate = "needs nothing" if unneeded else _FATES[it.fate]
                said = "" if unneeded else " ".join(filter(None, (it.ours, it.said)))
                rows[fate, said.replace("|", "\\|")].append(f"`{name}`")
        title = way or "The file"
        lines += ["", f"## {title}", "", "| keys | | here, or what to do |", "|---|---|---|"]
        order = ["carried", "differs", "not carried", "needs nothing"]
        for (fate, said), names in sorted(rows.items(), key=lambda it: (order.index(it[0][0]), it)):
            for at in range(0, len(names), _MOST_NAMES):
                lines.append(f"| {', '.join(names[at : at + _MOST_NAMES])} | {fate} | {said} |")
    return "\n".join(lines) + "\n"


_HEAD = """\
# Every key of LiteLLM's config

What `tidegate import litellm` says of each key of LiteLLM 1.109.1, as
`tests/config/test_litellm_families.py` asks it: one config a key, with a value that fits. A key
that is not here is named as not carried too. What the tables of its database come to is in
[Moving in](moving-in.md)."""

if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        print(written(list(every(Path(folder)))), end="")
