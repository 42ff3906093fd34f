"""Questions become vectors beside the loop: in time, in turn, or not at all."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.gateway.nearby import Words, vector_of
from tests.gateway.rig import run

from tidegate.core.encoding import EncoderUnavailable, Vector
from tidegate.gateway import encodings
from tidegate.gateway.encodings import MOST_BEHIND, Encodings


class Held(Words):
    """Waits for leave before each text."""

    def __init__(self) -> None:
        super().__init__(fast=False)
        self.leave = threading.Semaphore(0)

    def encode(self, texts: Sequence[str]) -> list[Vector | None]:
        self.leave.acquire()
        return super().encode(texts)


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - nothing announces it
        await asyncio.sleep(0.001)


async def loaded(encoder: Any) -> Encodings:
    it = Encodings("words", lambda _: encoder)
    await until(lambda: it.off() is None)
    return it


def test_a_text_is_encoded_beside_the_loop() -> None:
    async def main() -> None:
        it = await loaded(Words(fast=False))
        future = it.ask("a b", 1.0)
        assert future is not None
        assert not future.done()
        assert await future == vector_of("a b")
        assert it.mean_s > 0
        it.stop()
        assert it.ask("a", 1.0) is None

    run(main())


def test_what_is_fast_is_encoded_at_once() -> None:
    async def main() -> None:
        it = await loaded(Words())
        future = it.ask("a b", 1.0)
        assert future is not None
        assert future.done()
        it._late_s.extend([0.01] * 15)
        assert it.at_once("a") == vector_of("a"), "one slow core after the other is not its fault"
        it._late_s.extend([0.01] * 16)  # it has turned out not to be
        future = it.ask("a", 1.0)
        assert future is not None
        assert not future.done()
        assert it.at_once("a") is None
        await until(lambda: it.at_once("a") is not None)
        it.stop()

    run(main())


def test_lookups_go_before_what_is_only_to_be_kept() -> None:
    async def main() -> None:
        encoder = Held()
        it = await loaded(encoder)
        every = [it.ask(text, patience) for text, patience in (("a", None), ("b", None))]
        await until(lambda: it._began_s is not None)
        every.append(it.ask("c", 1.0))
        assert None not in every
        encoder.leave.release(3)
        await asyncio.gather(*(future for future in every if future is not None))
        assert encoder.asked == ["a", "c", "b"]
        it.stop()

    run(main())


def test_nobody_waits_for_what_comes_too_late_and_what_waits_is_bounded() -> None:
    async def main() -> None:
        encoder = Held()
        it = await loaded(encoder)
        it.mean_s = 0.02
        assert it.ask("a", 0.05) is not None
        await until(lambda: it._began_s is not None)
        assert it.ask("b", 0.05) is not None
        assert it.ask("c", 0.05) is not None
        assert it.ask("d", 0.05) is None, "its turn would come after 60 ms"
        taken = sum(it.ask("e", None) is not None for _ in range(MOST_BEHIND + 5))
        assert taken == MOST_BEHIND
        it.stop()
        encoder.leave.release(3)

    run(main())


def test_what_nobody_waits_for_any_more_is_not_encoded() -> None:
    async def main() -> None:
        encoder = Held()
        it = await loaded(encoder)
        first, second, third = (it.ask(text, 1.0) for text in "abc")
        assert first is not None
        assert second is not None
        assert third is not None
        await until(lambda: it._began_s is not None)
        second.cancel()
        encoder.leave.release(2)
        await third
        assert encoder.asked == ["a", "c"]
        it.stop()

    run(main())


def test_one_that_hangs_is_off_until_it_comes_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(encodings, "HANG_S", 0.02)

    async def main() -> None:
        encoder = Held()
        it = await loaded(encoder)
        future = it.ask("a", 1.0)
        assert future is not None
        await asyncio.sleep(0.03)
        assert it.off() == "hangs"
        assert it.ask("b", 1.0) is None
        encoder.leave.release(1)
        await future
        assert it.off() is None
        it.stop()
        encoder.leave.release(1)

    run(main())
    assert len(caplog.records) == 1


def test_what_cannot_be_loaded_is_off_and_says_why() -> None:
    async def main() -> None:
        def missing(name: str) -> Any:
            raise EncoderUnavailable(f"no {name} here")

        def broken(name: str) -> Any:
            raise KeyError(name)

        for load, why in ((missing, "no words here"), (broken, "KeyError: 'words'")):
            it = Encodings("words", load)
            await until(lambda it=it: it.off() == "unavailable")  # type: ignore[misc]
            assert it.why == why
            assert it.ask("a", 1.0) is None

    run(main())


def test_a_success_between_failures_is_one() -> None:
    class Every(Words):
        def encode(self, texts: Sequence[str]) -> list[Vector | None]:
            if texts[0] == "bad":
                raise OSError
            return super().encode(texts)

    async def main() -> None:
        it = await loaded(Every(fast=False))
        for text in ("bad", "bad", "a", "bad", "bad"):
            future = it.ask(text, 1.0)
            assert future is not None
            await asyncio.wait((future,))
        assert it.off() is None
        future = it.ask("bad", 1.0)
        assert future is not None
        await asyncio.wait((future,))
        assert it.off() == "broken"
        it.stop()

    run(main())
