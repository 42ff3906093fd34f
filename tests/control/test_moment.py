"""A tick begins without anything that holds."""

from tidegate.control.moment import Moment


def test_what_is_not_known_is_none_and_not_empty() -> None:
    moment = Moment(1000.0, 0.0)
    assert moment.obeyed
    assert moment.candidates is None
