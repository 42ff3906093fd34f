"""Tokens and their roles, withdrawn without a restart; wrong guesses bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.control.operators import FailureLimit, Operator, Operators
from tidegate.core.layout import Layout

MORE = b"a-further-token-of-a-person"


def add(layout: Layout, text: str, mode: int = 0o600) -> None:
    file = layout.state / "operator.tokens.new"
    file.write_text(text)
    file.chmod(mode)
    file.replace(layout.state / "operator.tokens")


def test_the_token_file_makes_an_admin(layout: Layout) -> None:
    token = layout.operator_token.read_bytes().strip()
    operators = Operators(layout)
    assert operators.find(token) == Operator("operator", "admin")
    assert operators.find(token + b"x") is None
    assert operators.find(b"") is None


def test_an_empty_token_file_lets_nobody_in(layout: Layout) -> None:
    layout.operator_token.write_text("\n")
    assert Operators(layout).find(b"") is None


def test_further_tokens_come_and_go_while_it_runs(layout: Layout) -> None:
    operators = Operators(layout)
    assert operators.find(MORE) is None
    add(layout, f"# people\n\nviewer grafana {MORE.decode()}\n")
    assert operators.find(MORE) == Operator("grafana", "viewer")
    add(layout, "")
    assert operators.find(MORE) is None


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (f"viewer grafana {MORE.decode()}\nroot x y\n", 0o600),
        (f"viewer grafana {MORE.decode()}\nviewer x short\n", 0o600),
        (f"viewer grafana {MORE.decode()}\nviewer\n", 0o600),
        (f"viewer grafana {MORE.decode()}\n", 0o644),
    ],
)
def test_a_file_with_a_mistake_lets_in_none_of_its_people(
    layout: Layout, text: str, mode: int
) -> None:
    add(layout, text, mode)
    operators = Operators(layout)
    assert operators.find(MORE) is None
    assert operators.find(layout.operator_token.read_bytes().strip()) is not None


def test_a_role_may_do_what_the_lesser_ones_may() -> None:
    assert Operator("a", "admin").may("viewer")
    assert Operator("a", "operator").may("operator")
    assert not Operator("a", "viewer").may("operator")


def test_the_limit_opens_again_after_its_window() -> None:
    now = [0.0]
    limit = FailureLimit(3, lambda: now[0])
    for _ in range(3):
        assert limit.wait_s("a") == 0
        limit.failed("a")
        now[0] += 1
    assert limit.wait_s("a") == 57
    assert limit.wait_s("b") == 0
    now[0] = 60
    assert limit.wait_s("a") == 0
    assert limit.wait_s("a") == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60))
def test_never_more_than_the_most_in_any_minute(steps: list[tuple[str, float]]) -> None:
    now = [0.0]
    limit = FailureLimit(4, lambda: now[0])
    tried: dict[str, list[float]] = {}
    for address, wait_s in steps:
        now[0] += wait_s
        if limit.wait_s(address) == 0:
            limit.failed(address)
            tried.setdefault(address, []).append(now[0])
    for times in tried.values():
        assert all(later - times[n] >= 60 for n, later in enumerate(times[4:]))
