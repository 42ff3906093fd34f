"""Two blocks are one in what is compared of them."""

from tests.stats.release import arm, block

from tidegate.stats.joined import joined


def test_what_they_say_adds_up_in_whichever_order_it_is_asked() -> None:
    one, other = block(arm(300, 3), arm(30, 1)), block(arm(200, 2), arm(20, 0))
    both = joined(one, other)
    assert (both.stable.assigned, both.canary.assigned) == (500, 50)
    assert both.stable.tallies["error"].bad == 5
    assert (both.began_s, both.ended_s) == (one.began_s, other.ended_s)
    back = joined(other, one)
    assert (back.stable.tallies, back.canary.tallies) == (both.stable.tallies, both.canary.tallies)


def test_neither_is_changed_by_it() -> None:
    one, other = block(arm(300, 3), arm(30, 1)), block(arm(200, 2), arm(20, 0))
    joined(one, other)
    assert one == block(arm(300, 3), arm(30, 1))
