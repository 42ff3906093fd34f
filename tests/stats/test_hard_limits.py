import pytest
from tests.stats.release import arm, block, rollout

from tidegate.core.block import ArmBlock
from tidegate.core.rollout import HardLimits
from tidegate.stats.analysis import begin, take
from tidegate.stats.hard_limits import broken


def after(*canaries: ArmBlock, dear_nanousd=None, **hard):
    of = rollout(hard=HardLimits(**hard))
    analysis = begin(of)
    for canary in canaries:
        each = block(arm(3, 0), canary)
        each.dear_nanousd = dear_nanousd
        analysis = take(analysis, of, each)
    return broken(analysis, of)


def test_a_good_canary_breaks_none():
    assert after(arm(100, 9)) == ()
    assert after() == ()


@pytest.mark.parametrize(
    ("blocks", "is_broken"),
    [
        ([(10, 10)], True),
        ([(9, 9)], False),
        ([(9, 9), (1, 1)], True),
        ([(12, 5), (8, 5)], True),
        ([(40, 20)], True),
        ([(40, 19)], False),
        ([(20, 9), (500, 500)], False),
    ],
)
def test_ten_bad_of_the_first_twenty(blocks, is_broken):
    found = after(*[arm(count, bad) for count, bad in blocks])
    assert ("bad_of_first" in found) is is_broken


def test_half_of_twenty_answers_invalid():
    assert "invalid_share" in after(arm(20, 10, "invalid"))
    assert "invalid_share" not in after(arm(20, 9, "invalid"))
    assert "invalid_share" not in after(arm(19, 19, "invalid"))


def test_three_times_what_the_dearest_stable_requests_cost():
    dear = ArmBlock(assigned=20, costed=20, cost_nanousd=20 * 3000)
    assert after(dear, dear_nanousd=1000.0) == ("cost_ratio",)
    assert after(dear, dear_nanousd=1001.0) == ()
    assert after(dear) == ()
    few = ArmBlock(assigned=19, costed=19, cost_nanousd=10**9)
    assert after(few, dear_nanousd=1000.0) == ()
