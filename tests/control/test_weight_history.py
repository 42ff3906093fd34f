from tidegate.control.weight_history import WeightHistory
from tidegate.stores.blocks import Weighed


def history(*several: tuple[str, float, float, float | None]) -> WeightHistory:
    made = WeightHistory()
    made.add(Weighed(seq, *one) for seq, one in enumerate(several, 1))
    return made


def test_a_request_is_of_the_weight_at_which_it_began() -> None:
    made = history(("", 0, 10, 0.1), ("", 10, 20, None), ("", 20, 30, 0.5))
    assert [made.at(at_s) for at_s in (0, 9.9, 15, 20, 29)] == [0.1, 0.1, None, 0.5, 0.5]
    assert made.seq == 3


def test_what_no_block_reaches_is_known_later_and_what_was_before_all_never() -> None:
    made = history(("", 5, 10, 0.1))
    assert made.at(10) == made.at(11) == "later"
    assert made.at(4) is None
    assert history().at(4) == "later"


def test_time_without_a_block_had_no_other_weight() -> None:
    made = history(("", 0, 10, 0.1), ("", 50, 60, 0.1), ("", 60, 70, 0.5))
    assert made.at(30) == 0.1
    assert made.span_s(0.1) == (0, 60)


def test_recorders_that_saw_different_weights_leave_it_open() -> None:
    made = history(("a", 0, 10, 0.1), ("b", 1, 11, 0.1), ("a", 10, 20, 0.5), ("b", 11, 21, None))
    assert [made.at(at_s) for at_s in (5, 10.5, 11.5)] == [0.1, None, None]


def test_it_goes_on_from_what_it_has() -> None:
    made = history(("", 0, 10, 0.1))
    made.add([Weighed(7, "", 10, 20, 0.1)])
    assert (made.at(15), made.seq) == (0.1, 7)
