import msgspec
import pytest

from tidegate.control.shapes_slo import ExportQuery, NewReview


@pytest.mark.parametrize("left_out", ["route", "postmortem", "follow_up"])
def test_a_review_says_where_and_what_follows(left_out: str) -> None:
    whole = {"route": "chat", "postmortem": "https://wiki/1", "follow_up": "two replicas"}
    assert msgspec.convert(whole, NewReview).route == "chat"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({k: v for k, v in whole.items() if k != left_out}, NewReview)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**whole, "follow_up": ""}, NewReview)


def test_what_is_exported_is_one_of_two() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"what": "grafana"}, ExportQuery)
