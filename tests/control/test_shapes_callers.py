"""Whom a revocation may mean: words, and nothing else."""

import msgspec
import pytest

from tidegate.control.shapes_callers import CallerMeant, CallerRevocation


@pytest.mark.parametrize(
    "told",
    [{}, {"issuer": ""}, {"issuer": "i", "subject": "a\n"}, {"issuer": "i", "more": 1}],
    ids=str,
)
def test_what_is_no_word_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(told, CallerMeant)


def test_a_time_is_one() -> None:
    assert msgspec.convert({"issuer": "i", "before_s": 5}, CallerRevocation).before_s == 5.0
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"issuer": "i", "before_s": -1}, CallerRevocation)
