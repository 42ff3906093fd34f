"""Ten times what an engine can serve, in virtual time: what the line in front of it makes of it.

`overload` runs one seed and gives the figures that `docs/reliability.md` shows.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from tests.gateway import virtual

from tidegate.capacity.engine import Engine
from tidegate.capacity.profiles import Profile
from tidegate.capacity.request import Request
from tidegate.capacity.roofline import StepCost
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Queueing
from tidegate.core.priority import PRIORITIES, Priority, rank
from tidegate.gateway.entrance import Wish
from tidegate.gateway.places import Places

# A step of 30 ms, 64 sequences at once; prompts of 1,000 tokens take about 100 ms.
ENGINE: Final = Profile(
    name="overloaded",
    cost=StepCost(overhead_s=0.025, kv_s_per_token=5e-8, compute_s_per_token=3e-5),
    max_num_seqs=64,
    max_num_batched_tokens=1024,
    kv_blocks=100_000,
)
FACTOR: Final = 10.0
# So long a calm that a hundredth of its interactive requests is some, and not one or two.
CALM_S, FLOOD_S, AFTER_S = 150.0, 90.0, 45.0
QUIET, LOUD = ("quiet", None), ("loud", None)

# (tenant, class) -> arrivals a second as a share of what the engine can serve. In the flood the
# loud tenant asks for what is missing to ten times that, more of it the lower the class.
CALM: Final = {
    (QUIET, "interactive"): 0.05,
    (QUIET, "standard"): 0.10,
    (LOUD, "interactive"): 0.15,
    (LOUD, "standard"): 0.10,
    (LOUD, "batch"): 0.10,
}
FLOOD: Final = {
    **CALM,
    (LOUD, "interactive"): 0.25,
    (LOUD, "standard"): 3.5,
    (LOUD, "batch"): FACTOR - 0.05 - 0.10 - 0.25 - 3.5,
}


# The loud tenant asks for all of it in the highest class.
FIRST_CLASS_FLOOD: Final = {
    (QUIET, "interactive"): 0.15,
    (LOUD, "interactive"): FACTOR - 0.15,
}


class Asked(Struct):
    """One request and what became of it. Times are seconds of the run; None did not happen."""

    tenant: tuple[str, None]
    priority: Priority
    at_s: float
    prompt_tokens: int
    output_tokens: int
    queue_s: float | None = None
    ttft_s: float | None = None
    ended_s: float | None = None
    refused: str | None = None


class Figures(Struct, frozen=True):
    """What one run came to. Shares are of 1; `calm` is before the flood."""

    offered: float
    peak_per_s: float
    goodput_per_s: float
    interactive_p99_calm_s: float
    interactive_p99_flood_s: float
    quiet_served: float
    quiet_p99_flood_s: float
    normal_after_s: float
    served: dict[str, float]
    limits: tuple[int, int]

    @property
    def goodput_share(self) -> float:
        return self.goodput_per_s / self.peak_per_s

    @property
    def interactive_share(self) -> float:
        """The first token of interactive requests in the flood, of that before it; both p99."""
        return self.interactive_p99_flood_s / self.interactive_p99_calm_s


class Served:
    """An engine on the loop's own time."""

    def __init__(self, profile: Profile) -> None:
        self._engine = Engine(profile)
        self._streams: dict[str, asyncio.Queue[bool]] = {}
        self._busy = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def answer(self, request: Request, first: Callable[[], None]) -> None:
        """Returns with the last token; `first` is called with the first."""
        stream = self._streams[request.id] = asyncio.Queue()
        self._engine.submit(request, virtual.now_s())
        self._busy.set()
        finished = await stream.get()
        first()
        while not finished:
            finished = await stream.get()

    def close(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            at_s = self._engine.next_event_at()
            if at_s is None:
                self._busy.clear()
                await self._busy.wait()
                continue
            await asyncio.sleep(at_s - virtual.now_s())
            for emitted in self._engine.advance(virtual.now_s()):
                self._streams[emitted.request_id].put_nowait(emitted.finished)
                if emitted.finished:
                    del self._streams[emitted.request_id]


Mix = Mapping[tuple[tuple[str, None], Priority], float]


def traffic(seed: int, per_s: float, flood: Mix) -> list[Asked]:
    """Poisson arrivals of each tenant and class: calm, flood, calm again; in order of time."""
    chance = random.Random(seed)
    asked = []
    for mix, begins_s, ends_s in (
        (CALM, 0.0, CALM_S),
        (flood, CALM_S, CALM_S + FLOOD_S),
        (CALM, CALM_S + FLOOD_S, CALM_S + FLOOD_S + AFTER_S),
    ):
        for (tenant, priority), share in mix.items():
            for at_s in _arrivals(chance, share * per_s, begins_s, ends_s):
                prompt, output = chance.randint(300, 1500), chance.randint(20, 140)
                asked.append(Asked(tenant, priority, at_s, prompt, output))
    return sorted(asked, key=lambda one: one.at_s)


def _arrivals(chance: random.Random, per_s: float, at_s: float, ends_s: float) -> Iterator[float]:
    while True:
        at_s += chance.expovariate(per_s)
        if at_s >= ends_s:
            return
        yield at_s


def overload(seed: int, flood: Mix = FLOOD) -> Figures:
    """One run: what the engine can serve is measured first, then asked for ten times."""
    per_s = virtual.run(_peak(seed))
    asked = traffic(seed, per_s, flood)
    places = Places(Queueing(), 512)
    limits = virtual.run(_serve(asked, places))
    return _figures(asked, per_s, limits)


async def _peak(seed: int) -> float:
    """Requests a second that the engine ends when it is never short of them."""
    chance = random.Random(seed)
    served, ends = Served(ENGINE), []

    async def one(slot: int) -> None:
        for number in range(12):
            size = chance.randint(300, 1500), chance.randint(20, 140)
            await served.answer(Request(f"{slot}-{number}", *size), lambda: None)
            ends.append(virtual.now_s())

    await asyncio.gather(*(one(slot) for slot in range(ENGINE.max_num_seqs)))
    served.close()
    ends.sort()
    first, last = len(ends) // 5, len(ends) * 4 // 5
    return (last - first) / (ends[last] - ends[first])


async def _serve(asked: Sequence[Asked], places: Places) -> tuple[int, int]:
    """Asks for all of it at its time; the least and the greatest limit of the flood."""
    served, tasks, limits = Served(ENGINE), set(), []

    async def sweep() -> None:
        while True:
            await asyncio.sleep(0.1)
            places.sweep(virtual.now_s(), 15.0)
            if CALM_S + 5 < virtual.now_s() < CALM_S + FLOOD_S:
                limits.append(places.limit.limit)

    sweeper = asyncio.create_task(sweep())
    for number, one in enumerate(asked):
        await asyncio.sleep(one.at_s - virtual.now_s())
        tasks.add(asyncio.create_task(_ask(one, str(number), places, served)))
    await asyncio.gather(*tasks)
    sweeper.cancel()
    served.close()
    assert places.in_flight == places.line.count == 0
    return min(limits), max(limits)


async def _ask(one: Asked, name: str, places: Places, served: Served) -> None:
    """What `pick`, `call` and `stream` do to a request, less the network."""
    now_s = virtual.now_s()
    try:
        wish = Wish(rank(one.priority), one.tenant, True, one.prompt_tokens + 256.0)
        place = (
            places.take_unwatched(wish.rank == 0)
            or places.take(wish.rank, True, now_s)
            or await places.wait(wish, now_s)
        )
    except Refusal as no:
        one.refused = no.code.name
        return
    sent_s = virtual.now_s()
    one.queue_s = sent_s - now_s

    def first() -> None:
        one.ttft_s = virtual.now_s() - one.at_s
        place.first_token(one.prompt_tokens.bit_length(), sent_s, virtual.now_s())

    await served.answer(Request(name, one.prompt_tokens, one.output_tokens), first)
    one.ended_s = virtual.now_s()
    if place is not places.unwatched:
        place.release(one.ended_s)
    elif places.leave_unwatched():
        places.left(one.ended_s)


def _figures(asked: Sequence[Asked], per_s: float, limits: tuple[int, int]) -> Figures:
    ends_s = CALM_S + FLOOD_S
    calm = [one for one in asked if 5 < one.at_s < CALM_S]
    flood = [one for one in asked if CALM_S <= one.at_s < ends_s]
    ended = sum(CALM_S + 5 <= (one.ended_s or 0) < ends_s for one in asked)
    quiet = [one for one in flood if one.tenant == QUIET]
    usual_s = {p: _p99([one for one in calm if one.priority == p]) for p in PRIORITIES}
    return Figures(
        offered=len(flood) / FLOOD_S / per_s,
        peak_per_s=per_s,
        goodput_per_s=ended / (FLOOD_S - 5),
        interactive_p99_calm_s=usual_s["interactive"],
        interactive_p99_flood_s=_p99([one for one in flood if one.priority == "interactive"]),
        quiet_served=sum(one.ended_s is not None for one in quiet) / len(quiet),
        quiet_p99_flood_s=_p99(quiet),
        normal_after_s=_normal_after_s([one for one in asked if one.at_s >= ends_s], usual_s),
        served={
            priority: sum(one.ended_s is not None for one in flood if one.priority == priority)
            / max(sum(one.priority == priority for one in flood), 1)
            for priority in PRIORITIES
        },
        limits=limits,
    )


def _normal_after_s(asked: Sequence[Asked], usual_s: dict[Priority, float]) -> float:
    """When the last 5 seconds end in which more than one in ten was refused, or had its first
    token later than twice the calm's 99th percentile of its class."""
    windows: dict[int, list[bool]] = {}
    for one in asked:
        late = one.ttft_s is None or one.ttft_s > 2 * usual_s[one.priority]
        windows.setdefault(int(one.at_s - CALM_S - FLOOD_S) // 5, []).append(late)
    bad = [number for number, late in windows.items() if sum(late) > len(late) / 10]
    return 5.0 * (max(bad, default=-1) + 1)


def _p99(asked: Sequence[Asked]) -> float:
    """The 99th percentile of the time to the first token, of those that had one."""
    times = sorted(one.ttft_s for one in asked if one.ttft_s is not None)
    return times[-(-len(times) * 99 // 100) - 1]
