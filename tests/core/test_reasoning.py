import pytest

from tidegate.core.reasoning import hides_reasoning


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
        ("gpt-4o", False),
        ("o12", False),
        ("Qwen/Qwen3-8B", False),
        ("deepseek-reasoner", False),
    ],
)
def test_a_model_that_thinks_unseen_is_known_by_its_name(model, hides):
    assert hides_reasoning(model) is hides
