"""The key of a run: made with a ceiling, revoked whatever happens; its receipts."""

from decimal import Decimal
from pathlib import Path

import click
import msgspec
import pytest
from tests.cli.conftest import FakeControl
from tests.cli.house import lends_keys

from tidegate.cli._client import Control
from tidegate.cli._eval_house import Ledger, newest_receipt, run_key, spent_nanousd
from tidegate.evals.receipts import Unread


def opened(control: FakeControl) -> Control:
    return Control(Path(control.layout.state), "http://127.0.0.1:4999")


def test_it_may_spend_so_much_and_ends_with_the_run(control: FakeControl) -> None:
    lends_keys(control)
    with (
        opened(control) as house,
        pytest.raises(KeyboardInterrupt),
        run_key(house, "eval s", ["a", "b", "a"], Decimal("1.50"), "team") as key,
    ):
        assert key.id == "abcdefgh"
        raise KeyboardInterrupt
    body = msgspec.json.decode(control.asked[0].content)
    assert (body["purpose"], body["routes"], body["team"]) == ("eval", ["a", "b"], "team")
    assert body["limits"] == {"budget": "1.50", "budget_per": "lifetime", "budget_alerts": []}
    assert control.asked[-1].url.path == "/api/keys/abcdefgh/revoke"


def test_one_that_cannot_be_revoked_is_told(
    control: FakeControl, capsys: pytest.CaptureFixture[str]
) -> None:
    lends_keys(control)
    del control.answers["POST /api/keys/abcdefgh/revoke"]
    with opened(control) as house, run_key(house, "s", ["a"], Decimal(1), None):
        pass
    assert "tidegate key revoke abcdefgh" in capsys.readouterr().err


def test_receipts_of_the_run_come_page_by_page(control: FakeControl) -> None:
    receipt = {"id": "r", "started_at_s": 1.0, "gateway": "g", "endpoint": "chat"}
    control.answers["GET /api/receipts"] = {"receipts": [receipt], "cursor": 9}
    with opened(control) as house:
        page = Ledger(house, "run-1")(4)
        assert ([it.id for it in page.receipts], page.cursor) == (["r"], 9)
        assert dict(control.asked[-1].url.params) == {
            "after": "4",
            "session_id": "run-1",
            "limit": "1000",
        }
        del control.answers["GET /api/receipts"]
        with pytest.raises(Unread):
            Ledger(house, "run-1")(4)


def test_what_a_run_has_cost_is_all_that_was_asked_for_it(control: FakeControl) -> None:
    known = {"id": "r", "started_at_s": 1.0, "gateway": "g", "endpoint": "chat", "cost_nanousd": 3}
    bounded = {**known, "cost_nanousd": None, "most_nanousd": 40}
    control.answers["GET /api/receipts"] = {"receipts": [known, bounded], "cursor": 9}
    with opened(control) as house:
        assert newest_receipt(house) == 9
        assert "after" not in control.asked[-1].url.params
        control.asked.clear()
        assert spent_nanousd(house, "run-1", 4, 9) == 3 * 43
        asked = [(it.url.params["session_id"], it.url.params["after"]) for it in control.asked]
        assert asked == [("run-1", "4"), ("run-1.judge", "4"), ("run-1.embed", "4")]
        assert spent_nanousd(house, "run-1", 9, 9) == 0
        del control.answers["GET /api/receipts"]
        with pytest.raises(click.ClickException, match="nobody knows what the run has cost"):
            spent_nanousd(house, "run-1", 4, 9)
