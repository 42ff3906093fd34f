"""The journal: every receipt is on its way to disk before its answer's last byte.

Receipts of one loop turn go out in one write; the endings of their answers follow it. So a
killed process loses nothing that a client has seen the end of. `durability` says what an ending
waits for: the write (`process`), the disk (`disk`) or the ledger (`store`).
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tidegate.core import clock, layout
from tidegate.core.plan import JournalBounds
from tidegate.core.receipt import SEGMENT_MAGIC
from tidegate.gateway.journal_lock import take_lock

log = logging.getLogger(__name__)

SYNC_EVERY_S = 0.05
# How long an ending waits for its promise to be kept before its connection is dropped.
WAIT_S = 10.0

Ending = Callable[[], None]
Position = tuple[int, int]


class Journal:
    """Appends frames to numbered segments in one folder, which it owns by a lock.

    `full` says that no more receipts can be taken: the disk cap is reached or the disk refuses.
    """

    def __init__(self, folder: Path, bounds: JournalBounds) -> None:
        self.folder = folder
        self.bounds = bounds
        self.full = False
        self.bytes_on_disk = 0
        self.write_errors = 0
        self.appended = 0
        self._frames: list[bytes] = []
        self._endings: list[tuple[Ending, Ending]] = []
        self._stuck_since_s = 0.0
        self._scheduled = False
        self._segment = 0
        self._offset = 0
        self._file = -1
        self._lock = -1
        self._synced: Position = (0, 0)
        self._stuck = False
        self._syncing = False
        self._sync_task: asyncio.Task[None] | None = None
        self._waiting: deque[tuple[Position, float, Ending, Ending]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-sync")

    def open(self, recorded: Position = (0, 0)) -> None:
        """Takes the folder and begins a new segment. JournalLocked; OSError.

        Blocks for up to a second while another holds the folder's lock.
        `recorded` is how far the ledger holds this journal: no number of it is used again, even
        when the folder has been emptied.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = take_lock(self.folder)
        numbers = [int(p.stem) for p in self.folder.glob("*.journal") if p.stem.isdigit()]
        self._segment = max([*numbers, recorded[0]])
        self._next_segment()
        self.measure()

    def append(self, frame: bytes, ending: Ending, give_up: Ending) -> None:
        """Takes a receipt's frame; `ending` runs once it is as safe as promised.

        `give_up` runs instead when the promise cannot be kept in time.
        """
        self._frames.append(frame)
        if self.bounds.durability == "process":
            self._endings.append((ending, give_up))
        else:
            self._waiting.append(((0, 0), clock.monotonic_s(), ending, give_up))
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def written(self, frame: bytes) -> "asyncio.Future[bool]":
        """Takes a receipt's frame. Whether it has become as safe as promised, in time."""
        safe = asyncio.get_running_loop().create_future()
        self.append(frame, partial(_tell, safe, True), partial(_tell, safe, False))
        return safe

    def unwritten(self) -> bytes:
        """The frames that are not in the files yet, in their order."""
        return b"".join(self._frames)

    def recorded(self, segment: int, offset: int) -> None:
        """The recorder has committed everything up to this position to the ledger."""
        self._release((segment, offset))

    def sweep(self, now_s: float) -> None:
        """Tries again what could not be written, and gives up on what has waited too long."""
        if self._frames and not self._scheduled:
            self._flush()
        if self._stuck and self._endings and now_s - self._stuck_since_s > WAIT_S:
            self._give_up_endings()
        while self._waiting and now_s - self._waiting[0][1] > WAIT_S:
            _end(self._waiting.popleft()[3])

    def measure(self) -> None:
        """Looks how much of the journal the recorder has not taken away yet."""
        total = 0
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".journal"):
                        total += entry.stat().st_size
        except OSError:
            return  # a segment went while we looked; the next look counts again
        self.bytes_on_disk = total
        self.full = self._stuck or total > self.bounds.max_bytes
        if self.full and self._offset > len(SEGMENT_MAGIC) and not self._stuck:
            # Only finished segments are ever deleted, and no new work will finish this one.
            try:
                self._next_segment()
            except OSError as error:
                self.write_errors += 1
                log.error("the full journal cannot begin a new segment: %s", error)

    async def close(self) -> None:
        """Writes and syncs what is left, and lets the folder go."""
        self._flush()
        if self._frames:
            log.error("%d receipts could not be written and are lost", len(self._frames))
            self._give_up_endings()
        loop = asyncio.get_running_loop()
        if self._file >= 0:
            try:
                await loop.run_in_executor(self._thread, _sync, self._file)
                self._synced = (self._segment, self._offset)
            except OSError as error:
                log.error("the journal cannot be synced: %s", error)
        if self._sync_task is not None:  # whose thread is done, or it would outlive its loop
            await asyncio.wait([self._sync_task])
        self._thread.shutdown(wait=True)
        self._release((self._segment, self._offset))
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def _next_segment(self) -> None:
        path = self.folder / layout.segment_name(self._segment + 1)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        file = os.open(path, flags, 0o600)
        try:
            os.write(file, SEGMENT_MAGIC)
        except OSError:
            os.close(file)
            path.unlink()  # its number is tried again
            raise
        if self._file >= 0:
            # The old segment reaches the disk before anybody can find it finished.
            loop, segment = asyncio.get_running_loop(), self._segment
            self._thread.submit(_sync_and_close, self._file).add_done_callback(
                lambda done: loop.call_soon_threadsafe(self._left, segment, done.exception())
            )
        self._file = file
        self._segment += 1
        self._offset = len(SEGMENT_MAGIC)

    def _left(self, segment: int, error: BaseException | None) -> None:
        """A segment is synced and closed. What was not synced keeps no promise to the disk."""
        if error is None:
            return
        self.write_errors += 1
        log.error("a segment of the journal cannot be synced: %s", error)
        if self.bounds.durability == "disk":
            while self._waiting and (0, 0) < self._waiting[0][0] < (segment + 1, 0):
                _end(self._waiting.popleft()[3])

    def _flush(self) -> None:
        """One write for all receipts of this turn, then the endings that waited for it."""
        self._scheduled = False
        frames, self._frames = self._frames, []
        if frames:
            try:
                if self._offset > self.bounds.segment_bytes:
                    self._next_segment()
                self._write(frames[0] if len(frames) == 1 else b"".join(frames))
                self.appended += len(frames)
                self._stuck = False
            except OSError as error:
                self._cannot_write(frames, error)
        if not self._frames:
            endings, self._endings = self._endings, []
            for ending, _ in endings:
                _end(ending)
            if self._waiting:
                self._place_waiting()
        if not self._syncing:
            self._schedule_sync()

    def _write(self, data: bytes) -> None:
        written = 0
        try:
            written = os.write(self._file, data)
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            if written:  # no half frame may lie in the way of the next one
                os.ftruncate(self._file, self._offset)
            raise
        self._offset += len(data)

    def _cannot_write(self, frames: list[bytes], error: OSError) -> None:
        """Keeps the receipts in memory and refuses new work until they can be written."""
        self._frames = frames + self._frames
        if not self._stuck:
            log.error("the journal cannot be written, new work is refused: %s", error)
            self._stuck_since_s = clock.monotonic_s()
        self.full = self._stuck = True
        self.write_errors += 1

    def _give_up_endings(self) -> None:
        endings, self._endings = self._endings, []
        for _, give_up in endings:
            _end(give_up)

    def _place_waiting(self) -> None:
        """Gives the endings that came in this turn the position that they wait for."""
        here = (self._segment, self._offset)
        for index in range(len(self._waiting) - 1, -1, -1):
            position, since_s, ending, give_up = self._waiting[index]
            if position != (0, 0):
                break
            self._waiting[index] = (here, since_s, ending, give_up)

    def _release(self, reached: Position) -> None:
        while self._waiting and (0, 0) < self._waiting[0][0] <= reached:
            _end(self._waiting.popleft()[2])

    def _schedule_sync(self) -> None:
        if self._syncing or (self._segment, self._offset) == self._synced or self._file < 0:
            return
        self._syncing = True
        loop = asyncio.get_running_loop()
        if self.bounds.durability == "disk":
            self._start_sync()
        else:
            loop.call_later(SYNC_EVERY_S, self._start_sync)

    def _start_sync(self) -> None:
        if self._file < 0:  # closed meanwhile, and synced
            return
        self._sync_task = asyncio.get_running_loop().create_task(self._sync())

    async def _sync(self) -> None:
        reached = (self._segment, self._offset)
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, _sync, self._file)
        except (OSError, RuntimeError) as error:
            self.write_errors += 1
            log.error("the journal cannot be synced: %s", error)
            # A later sync may succeed and yet not hold what this one lost.
            while self._waiting and (0, 0) < self._waiting[0][0] <= reached:
                _end(self._waiting.popleft()[3])
            return
        finally:
            self._syncing = False
        self._synced = reached
        if self.bounds.durability != "store":
            self._release(reached)
        self._schedule_sync()


def nothing() -> None:
    """The ending of what nobody waits for."""


def _tell(safe: "asyncio.Future[bool]", kept: bool) -> None:
    if not safe.done():  # whoever waited may have left
        safe.set_result(kept)


def _sync(file: int) -> None:
    os.fsync(file)


def _sync_and_close(file: int) -> None:
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _end(ending: Ending) -> None:
    """Runs an ending; one that fails must not keep the others of its turn from running."""
    try:
        ending()
    except Exception:
        log.exception("an answer could not be ended")
