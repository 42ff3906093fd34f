"""kept_disk: what routes with `store: disk` had kept before this process began comes back, unless
it was invalidated meanwhile.

Nothing of the file is given before control has said what may be given no more: until then, and
while it is being read, what is not in memory is a miss. An invalidation is noted in the file after
all that it means was deleted there; one that is not noted is obeyed again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import msgspec

from tidegate.core.cache_labels import Selector
from tidegate.core.feed import MOST_TOLD, TOLD_S
from tidegate.core.invalidated import Invalidated
from tidegate.core.kept_answer import KeptAnswer
from tidegate.stores.disk_answers import DiskAnswers, DiskVectors
from tidegate.stores.kept_file import KeptFile, KeptRow

log = logging.getLogger(__name__)

_LOOK_S: Final = 0.1
_PATIENCE_S: Final = 30.0
_encode = msgspec.msgpack.Encoder().encode

# The store whose rows are in a place; None where the plan keeps nothing there.
StoreOf = Callable[[str], DiskAnswers | DiskVectors | None]


class KeptDisk:
    """`is_void` says of an answer what the shared store has invalidated, None while nobody knows.
    `restored` counts what has come back; `prepare` is called in a thread before, and `tidy` after
    all is there."""

    def __init__(
        self, path: Path, store_of: StoreOf, is_void: Callable[[KeptAnswer | None], bool | None]
    ) -> None:
        self.file: KeptFile | None = None
        self.restored = 0
        self.prepare: Callable[[], object] = lambda: None
        self.tidy: Callable[[], Awaitable[None]] = _nothing
        self._path = path
        self._store_of = store_of
        self._is_void = is_void
        self._told: dict[str, Selector] = {}
        self._log: Invalidated[int] | None = None
        self._caught_up = asyncio.Event()
        self._reading, self._stopped = True, False
        self._all_read = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> KeptFile:
        """The file, from when a route first keeps something in it."""
        if self.file is None:
            self.file = KeptFile(self._path)
            self._begin(self._read(self.file, self.file.start()))
        return self.file

    def caught_up(self) -> None:
        """Control has told what was invalidated lately."""
        self._caught_up.set()

    def told(self, name: str, selector: Selector, swept: Callable[[], Awaitable[None]]) -> None:
        """An invalidation that control has told under this id; `swept` waits until memory is rid of
        all that it means."""
        if self._log is None and len(self._told) < MOST_TOLD:
            self._told[name] = selector
        if self._log is not None:
            self._log.add(self._log.newest + 1, selector)
        if self.file is not None:
            if selector.everything and self._caught_up.is_set():
                self.forget_all()
            self._begin(self._note(self.file, name, selector, swept))

    def forget_all(self) -> None:
        """Some invalidations were missed. What is not read yet must not come back."""
        if self._caught_up.is_set() and self.file is not None:
            self._reading = False
            self.file.clear()
            self._all_read.set()

    async def stop(self) -> None:
        """Writes what is in line."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._reading = False
        if self.file is not None:
            await asyncio.to_thread(self.file.stop)

    async def _read(self, file: KeptFile, told: "Future[list[tuple[str, bytes]]]") -> None:
        noted = {name for name, _ in await asyncio.wrap_future(told)}
        await self._caught_up.wait()
        while self._is_void(None) is None:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(_LOOK_S)
        # What searches takes long to load, and would be loaded on the loop.
        await asyncio.to_thread(self.prepare)
        new = [one for name, one in self._told.items() if name not in noted]
        if len(self._told) >= MOST_TOLD or any(one.everything for one in new):
            self.forget_all()
            return
        self._log = Invalidated(0)
        for number, one in enumerate(new, 1):
            self._log.add(number, one)
        loop = asyncio.get_running_loop()

        def heard(rows: list[KeptRow]) -> bool:
            if rows and self._reading:
                done = asyncio.run_coroutine_threadsafe(self._restore(file, rows), loop)
                done.result(_PATIENCE_S)
            if not rows:
                loop.call_soon_threadsafe(self._read_all, file)
            return self._reading

        file.load(heard)

    def _read_all(self, file: KeptFile) -> None:
        file.loaded()
        if not self._stopped:  # or not all was looked at
            self._begin(self._finish())

    async def _finish(self) -> None:
        try:
            await self.tidy()
        finally:
            self._all_read.set()

    async def _note(
        self,
        file: KeptFile,
        name: str,
        selector: Selector,
        swept: Callable[[], Awaitable[None]],
    ) -> None:
        await self._all_read.wait()  # what is void among the rest is deleted by then
        await swept()
        file.heard(name, _encode(selector), TOLD_S)

    async def _restore(self, file: KeptFile, rows: list[KeptRow]) -> None:
        for row in rows:
            store = None if row.age_s >= TOLD_S else self._store_of(row.place)
            if not self._reading:
                return
            if file.is_gone(row):
                continue
            if store is None:
                file.drop(row.place, row.name)
            elif isinstance(store, DiskAnswers):
                store.restore(row, self._is_gone)
            else:
                store.restore(row)
            self.restored += 1

    def _is_gone(self, answer: KeptAnswer) -> bool:
        void = self._log is None or self._log.voids(answer.labels, 0)
        return void or self._is_void(answer) is not False

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _nothing() -> None: ...
