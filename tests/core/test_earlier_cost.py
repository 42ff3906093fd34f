"""A request's cost, taken apart, is never more than all of it."""

import msgspec
import pytest

from tidegate.core.earlier_cost import MARKER, EarlierCost, split
from tidegate.core.frames import frames
from tidegate.core.receipt import Receipt, decode_payload, encode_frame


@pytest.mark.parametrize(
    ("spent", "costs", "parts", "left"),
    [
        *((100, [], [], 100), (100, [30, 40], [30, 40], 30), (100, [100], [100], 0)),
        *((100, [70, 70], [70, 30], 0), (100, [-5, 30], [0, 30], 70), (0, [5], [0], 0)),
    ],
)
def test_parts_add_up_to_what_was_spent(
    spent: int, costs: list[int], parts: list[int], left: int
) -> None:
    found, rest = split(spent, [EarlierCost(one) for one in costs])
    assert ([part for _, part in found], rest) == (parts, left)


def test_a_receipt_s_bytes_hold_the_marker_where_it_has_such_costs() -> None:
    without = Receipt("r", 1.0, "g", "chat", cost_nanousd=9)
    there = msgspec.structs.replace(without, earlier_costs=[EarlierCost(5, "a", "p", "m")])
    assert MARKER not in encode_frame(without)
    frame = encode_frame(there)
    assert MARKER in frame
    [(_, payload)] = frames(frame)
    assert payload is not None and decode_payload(payload) == there
