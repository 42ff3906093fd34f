"""Feedback comes back as it was said, and only of what could be a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.clock import IdSource
from tidegate.core.feedback import Feedback, decode_feedback, encode_feedback, is_request_id

ID = "01a20111-c5b2-7110-ac1d-00d0ee58697a"


@given(st.builds(Feedback, at_s=st.floats(0, 2e9), rating=st.none() | st.floats(-1, 1)))
def test_it_comes_back_as_it_was_said(said: Feedback) -> None:
    assert decode_feedback(encode_feedback(said)) == said


def test_ids_of_ours_are_known() -> None:
    assert is_request_id(ID)
    assert is_request_id(IdSource().new())


@pytest.mark.parametrize("text", ["", "x", "../x", ID.upper() + "A", ID + "\n"])
def test_others_are_not(text: str) -> None:
    assert not is_request_id(text)
