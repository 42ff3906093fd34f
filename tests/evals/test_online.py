"""The thread in which live answers are looked at: when it works, and what failures come to."""

import asyncio
import logging
import threading
from pathlib import Path

import pytest
from tests.evals.online_room import Counting, Room, declared

from tidegate.control.online import Given
from tidegate.core import clock
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.evals.online import FIRST_PAUSE_S, OnlineQuality, is_asked, repeat

PATIENCE_S = 20.0


class _Jobs:
    def __init__(self) -> None:
        self.counting = Counting(wait_s=0.01)
        self.jobs = (self.counting,)
        self.entered = 0
        self.left = 0

    async def __aenter__(self) -> "_Jobs":
        self.entered += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left += 1


def _until(condition: object) -> None:
    until_s = clock.monotonic_s() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert clock.monotonic_s() < until_s
        threading.Event().wait(0.01)


def test_jobs_work_while_this_control_leads_and_a_route_asks(tmp_path: Path) -> None:
    jobs, loaded = _Jobs(), list[Given]()

    def load(given: Given) -> _Jobs:
        loaded.append(given)
        return jobs

    with Room(tmp_path) as room:
        online = OnlineQuality(load)
        online.start(room.given)
        assert online.render() == b""
        assert not is_asked(room.given)
        room.declared = declared({"chat": DeclaredQuality(), "other": None})
        _until(lambda: jobs.counting.steps > 1)
        assert online.render().startswith(b"steps ")
        room.leads = False
        _until(lambda: jobs.left == 1)
        before = jobs.counting.steps
        room.leads = True
        _until(lambda: jobs.counting.steps > before)
        online.stop()
    assert (jobs.entered, jobs.left, len(loaded)) == (2, 2, 1)
    assert "online quality" not in [it.name for it in threading.enumerate()]


def test_nothing_is_loaded_where_no_route_asks(tmp_path: Path) -> None:
    loaded = []
    with Room(tmp_path) as room:
        online = OnlineQuality(lambda given: loaded.append(given) or _Jobs())  # type: ignore[func-returns-value]
        online.start(room.given)
        online.stop()
    assert not loaded


def test_a_job_that_fails_is_tried_again_and_its_words_are_told_nobody(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    job = Counting(fails=True, wait_s=7.0)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        job.fails = len(waited) < 3
        if len(waited) == 5:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with caplog.at_level(logging.ERROR), pytest.raises(asyncio.CancelledError):
        asyncio.run(repeat(job))
    assert waited == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S, 7.0, 7.0]
    assert "ValueError" in caplog.text and "what was said" not in caplog.text
