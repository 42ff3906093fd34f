"""What is printed at the start can be copied and run."""

import ast
import shlex

import msgspec

from tidegate.boot.welcome import Welcome

BASE = Welcome(
    gateway_url="http://127.0.0.1:4000",
    control_url="http://127.0.0.1:4001",
    state="/s",
    plan="/p.yaml",
    route="chat",
    routes_total=2,
    key="sk-tg-abcdefgh_x",
    key_hours=24,
)


def snippet(text: str, begin: str) -> str:
    """The indented lines from the one that begins so."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(f"  {begin}"))
    last = next(n for n in range(first, len(lines)) if not lines[n].startswith("  "))
    return "\n".join(line[2:] for line in lines[first:last])


def test_the_curl_is_a_command_with_a_json_body() -> None:
    words = shlex.split(snippet(BASE.text(), "curl").replace("\\\n", " "))
    assert words[:2] == ["curl", "http://127.0.0.1:4000/v1/chat/completions"]
    assert f"Authorization: Bearer {BASE.key}" in words
    assert msgspec.json.decode(words[words.index("-d") + 1])["model"] == "chat"


def test_the_python_snippet_is_python_with_and_without_a_key() -> None:
    ast.parse(snippet(BASE.text(), "from openai"))
    without = msgspec.structs.replace(BASE, key=None).text()
    ast.parse(snippet(without, "import os"))
    assert "$TIDEGATE_KEY" in without
    assert "sk-tg-" not in without


def test_it_says_where_everything_is() -> None:
    text = msgspec.structs.replace(BASE, model_note="Model: small").text()
    for said in (BASE.control_url, "/s", "/p.yaml", "2 routes", "24 hours", "Model: small"):
        assert said in text


def test_a_plan_without_routes_has_nothing_to_try() -> None:
    assert "curl" not in msgspec.structs.replace(BASE, route=None, routes_total=0).text()


def test_only_one_that_stands_by_says_who_leads() -> None:
    assert "leads" not in BASE.text()
    assert "standing  by: blue-1 leads" in msgspec.structs.replace(BASE, leader="blue-1").text()
