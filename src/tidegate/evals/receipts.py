"""What the gateway's receipts say of a run's answers: cost, tokens, times, refusals, who served."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.grading import Answered
from tidegate.core.receipt import Receipt
from tidegate.graders.refusal import REFUSED_FAILURE

# A receipt is in the ledger a moment after its answer; control may be starting anew.
PATIENCE_S: Final = 20.0
# So many are asked for at a time, and so often: each look costs control and the run as much as many
# receipts do.
PAGE: Final = 1000
_PAUSE_S: Final = 0.2


class Page(NamedTuple):
    """Receipts after a cursor, oldest first, and the next cursor."""

    receipts: Sequence[Receipt]
    cursor: int


class Unread(Exception):
    """Control does not answer."""


Read = Callable[[int], Page]


class Receipts:
    """Reads along in the ledger while answers wait for their receipts; a context. `read` gives the
    receipts of the run's session after a cursor, in a thread; it may raise Unread. `after` is the
    first cursor: a ledger of millions is not read through while answers wait."""

    def __init__(self, read: Read, patience_s: float = PATIENCE_S, after: int = 0) -> None:
        self._read = read
        self._after = after
        self._patience_s = patience_s
        self._wanted: dict[str, tuple[asyncio.Future[Receipt | None], float]] = {}
        self._early: dict[str, Receipt] = {}
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> "Receipts":
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def __call__(self, answered: Answered) -> Answered:
        """The answer with what its receipt says; as it is when none comes in time."""
        id = answered.receipt_id
        if id is None:
            return answered
        receipt = self._early.pop(id, None)
        if receipt is None:
            receipt = await self._waited(id)
        return answered if receipt is None else told(answered, receipt)

    async def _waited(self, id: str) -> Receipt | None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt | None] = loop.create_future()
        self._wanted[id] = future, loop.time() + self._patience_s
        if self._timer is None:
            self._timer = loop.call_later(self._patience_s, self._give_up, loop)
        self._more.set()
        try:
            return await future
        finally:
            self._wanted.pop(id, None)

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends the waits that are due, and comes again for the next: those that began first are
        due first."""
        self._timer = None
        now_s = loop.time()
        for future, until_s in self._wanted.values():
            if until_s > now_s:
                self._timer = loop.call_at(until_s, self._give_up, loop)
                break
            if not future.done():
                future.set_result(None)

    async def _follow(self) -> None:
        cursor = self._after
        while True:
            if not self._wanted:
                self._more.clear()
                await self._more.wait()
            began_s = clock.monotonic_s()
            try:
                page = await asyncio.to_thread(self._read, cursor)
            except Unread:
                page = Page((), cursor)
            cursor = page.cursor
            for receipt in page.receipts:
                wanted = self._wanted.get(receipt.id)
                if wanted is None:
                    self._early[receipt.id] = receipt
                elif not wanted[0].done():
                    wanted[0].set_result(receipt)
            spent_s = clock.monotonic_s() - began_s
            if len(page.receipts) < PAGE and spent_s < _PAUSE_S:
                await asyncio.sleep(_PAUSE_S - spent_s)


def is_unread(answered: Answered) -> bool:
    """Whether there is a receipt that nobody has read: each tells which model was wanted."""
    return answered.receipt_id is not None and answered.model is None


def told(answered: Answered, receipt: Receipt) -> Answered:
    """What the receipt knows stands before what the answer said of itself. Unknown stays so."""
    output = receipt.output_tokens
    if output is not None:
        output += receipt.reasoning_tokens or 0
    known = {
        "refusal": receipt.model_refusal,
        "validity": receipt.validity,
        "finish_reason": receipt.finish_reason,
        "input_tokens": receipt.total_input_tokens,
        "output_tokens": output,
        "cost_nanousd": receipt.cost_nanousd,
        "ttft_s": receipt.ttft_s,
        "total_s": receipt.total_s,
        "model": receipt.model_wanted,
        "model_snapshot": receipt.model_served,
    }
    if receipt.attempts and receipt.attempts[-1].failure == REFUSED_FAILURE:
        known |= {"failure": REFUSED_FAILURE, "refusal": "full"}
    return replace(answered, **{name: it for name, it in known.items() if it is not None})
