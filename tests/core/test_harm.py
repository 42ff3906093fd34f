from tidegate.core.harm import HARM
from tidegate.core.rollout import DEFAULT_HARM


def test_each_has_a_margin_that_its_kind_can_have():
    for row in HARM.values():
        if row.kind == "amount":
            assert row.margin > 1
        else:
            assert 0 < row.margin < 1


def test_the_usual_guards_are_all_of_them_with_their_margins():
    assert {guard.name: guard.margin for guard in DEFAULT_HARM} == {
        row.name: row.margin for row in HARM.values()
    }
    assert all(guard.weight > 0 for guard in DEFAULT_HARM)
