"""The latency bar: exact lengths, nothing unknown drawn, nothing that steers a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.cli._latency_bar import Phase, bar, cost, duration, picture, tokens
from tidegate.core.receipt import Receipt

times = st.lists(st.one_of(st.none(), st.just(0.0), st.floats(1e-6, 1e4)), min_size=5, max_size=5)


@given(times, st.integers(5, 200))
def test_the_bar_fills_its_cells_exactly_and_shows_every_phase(
    seconds: list[float | None], cells: int
) -> None:
    parts = [Phase(str(n), value, "abcde"[n]) for n, value in enumerate(seconds)]
    drawn = bar(parts, cells)
    taken = [part.fill for part in parts if part.seconds]
    assert len(drawn) == (cells if taken else 0)
    assert sorted(set(drawn)) == taken
    assert drawn == "".join(sorted(drawn))


def test_lengths_follow_the_shares() -> None:
    parts = [Phase("a", 1.0, "a"), Phase("b", 3.0, "b"), Phase("c", None, "c")]
    assert bar(parts, 42) == "a" * 11 + "b" * 31


def test_no_cells_for_all_is_no_bar() -> None:
    assert bar([Phase("a", 1.0, "a"), Phase("b", 1.0, "b")], 1) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"),
        (0.0, "0.00 ms"),
        (0.00032, "0.32 ms"),
        (0.045, "45 ms"),
        (1.236, "1.24 s"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def made(**given: object) -> Receipt:
    return Receipt("0190-id", 1.0, "gateway-0", "chat", **given)  # type: ignore[arg-type]


def test_unknown_is_never_shown_as_nothing() -> None:
    assert cost(made()) == "unknown price"
    assert cost(made(most_nanousd=285_000)) == "at most $0.000285"
    assert cost(made(most_nanousd=-285_000)) == "$0.000285 held no more"
    assert cost(made(cost_nanousd=0)) == "$0.00"
    assert tokens(made()) == "unknown in, unknown out"
    assert tokens(made(input_tokens=0, output_tokens=0)) == "0 in, 0 out"


def test_token_classes_are_named_where_there_are_some() -> None:
    receipt = made(
        input_tokens=2,
        cache_read_tokens=8,
        output_tokens=5,
        reasoning_tokens=3,
        tokens_estimated=True,
    )
    assert tokens(receipt) == "10 in, 8 of them from cache, 5 out, 3 reasoning (estimated)"


@pytest.mark.parametrize("columns", [40, 80, 300])
def test_the_picture_keeps_to_its_columns_and_names_the_receipt(columns: int) -> None:
    receipt = made(
        gateway_s=0.001,
        connect_s=0.002,
        first_token_s=0.2,
        generation_s=0.8,
        ttft_s=0.203,
        total_s=1.003,
        output_tokens_per_s=50.0,
        route="chat",
        target="small",
        status=200,
        finish_reason="stop",
    )
    text = picture(receipt, columns)
    assert all(len(line) <= max(columns, 40) for line in text.splitlines())
    assert "0190-id" in text
    assert "queue unknown" in text
    assert "generation 800 ms" in text
    assert "\x1b" not in text


def test_earlier_attempts_are_named_where_there_were_some() -> None:
    assert "earlier attempts" not in picture(made(total_s=1.0), 80)
    assert "earlier attempts 500 ms" in picture(made(total_s=1.0, earlier_s=0.5), 80)
