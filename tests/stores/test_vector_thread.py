"""One thing after another, in the order asked for; who waits too long has nothing."""

import threading

import pytest
from tests.stores.redis_rig import run

from tidegate.stores import vector_thread
from tidegate.stores.vector_thread import VectorThread


def test_it_does_what_it_is_told_in_that_order() -> None:
    async def main() -> None:
        thread, done = VectorThread(), list[int]()
        for number in range(50):
            thread.do(done.append, number)
        assert await thread.ask(done.copy, patience_s=5.0) == list(range(50))
        thread.stop()
        thread.do(done.append, 50)
        assert await thread.ask(done.copy, patience_s=5.0) is None
        assert len(done) == 50

    run(main())


def test_a_failure_is_told_and_nobody_fails_by_it(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise MemoryError("no more")

    async def main() -> None:
        thread = VectorThread()
        assert await thread.ask(broken, patience_s=5.0) is None
        assert await thread.ask(lambda: 1, patience_s=5.0) == 1
        thread.stop()

    run(main())
    assert "no more" in caplog.text


def test_who_finds_too_much_in_line_or_waits_too_long_has_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        thread, go = VectorThread(), threading.Event()
        thread.do(go.wait, 5.0)
        assert await thread.ask(lambda: 1, patience_s=0.01) is None
        monkeypatch.setattr(vector_thread, "_MOST_WAITING", 1)
        assert thread.full
        assert await thread.ask(lambda: 1, patience_s=5.0) is None
        assert (thread.late, thread.refused) == (1, 1)
        go.set()
        thread.stop()

    run(main())
