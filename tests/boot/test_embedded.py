"""The recorder inside control: receipts reach the ledger, the metrics and the gateways."""

import threading
from pathlib import Path

import pytest
from tests.record.engines import answer, plan, serving, vllm_page
from tests.stores import rig

from tidegate.boot.embedded import EmbeddedRecorder
from tidegate.core import clock
from tidegate.core.clock import IdSource
from tidegate.core.feed import Status
from tidegate.core.layout import Layout, segment_name
from tidegate.core.receipt import SEGMENT_MAGIC, Receipt, encode_frame
from tidegate.stores import receipts


def test_it_takes_in_what_is_journalled_even_at_the_very_end(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    engine = rig.migrated(layout.ledger_db)
    folder = layout.journal_of("gateway-0")
    folder.mkdir(parents=True)
    made = Receipt(IdSource().new(), 1.0, "gateway-0", "chat", route="chat", status=200)
    told: list[tuple[str, int, int]] = []
    embedded = EmbeddedRecorder()
    embedded.start(
        layout,
        engine,
        lambda *place: told.append(place),
        litellm_names=False,
        session_alert_tokens=lambda: 0,
    )
    frame = encode_frame(made)
    (folder / segment_name(1)).write_bytes(SEGMENT_MAGIC + frame)
    embedded.observe_status("gateway-0", Status({"tidegate_requests_in_flight": 3.0}, {}))
    embedded.stop()
    assert receipts.by_id(engine, made.id) == made
    assert told[-1] == ("gateway-0", 1, len(SEGMENT_MAGIC) + len(frame))
    assert b"tidegate_requests_in_flight" in embedded.render()
    assert "recorder" not in [thread.name for thread in threading.enumerate()]
    engine.dispose()


def test_it_reads_the_engines_of_the_plan_with_their_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = rig.migrated(Layout(tmp_path).ledger_db)
    embedded = EmbeddedRecorder()
    monkeypatch.setenv("PAGE_KEY", "hush")
    with serving(answer(vllm_page(4, 10))) as (port, asked):
        url = f"http://127.0.0.1:{port}/v1"
        metrics = "metrics: {api_key: 'os.environ/PAGE_KEY'}"
        found = plan(
            f"  pool: {{provider: gpu, model: m, price: free, replicas: ['{url}'], {metrics}}}"
        )
        embedded.read_engines(engine, lambda: found)
        until_s = clock.monotonic_s() + 10
        while b"tidegate_engine_running" not in embedded.render() and clock.monotonic_s() < until_s:
            threading.Event().wait(0.02)
        embedded.stop()
    assert b"tidegate_engine_running{" in embedded.render()
    assert b"authorization: bearer hush" in asked[0].lower()
    assert "engines" not in [thread.name for thread in threading.enumerate()]
    engine.dispose()
