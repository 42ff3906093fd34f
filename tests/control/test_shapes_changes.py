from tests.stores.changed import NOON_S, leased

from tidegate.control.shapes_changes import ChangeView
from tidegate.stores.changes import Kept
from tidegate.stores.leadership import Leadership


def test_a_view_says_what_a_lease_has_left() -> None:
    led = Leadership(1, 4, "a", NOON_S, NOON_S + 20)
    view = ChangeView.of(Kept(leased()), NOON_S + 50, led)
    assert (view.state, view.remaining_s, view.until_s, view.lease_s) == ("in force", 30, None, 60)
    view = ChangeView.of(Kept(leased()), NOON_S + 80, led)
    assert (view.state, view.remaining_s) == ("lapsed", 0)
