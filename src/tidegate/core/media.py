"""How many tokens an image can be at most, by the rule that its model's provider has published.

Providers scale images down before they cut them into tiles or patches, so each model has a most.
"""

from typing import Final

from tidegate.core.model_name import plain_name

# Models by the beginning of their names, and an image's most tokens. OpenAI: a base and up to 8
# tiles of a scaled image, or 1,536 patches times a factor. Claude: 3.75 megapixels, 784 a token.
_PUBLISHED: Final = (
    ("gpt-4o-mini", 48_169),
    ("gpt-4o", 1_445),
    ("chatgpt-4o", 1_445),
    ("gpt-4-turbo", 1_445),
    ("gpt-4.1-mini", 2_489),
    ("gpt-4.1-nano", 3_779),
    ("gpt-4.1", 1_536),
    ("gpt-5-mini", 2_489),
    ("gpt-5-nano", 3_779),
    ("gpt-5", 1_190),
    ("o1", 1_275),
    ("o3", 1_275),
    ("o4-mini", 2_642),
    # Made in the best quality, or read as faithfully as it can be.
    ("gpt-image-1", 8_000),
    ("claude", 5_000),
)
# More than any published rule comes to.
UNKNOWN_IMAGE_TOKENS: Final = 50_000
# Of a file whose model's context is not known: more than fits into most.
UNKNOWN_FILE_TOKENS: Final = 1_000_000


def image_tokens(model: str) -> int:
    """The most that one image can be for this model."""
    name = plain_name(model)
    for start, most in _PUBLISHED:
        if name == start or name.startswith(f"{start}-"):
            return most
    return UNKNOWN_IMAGE_TOKENS
