import pytest

from tidegate.core.media import UNKNOWN_IMAGE_TOKENS, image_tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4o", 85 + 8 * 170),
        ("openai/gpt-4o-2024-11-20", 85 + 8 * 170),
        ("gpt-4o-mini-2024-07-18", 2833 + 8 * 5667),
        ("gpt-4.1-mini", 2489),  # 1,536 patches x 1.62
        ("o1", 75 + 8 * 150),
        ("claude-sonnet-4-5", 5000),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 5000),
        ("gpt-5.4", UNKNOWN_IMAGE_TOKENS),
        ("gpt-4omni", UNKNOWN_IMAGE_TOKENS),
        ("Qwen/Qwen2-VL-7B-Instruct", UNKNOWN_IMAGE_TOKENS),
    ],
)
def test_an_image_is_at_most_what_its_provider_has_published(model, tokens):
    assert image_tokens(model) == tokens


def test_what_is_not_known_is_more_than_what_is():
    assert image_tokens("gpt-4o-mini") <= UNKNOWN_IMAGE_TOKENS
