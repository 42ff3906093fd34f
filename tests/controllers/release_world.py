"""A route with a release on it, in virtual time: what the controller proposes is obeyed."""

import random
from collections.abc import Callable
from typing import Any

from msgspec import Raw
from tests.controllers.release_rig import rollout
from tests.stats.release import receipt

from tidegate.controllers.release import Bounds, Memory, ShadowSeen, View, plug, read_memory
from tidegate.core.arm import Arm, bucket, is_canary
from tidegate.core.block import Block
from tidegate.core.controller import Proposal, Set
from tidegate.core.receipt import Receipt
from tidegate.core.rollout import HarmMetric, Rollout, Step
from tidegate.core.rollout_state import Asked, What
from tidegate.stats.block_fold import BlockFold
from tidegate.stats.late_fold import Found, block_of, cut

TICK_S = 10.0
METRICS = (
    HarmMetric("error", 0.05),
    HarmMetric("refusal", 0.05),
    HarmMetric("invalid", 0.05),
    HarmMetric("ttft", 0.05),
    HarmMetric("output_tokens", 1.15),
)
STEPS = (
    Step(0.05, min_units=20, min_s=20.0, max_s=1200.0, smoke=True),
    Step(0.25, min_units=100, min_s=20.0, max_s=1200.0),
    Step(1.0, min_units=100, min_s=20.0, max_s=1200.0),
)
Answer = Callable[[random.Random, Arm], dict[str, Any]]


def equal(chance: random.Random, _arm: Arm) -> dict[str, Any]:
    """Now and then an error, lengths and times as they come."""
    said: dict[str, Any] = {
        "output_tokens": int(chance.lognormvariate(5.0, 0.5)),
        "ttft_s": chance.lognormvariate(-1.0, 0.4),
    }
    if chance.random() < 0.01:
        said |= {"error_code": "upstream_error", "error_fault": "provider"}
    return said


class World:
    """`per_tick` requests of as many of `users` come in each tick."""

    def __init__(
        self, answer: Answer = equal, *, per_tick: int = 200, users: int = 100_000, **given: Any
    ) -> None:
        """Of each arm that serves `judged` answers are judged a tick, so many of them badly."""
        self.judged, self.bad = 0, {"stable": 0.1, "canary": 0.1}
        self.metric = "quality"
        self.rollout: Rollout = rollout(**{"harm": METRICS, "steps": STEPS, **given})
        self.memory = Raw(b"")
        self.weight = 0.0
        self.proposals: list[Proposal] = []
        self.views: list[View] = []
        self.bounds = Bounds()
        self.shadow = ShadowSeen()
        self._answer, self._per_tick, self._users = answer, per_tick, users
        self._chance = random.Random(7)
        self._fold = BlockFold(self.rollout.id)
        self._asked: list[Asked] = []
        self._ticks = self._seq = self._judged_in_all = 0

    @property
    def known(self) -> Memory:
        return read_memory(self.memory)

    @property
    def state(self) -> str:
        return self.known.standing.state

    def ask(self, what: What, who: str = "ada", **given: Any) -> None:
        self._seq += 1
        self._asked.append(Asked(self._seq, self.rollout.id, what, who, 0.0, **given))

    def tick(self) -> list[Proposal]:
        """One tick's traffic, and what is decided after it."""
        self._ticks += 1
        now_s = self._ticks * TICK_S
        for _ in range(self._per_tick):
            self._fold.add(self._request())
        block = self._fold.close(now_s - TICK_S, now_s, self.weight)
        found = [*([] if block is None else [block]), *self._late(now_s)]
        blocks = tuple((1000 * self._ticks + at, one) for at, one in enumerate(found))
        view = View(
            *(self.rollout, now_s, now_s, blocks, tuple(self._asked)),
            bounds=self.bounds,
            shadow=self.shadow,
        )
        self._asked = []
        self.views.append(view)
        decision = plug.decide(view, self.memory)
        self.memory = decision.memory
        held = [one for one in decision.proposals if isinstance(one, Set)]
        self.weight = sum(one.value for one in held if one.lever == "release_weight")
        self.proposals += decision.proposals
        return list(decision.proposals)

    def run(self, most: int = 500) -> str:
        """Until it has ended; the state."""
        self.ask("start")
        for _ in range(most):
            self.tick()
            if self.state in ("rolled_back", "done"):
                break
        return self.state

    def _late(self, now_s: float) -> list[Block]:
        found = []
        for arm in ("stable", "canary") if self.judged and self.weight else ():
            for _ in range(self.judged):
                self._judged_in_all += 1
                bad = self._chance.random() < self.bad[arm]
                found.append(Found(self._judged_in_all, now_s, arm, None, bad))
        groups = cut(found).groups
        return [block_of(self.metric, self.rollout.id, self.weight, it, {}) for it in groups]

    def _request(self) -> Receipt:
        unit = str(self._chance.randrange(self._users))
        place = bucket("salt", unit)
        arm: Arm = "canary" if is_canary(place, self.weight) else "stable"
        said = self._answer(self._chance, arm)
        return receipt(arm, place, rollout=self.rollout.id, **said)
