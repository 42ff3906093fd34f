"""The kept answers of one gateway process, by route, and what they have come to."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from tidegate.core.cache import ExactCache
from tidegate.core.kept_answer import Answers, Found
from tidegate.core.plan import Plan, Route
from tidegate.gateway.flights import Flights
from tidegate.stores.memory_answers import MemoryAnswers


class AnswerCache:
    """`lookups` counts by route and outcome, `unkept` answers that were not kept, by route and why.
    `served` is the model that each target said it used last. `tasks` ask anew for what is stale."""

    def __init__(self) -> None:
        self.flights = Flights()
        self.memory: dict[str, MemoryAnswers] = {}
        self.lookups: Counter[tuple[str, str]] = Counter()
        self.unkept: Counter[tuple[str, str]] = Counter()
        self.kept: Counter[str] = Counter()
        self.served: dict[str, str] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.stopped = False

    def of(self, route: Route, exact: ExactCache) -> Answers:
        """Where this route's are. A route that a plan has just begun to keep has none yet."""
        held = self.memory.get(route.name)
        if held is None:
            held = self.memory[route.name] = MemoryAnswers(exact.max_bytes)
        return held

    def obey(self, plan: Plan) -> None:
        """The plan of now: its bounds hold, and what its routes do not keep is forgotten."""
        keeping = _keeping(plan.routes)
        self.memory = {name: it for name, it in self.memory.items() if name in keeping}
        for name, held in self.memory.items():
            held.bound(keeping[name].max_bytes)
        targets = plan.targets
        self.served = {name: it for name, it in self.served.items() if name in targets}

    def is_current(self, found: Found) -> bool:
        """Whether its target has not been heard to use another model since."""
        answer = found.answer
        return self.served.get(answer.target, answer.model_served) == answer.model_served

    async def stop(self) -> None:
        """Ends what asks anew; each leaves its receipt."""
        self.stopped = True
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def _keeping(routes: Mapping[str, Route]) -> dict[str, ExactCache]:
    """The routes that keep answers in memory."""
    return {
        name: it.cache.exact
        for name, it in routes.items()
        if it.cache is not None and it.cache.exact is not None and it.cache.exact.store == "memory"
    }
