"""What a row of LiteLLM's ledger may hold, of a table or of a file."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stores.litellm_spend_logs import COLUMNS
from tidegate.stores.litellm_spend_rows import row_of

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ROW: dict[str, str | None] = {
    "request_id": "chatcmpl-1",
    "litellm_call_id": "call-1",
    "startTime": "2026-11-22 10:00:00",
    "status": "success",
    "spend": "0.000123456",
    "prompt_tokens": "11",
    "completion_tokens": "5",
    "api_key": "ab" * 32,
    "team_id": "",
    "user": "u",
    "end_user": None,
    "model_group": "chat",
    "model": "gpt-4o",
    "custom_llm_provider": "openai",
    "api_base": "https://api.openai.com/v1",
    "cache_hit": "False",
}


def test_a_row_is_read_without_loss_and_empty_is_unknown() -> None:
    found = row_of(ROW)
    assert found is not None
    assert (found.id, found.call_id, found.at_s) == ("chatcmpl-1", "call-1", AT.timestamp())
    assert (found.spend_nanousd, found.input_tokens, found.output_tokens) == (123_456, 11, 5)
    assert (found.team, found.user, found.end_user, found.succeeded) == (None, "u", None, True)
    assert (found.model, found.provider, found.from_cache) == ("chat", "openai", False)
    assert found.sold == "gpt-4o"


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({"spend": None}, "spend_nanousd", None),
        ({"spend": "1e-07"}, "spend_nanousd", 100),
        ({"spend": "NaN"}, "spend_nanousd", None),
        ({"prompt_tokens": "-4"}, "input_tokens", None),
        ({"status": ""}, "succeeded", None),
        ({"status": "failure"}, "succeeded", False),
        ({"cache_hit": "True"}, "from_cache", True),
        ({"model_group": None}, "model", "gpt-4o"),
        ({"startTime": "2026-11-22T11:00:00+01:00"}, "at_s", AT.timestamp()),
        ({"startTime": "1795341600.5"}, "at_s", 1795341600.5),
        ({"startTime": "1795341600500"}, "at_s", 1795341600.5),
        ({"prompt_tokens": "12.0"}, "input_tokens", 12),
    ],
    ids=str,
)
def test_what_a_column_may_hold(change: dict[str, Any], name: str, value: Any) -> None:
    found = row_of({**ROW, **change})
    assert found is not None and getattr(found, name) == value


def test_a_row_without_a_time_is_none_and_without_an_id_is_one_that_nobody_saw() -> None:
    assert row_of({**ROW, "startTime": None}) is None
    found = row_of({**ROW, "request_id": None})
    assert found is not None and found.id == ""


def test_what_a_ledger_has_no_column_for_is_told_apart_from_an_empty_one() -> None:
    found = row_of({"request_id": "r", "startTime": "2026-11-22", "spend": None})
    assert found is not None and found.lacks == ("status", "tokens", "names")


@given(st.dictionaries(st.sampled_from(COLUMNS), st.none() | st.text(max_size=30)))
def test_nothing_that_a_column_may_hold_raises(told: dict[str, str | None]) -> None:
    row_of(told)
