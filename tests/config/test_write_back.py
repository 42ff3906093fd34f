"""A plan file says something else of a route, and every comment is still there."""

import os
from typing import Any

import pytest

from tidegate.config.load import load
from tidegate.config.write_back import written_back
from tidegate.core.declared_contracts import DeclaredContract
from tidegate.core.declared_routes import DeclaredFallbacks, DeclaredRetry

HEAD = """\
providers:  # where
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
targets:
  small: {provider: mine, model: small, price: free}
  large: {provider: mine, model: large, price: free}
"""
BLOCK = """\
routes:
  # the first route
  chat:  # what the app calls
    target: small   # cheap
    retry:
      attempts: 2   # not more
      base_s: 0.1
    # why it drops
    unsupported: drop

  other: large
# the end
"""


def wrote(routes: str, **members: Any) -> str:
    text = HEAD + routes
    after = written_back(text, {"chat": members})
    assert after.startswith(HEAD)
    found = load(after.encode(), os.environ)
    assert found.declared is not None, found.problems
    for name, value in members.items():
        assert getattr(found.declared.routes["chat"], name) == value
    return after.removeprefix(HEAD)


def test_one_value_is_another_and_nothing_else_is() -> None:
    assert wrote(BLOCK, target="large") == BLOCK.replace("target: small ", "target: large ")


def test_a_block_is_written_in_one_line_where_it_was() -> None:
    after = wrote(BLOCK, retry=DeclaredRetry(attempts=5))
    assert "    retry: {attempts: 5}\n    # why it drops\n" in after
    assert "target: small   # cheap" in after


def test_what_is_said_no_more_is_gone_with_its_line() -> None:
    after = wrote(BLOCK, unsupported="refuse", retry=DeclaredRetry())
    assert after == BLOCK.replace("    unsupported: drop\n", "").replace(
        "    retry:\n      attempts: 2   # not more\n      base_s: 0.1\n", ""
    )


def test_what_is_new_comes_last_in_its_route() -> None:
    chain = DeclaredFallbacks(unavailable=("large",))
    after = wrote(BLOCK, fallbacks=chain, system_prompt='Be kind: "always" # really\nand brief')
    lines = after.splitlines()
    at = lines.index("    unsupported: drop")
    assert lines[at + 1] == "    fallbacks: {unavailable: [large]}"
    assert lines[at + 2].startswith("    system_prompt: ")
    assert after.endswith("# the end\n")


def test_one_target_becomes_several() -> None:
    after = wrote(BLOCK, target=None, targets={"small": 9.0, "large": 1.0})
    assert "target: small" not in after
    assert "    targets: {small: 9.0, large: 1.0}\n" in after


@pytest.mark.parametrize(
    ("route", "after"),
    [
        ("chat: small  # plain", "chat: large  # plain"),
        ('chat: "small"', "chat: large"),
        ("chat: {target: small}", "chat: {target: large}"),
        (
            "chat: { target: small , unsupported: drop }",
            "chat: { target: large , unsupported: drop }",
        ),
    ],
)
def test_short_forms_stay_short(route: str, after: str) -> None:
    assert wrote(f"routes:\n  {route}\n", target="large") == f"routes:\n  {after}\n"


def test_a_short_form_takes_what_is_added() -> None:
    assert wrote("routes: {chat: small}", balance="sticky") == (
        "routes: {chat: {target: small, balance: sticky}}"
    )
    assert wrote("routes: {chat: {target: small}}", balance="sticky") == (
        "routes: {chat: {target: small, balance: sticky}}"
    )
    after = wrote("routes: {chat: small}", target=None, targets={"small": 1.0, "large": 2.0})
    assert after == "routes: {chat: {targets: {small: 1.0, large: 2.0}}}"


@pytest.mark.parametrize(
    "route",
    [
        "{target: small, unsupported: drop, balance: sticky}",
        "{unsupported: drop, target: small, balance: sticky}",
        "{target: small, balance: sticky, unsupported: drop}",
        "{target: small, balance: sticky, unsupported: drop, }",
    ],
)
def test_a_member_leaves_a_line_of_several(route: str) -> None:
    after = wrote(f"routes:\n  chat: {route}\n", unsupported="refuse")
    assert "unsupported" not in after
    assert "balance: sticky" in after


def test_what_is_json_in_the_plan_is_written_out() -> None:
    contract = DeclaredContract(json_schema='{"type":"object"}')
    after = wrote(BLOCK, parameters='{"temperature":0.2}', contract=contract)
    assert "    parameters: {temperature: 0.2}\n" in after
    assert "json_schema: {type: object}" in after


def test_a_text_of_several_lines_gives_way() -> None:
    head = "routes:\n  chat:\n    target: small\n    system_prompt: "
    text = f"{head}|\n      Be kind.\n\n      Be brief.\n    # after\n"
    assert wrote(text, system_prompt="Be quick.") == f"{head}Be quick.\n    # after\n"


def test_what_an_alias_brings_is_left_alone() -> None:
    text = HEAD + "routes:\n  a: &same {target: small}\n  chat: *same\n"
    assert written_back(text, {"chat": {"target": "large"}}) == text
    assert written_back(text, {"none": {"target": "large"}}) == text


def test_what_a_merge_brings_is_said_in_the_route_itself() -> None:
    text = "routes:\n  a: &same {target: small}\n  chat:\n    <<: *same\n    unsupported: drop\n"
    after = wrote(text, target="large")
    assert "  a: &same {target: small}\n" in after
    assert after.endswith("    unsupported: drop\n    target: large\n")
