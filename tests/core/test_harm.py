from tidegate.core.harm import HARM
from tidegate.core.rollout import DEFAULT_HARM


def test_each_has_a_margin_that_its_kind_can_have():
    for row in HARM.values():
        if row.kind == "amount":
            assert row.margin > 1
        else:
            assert 0 < row.margin < 1


def test_the_usual_guards_have_the_metrics_own_margins():
    assert all(guard.margin == HARM[guard.name].margin for guard in DEFAULT_HARM)
    assert len({guard.name for guard in DEFAULT_HARM}) == len(DEFAULT_HARM) == 8
    assert all(guard.weight > 0 for guard in DEFAULT_HARM)
