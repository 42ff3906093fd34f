"""What is told of kept answers."""

from tidegate.control.shapes_hits import HitShare


def test_a_share_is_of_all_of_them_unless_it_says_otherwise() -> None:
    assert HitShare(0.5, 0.4, 0.6).covered == 1.0
