"""What may be asked of the quality of live answers."""

import msgspec
import pytest

from tidegate.control.shapes_quality import WEEK_S, AssessmentsQuery, QualityQuery


def test_a_week_is_shown_unless_it_is_asked_otherwise() -> None:
    assert msgspec.convert({}, QualityQuery).since_s == WEEK_S


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 1001}, {"route": ""}, {"arms": "x"}])
def test_what_cannot_be_asked_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(asked, AssessmentsQuery)
