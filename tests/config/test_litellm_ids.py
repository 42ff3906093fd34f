"""Two teams, users or budgets of theirs never become one here: money would be mixed."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.litellm_ids import (
    PERSONAL,
    budget_name,
    customer_budget_name,
    id_of,
    team_id,
)
from tidegate.control.litellm_customers import budget_name as of_control

# Long ones with a common beginning, control characters, and what a name may not hold.
_IDS = st.builds(
    lambda length, end: "u" * length + end,
    st.sampled_from([0, 1, 60, 66, 67, 68, 98, 99, 100, 101, 255, 256, 300]),
    st.text(alphabet="ab.\x01\x1b\u200b ?~é", min_size=1, max_size=4),
)


@given(_IDS, _IDS, st.sampled_from([100, 256]))
def test_two_ids_are_two_and_fit(one: str, other: str, most: int) -> None:
    found = id_of(one, most)
    assert 1 <= len(found) <= most and found.isprintable()
    assert (found == id_of(other, most)) == (one == other)
    if len(one) <= most and one.isprintable():
        assert found == one


@given(_IDS, _IDS)
def test_teams_and_budgets_are_as_many_as_theirs(one: str, other: str) -> None:
    assert (team_id(one) == team_id(other)) == (one == other)
    assert team_id(one) != PERSONAL and re.fullmatch(
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", team_id(one)
    )
    for name in (budget_name("user", one), budget_name("member", "t", one)):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name)
    assert (budget_name("user", one) == budget_name("user", other)) == (one == other)


@given(_IDS)
def test_an_end_user_s_budget_is_called_as_control_calls_it(user: str) -> None:
    assert customer_budget_name(user) == of_control(user)
