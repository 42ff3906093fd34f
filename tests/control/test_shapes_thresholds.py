"""What is sent to learn a threshold is bounded, and says nothing else."""

import msgspec
import pytest

from tidegate.control.shapes_thresholds import ForgetThreshold, NewThreshold

GOOD = {
    "threshold": 0.94,
    "target": 0.95,
    "encoder": "minilm",
    "encoder_version": "m-1",
    "veto_version": "1",
    "pairs": 400,
    "taken": 126,
    "same": 124,
    "all_same": 150,
    "source": "pairs.jsonl",
    "reason": "a test",
}


@pytest.mark.parametrize(
    "wrong",
    [{"threshold": 1.5}, {"target": 1.0}, {"taken": -1}, {"reason": ""}, {"more": 1}],
    ids=str,
)
def test_what_is_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    assert msgspec.convert(GOOD, NewThreshold).taken == 126
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**GOOD, **wrong}, NewThreshold)


def test_forgetting_has_a_reason() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"reason": ""}, ForgetThreshold)
