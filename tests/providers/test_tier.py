"""A class of service is told in the target's words, or it has no place."""

import pytest

from tidegate.core.conversation import Conversation
from tidegate.core.losses import Losses
from tidegate.providers._tier import tier_of


@pytest.mark.parametrize(
    ("wanted", "tiers", "told", "lost"),
    [
        (None, {"flex": "Flex"}, None, []),
        ("auto", {"flex": "Flex"}, None, []),
        ("auto", {"auto": "any"}, "any", []),
        ("flex", {"flex": "Flex"}, "Flex", []),
        ("other", {"flex": "Flex"}, None, ["service_tier"]),
    ],
)
def test_its_word(
    wanted: str | None, tiers: dict[str, str], told: str | None, lost: list[str]
) -> None:
    said = Conversation([], service_tier=wanted)
    losses = Losses(said, "theirs", drop=True)
    assert (tier_of(said, tiers, losses), losses.names) == (told, lost)
