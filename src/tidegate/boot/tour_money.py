"""A part of the demo: two hundred callers race for the last cent of a hard budget."""

import asyncio
from collections import Counter
from collections.abc import Callable

from msgspec import Struct

from tidegate.boot.tour_stage import Callers, Part, Stage
from tidegate.core.units import format_usd

_CALLERS = 200
_TEAM = "racers"
_CENT_NANOUSD = 10_000_000
_MAX_TOKENS = 64
_SPENT = "insufficient_quota"
_ANSWERED, _OTHER = "answered", "other"


class Race(Struct, frozen=True):
    """How it went: answers, refusals for want of money, anything else, and what was spent."""

    answered: int
    refused: int
    others: int
    spent_nanousd: int

    @property
    def overshoot_nanousd(self) -> int:
        return max(self.spent_nanousd - _CENT_NANOUSD, 0)

    @property
    def holds(self) -> bool:
        """Somebody was served, everybody was told no in the end, and no more was spent."""
        return (
            self.answered > 0
            and self.refused == _CALLERS
            and self.others == 0
            and 0 < self.spent_nanousd <= _CENT_NANOUSD
        )


def run(stage: Stage) -> bool:
    stage.say(f"   Team {_TEAM} has one cent. {_CALLERS} callers ask at the same time, each again")
    stage.say("   and again until it is refused.")
    found = asyncio.run(_race(stage, stage.key("race", _TEAM)))
    stage.until(
        lambda: len(stage.receipts(_TEAM)) == found.total(), "the ledger does not have every call"
    )
    # What nobody knows the cost of would be no proof, so it fails the part.
    costs = [one.cost_nanousd for one in stage.receipts(_TEAM) if one.attempts]
    race = Race(
        answered=found[_ANSWERED],
        refused=found[_SPENT],
        others=found[_OTHER] + costs.count(None),
        spent_nanousd=sum(cost or 0 for cost in costs),
    )
    tell(race, stage.say)
    return race.holds


def tell(race: Race, say: Callable[[str], object]) -> None:
    say(f"   {race.answered} answers, then {race.refused} refusals (429 {_SPENT}).")
    if race.others:
        say(f"   {race.others} calls came to neither, or nobody knows what they cost.")
    over = format_usd(race.overshoot_nanousd)
    say(f"   Spent, by the ledger: ${format_usd(race.spent_nanousd)} of $0.01. Overshoot: ${over}.")


async def _race(stage: Stage, key: str) -> Counter[str]:
    callers = Callers(stage.urls.gateway, key, _CALLERS)
    found: Counter[str] = Counter()

    async def one(number: int) -> None:
        while True:
            answer = await callers.ask(
                f"Caller {number}: a word of the tide?", max_tokens=_MAX_TOKENS
            )
            if answer.status != 200:
                found[_SPENT if answer.code == _SPENT else _OTHER] += 1
                return
            found[_ANSWERED] += 1

    try:
        await asyncio.gather(*(one(number) for number in range(_CALLERS)))
    finally:
        await callers.close()
    return found


PART = Part(
    f"{_CALLERS} callers race for the last cent of a budget",
    run,
    f"last-cent: {{amount: $0.01, per: 24h, scope: [team], only: {{team: {_TEAM}}}, hard: true}}",
)
