import pytest
from tests.stores import rig

from tidegate.core.limit import CALLER_DIMENSIONS, SUMMED_UP, TARGET_DIMENSIONS
from tidegate.stores.spending import IN_RECEIPTS, PROMPT, ROLLED_UP, quarter_of, spent_nanousd


@pytest.mark.parametrize(
    ("at_s", "quarter"),
    [
        *((0.0, 0), (899.999, 0), (900.0, 1), (rig.NOON_S, 1_988_888)),
        *((-1.0, 0), (float("nan"), 0), (float("inf"), 0), (1e300, 0)),
    ],
)
def test_a_quarter_is_a_whole_number_also_of_what_is_no_date(at_s: float, quarter: int) -> None:
    assert quarter_of(at_s) == quarter


@pytest.mark.parametrize(
    ("cost", "most", "spent"),
    [
        *((5, None, 5), (0, 9, 0), (None, 9, 9), (None, None, 0)),
        *((-1, None, 0), (10**15 + 1, None, 0), (10**15 + 1, 9, 9), (None, -9, 0)),
    ],
)
def test_what_nobody_knows_counts_as_the_most_that_it_can_be(
    cost: int | None, most: int | None, spent: int
) -> None:
    assert spent_nanousd(rig.receipt(cost_nanousd=cost, most_nanousd=most)) == spent


def test_what_a_lifetime_s_budget_may_be_by_is_what_is_summed_up_for_good() -> None:
    assert ROLLED_UP.keys() == SUMMED_UP


def test_every_dimension_is_told_apart_somewhere() -> None:
    columns = {**ROLLED_UP, **IN_RECEIPTS, PROMPT: "prompt_fingerprint"}
    assert columns == {**CALLER_DIMENSIONS, **TARGET_DIMENSIONS}
