import msgspec
import pytest

from tidegate.core.reasoning import asks_to_think, hides_reasoning, sums_up_reasoning


@pytest.mark.parametrize(
    ("model", "hides"),
    [
        ("o1", True),
        ("openai/o3-mini-2025-01-31", True),
        ("o4-mini", True),
        ("gpt-5.1", True),
        ("gpt-5-mini-2025-08-07", True),
        ("openai/gpt-5:online", True),
        ("gemini-2.5-pro@001", True),
        ("gpt-5-chat-latest", False),
        ("openai/gpt-5-chat:free", False),
        ("gemini-2.5-pro", True),
        ("models/gemini-3.8-flash", True),
        ("gemini-flash-latest", True),
        ("gemini-2.0-flash", False),
        ("us.openai.gpt-5.6-terra", True),
        ("eu.amazon.nova-2-lite-v1:0", True),
        ("anthropic.claude-opus-5", False),
        ("openai.gpt-oss-20b-1:0", False),
        ("gpt-4o", False),
        ("o12", False),
        ("Qwen/Qwen3-8B", False),
        ("deepseek-reasoner", False),
    ],
)
def test_a_model_that_thinks_unseen_is_known_by_its_name(model, hides):
    assert hides_reasoning(model) is hides


@pytest.mark.parametrize(
    ("model", "sums_up"),
    [
        ("claude-sonnet-4-20250514", True),
        ("claude-opus-4-8", True),
        ("eu.anthropic.claude-haiku-5-20270101-v1:0", True),
        ("claude-sonnet-10", True),
        ("claude-3-7-sonnet-20250219", False),
        ("gpt-5", False),
        ("my-claude-sonnet-4", False),
    ],
)
def test_claude_shows_less_than_it_charges_from_its_fourth_version(model, sums_up):
    assert sums_up_reasoning(model) is sums_up


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ({}, False),
        ({"thinking": None}, False),
        ({"thinking": {"type": "disabled"}}, False),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, True),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "low"}, True),
        ({"reasoning": {"effort": "high"}}, True),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, False),
        ({"output_config": {"effort": "max"}}, True),
    ],
)
def test_who_asks_for_thought(body, asks):
    members = msgspec.json.decode(msgspec.json.encode(body), type=dict[str, msgspec.Raw])
    assert asks_to_think(members) is asks
