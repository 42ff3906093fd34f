"""Probes against an engine that fails on demand, as their operator sees them: a target's trouble is
found, and its end, without a single request of a caller."""

import asyncio
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.rig import House

from tidegate.control.shapes import ReceiptPage
from tidegate.control.shapes_targets import TargetList, TargetView
from tidegate.sim.options import Options
from tidegate.sim.script import parse_line
from tidegate.sim.server import serve
from tidegate.stores.figures import Summary

PLAN = """\
providers:
  engine: {{kind: sim, base_url: "{url}"}}
targets:
  small:
    provider: engine
    model: sim
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
    breaker: {{failures: 2, open_s: 60s}}
    probe: {{every_s: 1s, timeout_s: 1s, max_tokens: 4, expect: {{regex: '^[^%]+$'}}}}
routes: {{chat: small}}
budgets: {{all: {{amount: $1, per: day}}}}
"""
PATIENCE_S = 30.0


class Engine:
    """A simulated engine in a thread of its own, whose faults can be changed."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)

    async def _run(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        running = await serve(Options(models=("sim",)))
        self.url, self._sim = running.base_url, running.sim
        self._ready.set()
        await self._end.wait()
        await running.close()

    def fail(self, *lines: str) -> None:
        faults = [parse_line(line) for line in lines]
        self._loop.call_soon_threadsafe(self._sim.script.replace, faults)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE_S)


@pytest.fixture
def engine() -> Iterator[Engine]:
    it = Engine()
    yield it
    it.close()


def seen(house: House, true: Callable[[TargetView], object]) -> TargetView:
    """The target, once that is so of it."""
    until_s = time.monotonic() + PATIENCE_S
    with house.control() as control:
        while True:
            [view] = control.get("/api/targets", TargetList).targets
            if true(view):
                return view
            assert time.monotonic() < until_s, view
            time.sleep(0.1)


def test_trouble_and_its_end_are_found_without_a_caller(tmp_path: Path, engine: Engine) -> None:
    with House(tmp_path, PLAN.format(url=engine.url)) as house:
        well = seen(house, lambda it: it.last_good_at_s)
        assert (well.parts_up, well.parts_probed, well.left_alone) == (1, 1, 0)
        assert well.probe is not None and well.probe.every_s == 1.0
        engine.fail("status:500")
        down = seen(house, lambda it: it.left_alone == 1)
        assert down.parts_up == 0 and down.availability is not None and down.availability < 1.0
        engine.fail()
        seen(house, lambda it: it.left_alone == 0 and it.parts_up == 1)
        with house.control() as control:
            page = control.get("/api/receipts", ReceiptPage, purpose="probe")
            sums = control.get("/api/receipts/summary", Summary).sums
        assert {it.purpose for it in page.receipts} == {"probe"}
        assert {"upstream_error", None} <= {it.error_code for it in page.receipts}
        assert any(it.cost_nanousd for it in page.receipts)
        assert (sums.requests, sums.errors) == (0, 0)
        metrics = urllib.request.urlopen(
            f"{(house.layout.run / 'control.url').read_text().strip()}/metrics", timeout=5
        ).read()
        assert b'tidegate_probes_total{failure="",provider="engine",target="small"}' in metrics
        assert b"tidegate_probe_last_success_timestamp_seconds{" in metrics
        assert b"tidegate_requests_total{" not in metrics
        engine.fail("stall:20")
        seen(house, lambda it: it.parts_up == 0)
        assert house.stop() == 0, "while one is under way"
