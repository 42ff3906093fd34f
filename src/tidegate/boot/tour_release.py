"""A part of the demo: a release doubles output tokens, its canary shows it, and it rolls back."""

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tidegate.boot.tour_stage import Callers, Failed, Part, Stage
from tidegate.control.shapes_releases import (
    AskRelease,
    LineView,
    OneRelease,
    ReleaseAsked,
    ReleaseExplained,
    ReleaseMade,
)
from tidegate.core import clock

_ID: Final = "chat/longer"
_CALLERS = 24
_TEAM = "users"
_PATIENCE_S = 45.0
_LOOK_S = 0.2
_AFTER_S = 2.0
_WAIT_S = 0.05
# An answer of the simulated engine has 83 tokens on average; none below this makes that twice.
_RELEASE = """\
owner: demo
why: Somebody thought that longer answers are better ones.
change: {parameters: {min_tokens: 150}}
steps:
  - {weight: 25%, min_units: 20, min: 500ms, max: 60s, smoke: true}
  - {weight: 50%, min_units: 100, min: 500ms, max: 60s}
  - {weight: 100%, min_units: 100, min: 500ms, max: 60s}
harm: {error: {}, output_tokens: {}}
"""
_ENDS = ("rolled_back", "done", "promoted")


class Outcome(Struct, frozen=True):
    """Where the release came to, and of `after` requests later how many got it all the same."""

    state: str
    reason: str
    after: int
    after_on_it: int

    @property
    def holds(self) -> bool:
        is_caught = self.state == "rolled_back" and "output_tokens" in self.reason
        return is_caught and self.after > 0 and self.after_on_it == 0


def run(stage: Stage) -> bool:
    stage.say("   A release makes answers twice as long. Nothing fails, it only costs. A quarter")
    stage.say(f"   of the users get it first; {_CALLERS} users ask at a time.")
    outcome = asyncio.run(_released(stage, stage.key("release", _TEAM)))
    tell(outcome, stage.say)
    return outcome.holds


def tell(outcome: Outcome, say: Callable[[str], object]) -> None:
    say(f"   It is {outcome.state.replace('_', ' ')}: {outcome.reason}.")
    say(f"   Of {outcome.after} requests since then {outcome.after_on_it} went to it.")


def line(one: LineView, began_s: float) -> str:
    """One line of the time line; times count from its first."""
    return f"   {one.at_s - began_s:6.1f} s  {one.state}  {one.why}".rstrip()


async def _released(stage: Stage, key: str) -> Outcome:
    callers = Callers(stage.urls.gateway, key, _CALLERS)
    over = asyncio.Event()

    async def one(number: int) -> None:
        turn = number
        while not over.is_set():
            turn += _CALLERS
            answer = await callers.ask(f"What is tide {turn}?", user=f"user-{turn}")
            if answer.status != 200:
                await asyncio.sleep(_WAIT_S)

    tasks = [asyncio.create_task(one(number)) for number in range(_CALLERS)]
    try:
        end = await asyncio.to_thread(_watched, stage)
        ended_s = clock.wall_s()
        await asyncio.sleep(_AFTER_S)
    finally:
        over.set()
        await asyncio.gather(*tasks)
        await callers.close()
    later = [one for one in stage.receipts(_TEAM) if one.started_at_s > ended_s]
    on_it = sum(one.arm == "canary" for one in later)
    return Outcome(end.release.state, end.release.reason, len(later), on_it)


def _watched(stage: Stage) -> ReleaseExplained:
    """The release from its start to its end, told line by line. Failed when it has none."""
    with stage.control() as control:
        control.post("/api/releases", ReleaseMade, OneRelease(_ID))
        control.post("/api/releases/ask", ReleaseAsked, AskRelease(_ID, "start"))
        told = 0
        until_s = clock.monotonic_s() + _PATIENCE_S
        while clock.monotonic_s() < until_s:
            found = control.get("/api/releases/explain", ReleaseExplained, id=_ID)
            for new in found.time_line[told:]:
                stage.say(line(new, found.time_line[0].at_s))
            told = len(found.time_line)
            if found.release.state in _ENDS:
                return found
            stage.pause(_LOOK_S)
    raise Failed(f"the release is still {found.release.state}: {found.release.reason}")


PART = Part(
    "A release doubles output tokens, and is rolled back",
    run,
    files=((f"releases/{_ID}.yaml", _RELEASE),),
)
