from msgspec import json
from tests.core.revisions import rollout

from tidegate.core.rollout import DEFAULT_STEPS, Rollout


def test_a_rollout_survives_the_way_through_a_store() -> None:
    made = rollout(target="b", system_prompt="Be brief.")
    assert json.decode(json.encode(made), type=Rollout) == made


def test_the_default_steps_rise_from_a_smoke_test_to_everybody() -> None:
    weights = [step.weight for step in DEFAULT_STEPS]
    assert weights == sorted(set(weights)) and weights[-1] == 1.0
    assert [step.smoke for step in DEFAULT_STEPS] == [True, False, False, False, False]
    assert all(
        step.min_s >= 600 and (step.smoke or step.min_units >= 200) for step in DEFAULT_STEPS
    )
