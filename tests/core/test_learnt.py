"""A learnt threshold counts for what it was learnt with, and for nothing else."""

from typing import Any

import pytest
from msgspec.structs import replace

from tidegate.core.cache import SemanticCache
from tidegate.core.learnt import LearntThreshold, made_with, why_not, with_learnt

LEARNT = LearntThreshold(
    "t1", "chat", 0.94, 0.95, "minilm", "m-1", "1", 400, 126, 124, 150, "pairs", "me", "it", 1.0
)


def test_a_tier_obeys_what_was_learnt_for_it() -> None:
    tier = with_learnt(SemanticCache(), LEARNT)
    assert (tier.threshold, tier.learnt_with) == (0.94, made_with("m-1", "1"))
    assert with_learnt(SemanticCache(), None) == SemanticCache()


@pytest.mark.parametrize(
    ("tier", "said"),
    [
        ({"encoder": "static"}, "with the encoder minilm, and static"),
        ({"target": 0.99}, "for a precision of 0.95, not 0.99"),
        ({"threshold": 0.8}, "written in the plan file"),
    ],
    ids=["encoder", "target", "written"],
)
def test_for_another_encoder_or_a_higher_target_it_does_not_count(
    tier: dict[str, Any], said: str
) -> None:
    declared = SemanticCache(**tier)
    assert said in (why_not(LEARNT, declared) or "")
    assert with_learnt(declared, LEARNT) == declared


def test_what_was_learnt_for_more_does_for_less() -> None:
    assert why_not(replace(LEARNT, target=0.99), SemanticCache()) is None
