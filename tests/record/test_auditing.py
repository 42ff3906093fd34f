"""A ledger beside what was seen: what it lacks, has twice, has wrong, and what nobody can tell."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.audit import AuditReport, LedgerRow, Observed
from tidegate.core.price import Price, Rate
from tidegate.record.auditing import MOST_EXAMPLES, audit

# A dollar a million tokens of input, two of output, a tenth for what was cached.
PRICE = Price("p", "plan", Rate(10**9), Rate(10**8), None, Rate(2 * 10**9))


def seen(id: str, at_s: float = 1000.0, **fields: Any) -> Observed:
    told: dict[str, Any] = {
        "answer_id": id,
        "input_tokens": 100,
        "output_tokens": 50,
        "status": 200,
        "model": "m",
        "key": "k",
    }
    of = {"side": "front", "path": "/v1/chat/completions", "end": "whole", "stream": True}
    return Observed(id=f"seen-{id}", at_s=at_s, **{**of, **told, **fields})  # type: ignore[arg-type]


def row(id: str, at_s: float = 1001.0, **fields: Any) -> LedgerRow:
    told: dict[str, Any] = {
        "succeeded": True,
        "spend_nanousd": 200_000,
        "input_tokens": 100,
        "output_tokens": 50,
        "key": "k",
        "team": "t",
        "model": "m",
        "provider": "openai",
    }
    return LedgerRow(id, at_s, **{**told, **fields})


def held(observed: list[Observed], rows: list[LedgerRow]) -> AuditReport:
    return audit(observed, rows, lambda _: PRICE)


def found(report: AuditReport) -> dict[str, tuple[int, int | None, int | None]]:
    return {it.kind: (it.count, it.tokens, it.nanousd) for it in report.findings}


def test_what_agrees_is_nothing_to_tell() -> None:
    report = held(
        [seen("a"), seen("b", answer_id=None, call_id="call")],
        [
            row("a"),
            row("other-id", call_id="call"),
        ],
    )
    assert (report.findings, report.matched, report.judged) == ((), 2, 2)
    assert report.spend_nanousd == 400_000


@pytest.mark.parametrize(
    ("observed", "told", "kind", "tokens", "nanousd"),
    [
        (seen("x"), None, "lost", -150, None),
        (seen("x", end="left", input_tokens=None), None, "lost", None, None),
        (seen("x", side="back"), None, "unrecorded_call", -150, None),
        (seen("x", end="cut"), row("x"), "cut_as_success", 0, 200_000),
        (seen("x"), row("x", input_tokens=90), "fewer_tokens", -10, None),
        (seen("x"), row("x", output_tokens=60), "more_tokens", 10, None),
        (seen("x"), row("x", team=None), "unattributed", 0, 200_000),
        (seen("x"), row("x", spend_nanousd=0), "unpriced", 0, -200_000),
        (seen("x"), row("x", spend_nanousd=None), "unpriced", 0, -200_000),
        (seen("x"), row("x", spend_nanousd=300_000), "other_cost", 0, 100_000),
        (None, row("x"), "unseen_row", None, 200_000),
    ],
    ids=lambda it: it if isinstance(it, str) else None,
)
def test_each_fault_is_found_with_its_size(
    observed: Observed | None,
    told: LedgerRow | None,
    kind: str,
    tokens: int | None,
    nanousd: int | None,
) -> None:
    report = held(
        [seen("ok"), *([observed] if observed else [])],
        [
            row("ok"),
            *([told] if told else []),
        ],
    )
    assert found(report) == {kind: (1, tokens, nanousd)}


def test_cached_tokens_that_are_counted_twice_are_told_apart() -> None:
    cached = seen("x", cache_read_tokens=80)
    cost = 20_000 + 8_000 + 100_000
    report = held([cached], [row("x", input_tokens=180, spend_nanousd=cost)])
    assert found(report) == {"cached_twice": (1, 80, None)}
    dear = held([cached], [row("x", input_tokens=180, spend_nanousd=cost + 72_000)])
    assert found(dear)["other_cost"] == (1, 0, 72_000)


def test_the_provider_s_word_goes_before_the_gateway_s() -> None:
    front = seen("x", input_tokens=180)
    back = seen("y", side="back", answer_id="x", input_tokens=100)
    report = held([front, back], [row("x", input_tokens=180)])
    assert found(report) == {"more_tokens": (1, 80, None)}


def test_a_stream_that_was_cut_behind_a_gateway_that_says_it_was_whole() -> None:
    back = seen("y", side="back", answer_id="x", end="cut")
    again = seen("z", side="back", answer_id="x")
    assert "cut_as_success" in found(held([seen("x"), back], [row("x")]))
    assert "cut_as_success" not in found(held([seen("x"), back, again], [row("x")]))
    assert "cut_as_success" not in found(held([back], [row("x", succeeded=False)]))


def test_a_stream_that_the_gateway_itself_cut_behind_a_provider_that_sent_it_whole() -> None:
    whole = seen("y", side="back", answer_id="x")
    assert "cut_as_success" in found(held([seen("x", end="cut"), whole], [row("x")]))


def test_what_nobody_answered_is_not_lost() -> None:
    assert held([seen("x", end="cut", status=None, input_tokens=None)], []).findings == ()


def test_many_copies_of_one_key_are_held_against_as_many_rows_in_time() -> None:
    many = 10_000
    copies = [seen(str(n), 1000.0 + n / 100, end="unseen", answer_id=None) for n in range(many)]
    rows = [row(f"r{n}", 1000.005 + n / 100) for n in range(many)]
    report = held(copies, rows)
    assert report.matched == many
    assert "lost" not in found(report)


def test_what_was_refused_need_not_be_there_and_a_kept_answer_costs_nothing() -> None:
    refused = seen("r", end="refused", status=429, input_tokens=None)
    kept = row("x", from_cache=True, spend_nanousd=0)
    report = held([refused, seen("x")], [kept])
    assert (report.findings, report.judged) == ((), 0)


def test_nothing_is_judged_that_nobody_told() -> None:
    silent = seen("x", input_tokens=None, output_tokens=None)
    report = held([silent], [row("x", input_tokens=1, spend_nanousd=7)])
    assert (report.findings, report.matched, report.judged) == ((), 1, 0)
    unpriced = audit([seen("x")], [row("x", spend_nanousd=7)], lambda _: None)
    assert unpriced.findings == ()


def test_copies_of_requests_find_the_nearest_row_of_their_key_and_model() -> None:
    copies = [
        seen(str(n), 1000.0 + n, end="unseen", answer_id=None, input_tokens=None, status=None)
        for n in range(4)
    ]
    rows = [row("r0", 1000.4), row("r1", 1001.2), row("r2", 1002.1), row("far", 1050.0)]
    report = held(copies, rows)
    assert found(report) == {"lost": (1, None, None), "unseen_row": (1, None, 200_000)}
    assert found(held(copies[:1], [row("r", key="another")]))["lost"][0] == 1


def test_rows_outside_what_was_observed_are_not_told() -> None:
    report = held([seen("x")], [row("x"), row("before", 10.0), row("after", 5000.0)])
    assert (report.rows, report.findings) == (1, ())


def test_examples_are_bounded_and_an_unknown_makes_the_sum_unknown() -> None:
    observed = [seen(str(n)) for n in range(20)]
    observed.append(seen("silent", input_tokens=None))
    [finding] = held(observed, []).findings
    assert (finding.count, finding.tokens) == (21, None)
    assert len(finding.examples) == MOST_EXAMPLES


@given(st.lists(st.sampled_from(["both", "seen", "row"]), max_size=30))
def test_every_request_and_row_is_told_of_once(kinds: list[str]) -> None:
    observed = [seen(str(n)) for n, kind in enumerate(kinds) if kind != "row"]
    rows = [row(str(n)) for n, kind in enumerate(kinds) if kind != "seen"]
    if not observed:
        return
    report = held(observed, rows)
    counts = {kind: count for kind, (count, _, _) in found(report).items()}
    assert counts.get("lost", 0) == kinds.count("seen")
    assert counts.get("unseen_row", 0) == kinds.count("row")
    assert report.matched == kinds.count("both")


def test_a_row_that_is_there_twice_is_counted_twice_and_told() -> None:
    assert found(held([seen("a")], [row("a"), row("a"), row("b", at_s=1002.0)])) == {
        "counted_twice": (1, 150, 200_000),
        "unseen_row": (1, None, 200_000),
    }


def test_two_requests_whose_answers_have_one_id_need_two_rows() -> None:
    """A gateway whose table takes an id once has lost the other; one seen twice is one."""
    first, other = seen("a", call_id="one"), seen("a", call_id="two", at_s=1000.5)
    assert found(held([first, other], [row("a", call_id="one")])) == {"lost": (1, -150, None)}
    both = [row("a", call_id="one"), row("a-again", call_id="two")]
    assert held([first, other], both).findings == ()
    again = seen("a", call_id="one", at_s=1000.1)
    assert held([first, again], [row("a", call_id="one")]).findings == ()


@pytest.mark.parametrize("off_s", [-7200.0, 30.0, 19_800.0])
def test_a_ledger_of_another_time_zone_is_held_together_by_its_ids(off_s: float) -> None:
    report = held([seen("a"), seen("b")], [row("a", 1000.0 + off_s), row("b", 1000.0 + off_s)])
    assert (report.findings, report.matched, report.skew_s) == ((), 2, off_s)


def test_what_a_ledger_has_no_column_for_is_not_judged_and_said() -> None:
    bare = LedgerRow("a", 1001.0, lacks=("status", "tokens", "money", "names"))
    report = held([seen("a", end="cut")], [bare])
    assert (report.findings, report.judged) == ((), 0)
    assert report.lacks == ("money", "names", "status", "tokens")
    nobodys = row("a", team=None, lacks=("names",))
    assert held([seen("a")], [nobodys]).findings == ()
