"""Whole paths of releases and objectives, decided the quick way and the plain way, side by side."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace
from sqlalchemy import Engine, select
from tests.control import straight, straight_signals
from tests.stores import rig
from tests.stores.signal_rig import one

from tidegate.control import acting
from tidegate.control.act import Acting
from tidegate.control.compiling import Compiling
from tidegate.control.error_budgets import ErrorBudgets
from tidegate.control.loop import Loop, Outside
from tidegate.control.observe import Releases
from tidegate.control.plans import Plans
from tidegate.control.replaying import replay
from tidegate.core import clock
from tidegate.core.bin import BinKey
from tidegate.core.block import ArmBlock, Block, Moments, Tally
from tidegate.core.controller import Set
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.core.harm import HARM
from tidegate.core.layout import Layout
from tidegate.core.rollout import HarmMetric, Rollout, Shadow, Step
from tidegate.core.rollout_state import Asked
from tidegate.stores import blocks, changes, database, decisions, notices, rollouts
from tidegate.stores.audit import Author
from tidegate.stores.schema_rollouts import decisions as decided_rows
from tidegate.stores.schema_rollouts import memories
from tidegate.stores.signal_bins import SignalWriter

BEGIN_S = 1_800_000_000.0
TICKS = 50
ROUTES = ("calm", "worse", "copied", "shared", "both")
# Two orthogonal releases are under way there.
BOTH = ("both/next", "both/brief")
PLAN = """\
providers: {up: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets:
  old: {provider: up, model: old, price: free}
  new: {provider: up, model: new, price: free}
routes:
""" + "".join(f"  {route}: {{target: old, slo: chat}}\n" for route in ROUTES[:-1])
PLAN += """\
  both:
    target: old
    slo: {preset: chat, turn_time: {target: 95%, within: 4s, per_output_token: 30ms}}
"""
EVERY = tuple(
    HarmMetric(row.name, row.margin, no_data="ignore", must_be_safe=not row.is_late)
    for row in HARM.values()
)
STEPS = (
    Step(0.1, min_units=40, min_s=20.0, max_s=4000.0, smoke=True),
    Step(0.4, min_units=200, min_s=30.0, max_s=4000.0),
    Step(1.0, min_units=200, min_s=30.0, max_s=4000.0),
)


class Side:
    """One control with its own database."""

    def __init__(self, folder: Path, *, is_plain: bool) -> None:
        self.engine = rig.migrated(folder / "ledger.db")
        (folder / "tidegate.yaml").write_text(PLAN)
        layout = Layout(folder / "state")
        layout.run.mkdir(parents=True)
        self._compiling = Compiling(self.engine, {})
        self._plans = Plans(layout, folder / "tidegate.yaml", self._compiling.file, lambda _: None)
        self._plans.start(0)
        self._is_plain = is_plain
        self._writer = SignalWriter(self.engine, "")
        self.began()

    def began(self) -> None:
        """A control that was started anew knows only what is stored."""
        budgets = ErrorBudgets(lambda: self._plans.declared, lambda: self._plans.current)
        if self._is_plain:
            budgets._views._windows = straight_signals.StraightWindows(self.engine)  # type: ignore[assignment]
        hands = Acting(self.engine, self._plans, self._compiling, notices.note, lambda: 600.0)
        outside = Outside(DeclaredLoop, lambda: True, lambda _: True, budgets.burns, lambda: None)
        outside = replace(outside, candidates=self._plans.candidates)
        self.loop = Loop(self.engine, (budgets, Releases()), hands, outside)

    def tick(self) -> list[Any]:
        """What it decided of each subject."""
        with straight.computed() if self._is_plain else nullcontext():
            asyncio.run(self.loop._try(DeclaredLoop()))
        return [
            (it.author, it.seen.subject, it.decision.proposals, bytes(it.decision.memory))
            for it in self.loop.status.decided
        ] + [self.loop.status.problem]

    def store(self, bins: dict[BinKey, Any], found: list[Block]) -> None:
        with database.writing(self.engine) as connection:
            if bins:
                self._writer.add(connection, bins, 0)
            for block in found:
                blocks.append(connection, "", block, 0, 0)

    def overtake(self, subject: str, back: int) -> None:
        """Another replica leads for a moment, and decides of this subject from an older memory."""
        with database.writing(self.engine) as connection:
            c = decided_rows.c
            kept = c.memory.is_not(None) & (c.subject == subject)
            older = connection.execute(select(c.memory).where(kept).order_by(c.seq.desc())).all()
            if older:
                mine = memories.c.subject == subject
                memory = older[min(back, len(older) - 1)][0]
                connection.execute(memories.update().where(mine).values(memory=memory))
            acting.lead(connection, "another", clock.wall_s())

    def names(self) -> dict[str, list[str]]:
        """By route, what receipts tell of its candidates."""
        found: dict[str, list[str]] = {}
        for release, name in sorted((self._plans.candidates() or {}).items()):
            found.setdefault(release.split("/")[0], []).append(name)
        return found

    def weights(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for it in self.loop.status.decided:
            for held in it.decision.proposals:
                if isinstance(held, Set) and held.lever == "release_weight":
                    found[held.scope] = held.value
        return found

    def kept(self) -> list[Any]:
        """Everything that was written of decisions, and what is held."""
        c = decided_rows.c
        with database.reading(self.engine) as connection:
            rows = connection.execute(select(decided_rows).order_by(c.seq)).all()
            held = changes.in_force(connection, clock.wall_s())
            states = [(it.rollout.id, it.state, it.why) for it in rollouts.every(connection)]
        return [*map(tuple, rows), states, sorted((it.lever, it.scope, it.value) for it in held)]


class Traffic:
    """What comes of each route between two ticks."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._late = random.Random(seed + 1000)

    def late(self, scope: str, weight: float) -> Block:
        """What was found of some of its requests afterwards."""
        chance, (route, _, name) = self._late, scope.partition("@")
        metric = chance.choice([row.name for row in HARM.values() if row.is_late])
        arms = []
        for worse in (0.0, 0.2 if route == "worse" else 0.0):
            judged = chance.randrange(5, 30)
            bad = sum(chance.random() < 0.1 + worse for _ in range(judged))
            arm = ArmBlock(tallies={metric: Tally(judged, bad)})
            arm.by_unit[metric] = Moments(judged - 2, bad / 2, bad / 4)
            arm.pairs = arm.early_pairs = chance.randrange(40)
            arms.append(arm)
        return Block(f"{route}/{name or 'next'}", 0, 0.0, 10.0, weight, *arms, late=metric)

    def bins(self, now_s: float, names: dict[str, list[str]]) -> dict[BinKey, Any]:
        chance, found = self._chance, {}
        for route in ROUTES:
            for arm in ("stable", "canary", "shadow"):
                late_s = chance.choice([0, 0, 0, 60, 300])
                minute_s = int(now_s - late_s) // 60 * 60
                name = chance.choice(names.get(route, [""])) if arm != "stable" else ""
                key = BinKey(minute_s, route, arm, name, chance.choice(["old", "new"]))
                if chance.random() < 0.8:
                    ill = route in ("worse", "shared", "both") and now_s > BEGIN_S + 600
                    found[key] = self._bin(arm, burns=ill and chance.random() < 0.2)
        return found

    def _bin(self, arm: str, *, burns: bool) -> Any:
        chance = self._chance
        requests = chance.randrange(1, 60)
        if arm == "shadow":
            cost = {"cost_nanousd": chance.randrange(99), "cost_unknown": chance.randrange(2)}
            return one(requests=requests, failed=chance.randrange(2), validity_bad=0, **cost)
        bad = chance.randrange(requests) if burns else int(chance.random() < 0.003)
        slowest = 60 if burns else 25
        slow = {chance.randrange(-30, slowest): chance.randrange(9) for _ in range(9)}
        verdicts = {"availability_good": requests - bad, "availability_bad": bad}
        late = chance.randrange(requests) if burns else 0
        turns = {"turn_time_good": requests - late, "turn_time_bad": late}
        return one({"ttft": slow, "turn_time": slow}, requests=requests, **verdicts, **turns)

    def block(self, scope: str, weight: float) -> Block:
        chance, (route, _, name) = self._chance, scope.partition("@")
        size = chance.choice([4, 30, 300, 300, 2000])
        canary = int(size * weight)
        worse = 0.1 if route == "worse" else 0.0
        known = None if chance.random() < 0.05 else weight
        dear = chance.choice([None, 1e6])
        arms = (self._arm(route, size - canary, 0.0), self._arm(route, canary, worse))
        return Block(f"{route}/{name or 'next'}", 0, 0.0, 10.0, known, *arms, dear)

    def _arm(self, route: str, requests: int, worse: float) -> ArmBlock:
        chance = self._chance
        units = requests // 8 if route == "shared" else requests
        arm = ArmBlock(assigned=requests, units=units, fresh=units, costed=requests)
        if route == "shared":
            arm.pairs = arm.early_pairs = 4 * requests
            arm.inverse_sizes = units / 8
        speak = chance.random() < 0.3
        for name, row in HARM.items():
            if not requests or chance.random() < 0.1:
                continue
            middle = 5.0 if row.kind == "amount" else 0.02 + worse
            if row.kind == "amount":
                arm.moments[name] = self._moments(requests, middle)
            else:
                bad = sum(chance.random() < middle for _ in range(requests % 300))
                arm.tallies[name] = Tally(requests, chance.choice([0, bad]))
            if route == "shared":
                arm.bad_pairs[name] = chance.randrange(3)
            if speak:
                arm.by_unit[name] = self._moments(max(units, 1), min(middle, 5.0))
        return arm

    def _moments(self, count: int, middle: float) -> Moments:
        mean = max(self._chance.gauss(middle, 0.3 * middle / count**0.5), 0.0)
        return Moments(count, mean * count, (mean**2 + (0.3 * middle) ** 2) * count)


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    made = []
    for name in ("quick", "plain"):
        (tmp_path / name).mkdir()
        made.append(Side(tmp_path / name, is_plain=name == "plain"))
    yield made[0], made[1]
    for side in made:
        side.engine.dispose()


def released(engine: Engine) -> None:
    author = Author("ada", BEGIN_S)
    with database.writing(engine) as connection:
        for name in (*(f"{route}/next" for route in ROUTES[:-1]), *BOTH):
            route, harm = name.split("/")[0], EVERY if name != "calm/next" else ()
            shadow = Shadow(min_requests=100) if route in ("copied", "both") else None
            members = {"target": Raw(b'"new"')}
            if name == BOTH[1]:
                members = {"system_prompt": Raw(b'"Be brief."')}
            made = Rollout(
                *(name, route, "d", "ada", members),
                steps=STEPS,
                harm=harm,
                shadow=shadow,
                soak_s=60.0,
                orthogonal=name in BOTH,
            )
            rollouts.create(connection, made, author)
            rollouts.ask(connection, Asked(0, name, "start", "ada", BEGIN_S))


LONG = [pytest.param(seed, marks=pytest.mark.soak) for seed in (1, 2, 3, 4, *range(6, 12))]


@pytest.mark.parametrize("seed", [5, *LONG])
def test_a_tick_decides_what_the_plain_computation_does(
    sides: tuple[Side, Side], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where control comes late, is started anew, or finds what another one has written."""
    quick, plain = sides
    chance, traffic, now_s = random.Random(seed), Traffic(seed), BEGIN_S
    monkeypatch.setattr(clock, "wall_s", lambda: now_s)
    monkeypatch.setattr(clock, "monotonic_s", lambda: now_s)
    states = set()
    for side in sides:
        released(side.engine)
    for _ in range(TICKS):
        late = chance.random() < 0.15
        for _ in range(chance.randrange(2, 9) if late else 1):
            now_s += 10.0 if not late else chance.choice([10.0, 90.0])
            weights = quick.weights()
            news = [traffic.block(scope, weight) for scope, weight in weights.items()]
            news += [traffic.late(scope, weight) for scope, weight in weights.items()]
            bins = traffic.bins(now_s, quick.names()) if chance.random() < 0.8 else {}
            for side in sides:
                side.store(bins, news)
        event, subject = chance.random(), f"{chance.choice(ROUTES)}/next"
        for side in sides:
            if event < 0.04:
                side.began()
            elif event < 0.08:
                side.overtake(subject, int(100 * event) % 3)
        assert quick.tick() == plain.tick()
        states |= {it[1] for it in quick.kept()[-2]}
    assert quick.kept() == plain.kept()
    assert states >= {"shadow", "step", "rolled_back"}, states
    assert seed != 5 or states >= {"promoted", "soak", "done"}, states
    with database.reading(quick.engine) as connection:
        newest = decisions.recent(connection, limit=60)
        assert all(replay(connection, quick.loop.watchers, it).same for it in newest)
