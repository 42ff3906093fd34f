from tidegate.core.rollout_state import ENDED, STATES


def test_what_has_ended_is_a_state() -> None:
    assert set(STATES) >= ENDED
