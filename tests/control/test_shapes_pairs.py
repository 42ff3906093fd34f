"""What may be asked of judged pairs."""

import msgspec
import pytest

from tidegate.control.shapes_pairs import PairsQuery


def test_a_month_is_looked_at_unless_it_is_asked_otherwise() -> None:
    assert msgspec.convert({"route": "faq"}, PairsQuery).since_s == 30 * 86_400.0


@pytest.mark.parametrize("asked", [{}, {"route": ""}, {"route": "faq", "since_s": 0}])
def test_what_cannot_be_asked_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(asked, PairsQuery)
