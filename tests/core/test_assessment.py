"""An assessment is of its request's release where that counts it."""

from typing import get_args

import pytest
from tests.stores import rig
from tests.stores.said import NOON_S

from tidegate.core.assessment import AssessedAs, assessment_of
from tidegate.core.harm import HARM

OF_A_RELEASE = {"rollout": "chat/v2", "arm": "canary", "unit": 7, "unit_kind": "user"}


def test_each_kind_is_a_harm_metric() -> None:
    assert {HARM[name].kind for name in get_args(AssessedAs)} == {"share"}


def test_it_is_of_what_served() -> None:
    receipt = rig.receipt(NOON_S, key_id="k", model_wanted="m", model_served="m-1", **OF_A_RELEASE)
    made = assessment_of(receipt, "quality", True, NOON_S + 60)
    assert (made.rollout, made.arm, made.unit, made.model) == ("chat/v2", "canary", 7, "m-1")
    assert (made.started_at_s, made.at_s) == (receipt.started_at_s, NOON_S + 60)


@pytest.mark.parametrize(
    "fields",
    [{"arm_forced": True}, {"purpose": "eval"}, {"shadow_of": "x"}, {"rollout": None}],
    ids=("forced", "eval", "shadow", "without a release"),
)
def test_it_counts_for_no_release(fields: dict[str, object]) -> None:
    receipt = rig.receipt(NOON_S, key_id="k", **{**OF_A_RELEASE, **fields})
    made = assessment_of(receipt, "follow_up", False, NOON_S)
    assert (made.rollout, made.unit, made.unit_kind) == (None, None, None)
