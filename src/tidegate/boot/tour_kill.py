"""A part of the demo: kill -9 under load, and the ledger is whole."""

import asyncio
from collections import Counter
from collections.abc import Callable

from msgspec import Struct

from tidegate.boot.tour_stage import Callers, Part, Stage

_CALLERS = 8
_TEAM = "everybody"
_MAX_TOKENS = 16
# Who is killed, and how many seconds later the next one is.
_KILLS = (("gateway", 1.2), ("control", 1.2), ("gateway", 1.5), ("control", 1.5))
_FIRST_KILL_S = 1.0
_WAIT_S = 0.02


class Count(Struct, frozen=True):
    """Answers whose end a caller saw, calls that were cut off, and what the ledger has of them."""

    seen: int
    cut_off: int
    in_ledger: int
    twice: int

    @property
    def holds(self) -> bool:
        return self.seen > 0 and self.in_ledger == self.seen and self.twice == 0


def run(stage: Stage) -> bool:
    killed = Counter(name for name, _ in _KILLS)
    stage.say(f"   {_CALLERS} callers ask without a pause. Meanwhile the gateway gets kill -9")
    stage.say(
        f"   {killed['gateway']} times, control with the recorder in it {killed['control']} times."
    )
    seen, cut_off = asyncio.run(_under_load(stage, stage.key("kill", _TEAM)))
    wanted = set(seen)
    stage.until(
        lambda: wanted <= {one.id for one in stage.receipts(_TEAM)},
        "the ledger does not have every answer",
    )
    times = Counter(one.id for one in stage.receipts(_TEAM))
    count = Count(
        seen=len(wanted),
        cut_off=cut_off,
        in_ledger=len(wanted & times.keys()),
        twice=sum(number > 1 for number in times.values()),
    )
    tell(count, stage.say)
    return count.holds


def tell(count: Count, say: Callable[[str], object]) -> None:
    say(f"   {count.seen} answers came whole, {count.cut_off} calls were cut off or found no door.")
    say(f"   In the ledger: {count.in_ledger} of those {count.seen}, {count.twice} twice.")


async def _under_load(stage: Stage, key: str) -> tuple[list[str], int]:
    """Ids of the answers that came whole, and how many calls did not."""
    callers = Callers(stage.urls.gateway, key, _CALLERS)
    seen: list[str] = []
    cut_off = 0
    over = asyncio.Event()

    async def one(number: int) -> None:
        nonlocal cut_off
        while not over.is_set():
            answer = await callers.ask(f"Caller {number}: and the tide?", max_tokens=_MAX_TOKENS)
            if answer.status == 200 and answer.receipt_id is not None:
                seen.append(answer.receipt_id)
            else:
                cut_off += 1
                await asyncio.sleep(_WAIT_S)

    tasks = [asyncio.create_task(one(number)) for number in range(_CALLERS)]
    await asyncio.sleep(_FIRST_KILL_S)
    for name, pause_s in _KILLS:
        stage.kill(name)
        await asyncio.sleep(pause_s)
    over.set()
    await asyncio.gather(*tasks)
    await callers.close()
    return seen, cut_off


PART = Part("kill -9, and the ledger is whole", run)
