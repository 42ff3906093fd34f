"""A question, and how likely others are to mean the same."""

from typing import Any

from tests.gateway.cached import ASK

ONE = "How do I reset my password?"
POLITE = "How do I reset my password, please?"
# The cosine of the two.
NEAR = (6 / 7) ** 0.5
OTHER = "What does the large plan cost?"


def asking(text: str, **more: Any) -> dict[str, Any]:
    return {**ASK, "messages": [{"role": "user", "content": text}], **more}
