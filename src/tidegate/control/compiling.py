"""Compiling: the plan file together with what operators have added to it at run time."""

import contextlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from tidegate.config.load import Compiled, compile_file
from tidegate.config.published import model_facts, published
from tidegate.control.certifying import Certifying
from tidegate.core import clock
from tidegate.core.added import Added
from tidegate.core.compile import compile_plan
from tidegate.core.declared import Declared
from tidegate.core.declared_budgets import DeclaredBudget, Period
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.facts import Facts, PriceOf
from tidegate.core.plan import Plan, Raise
from tidegate.core.prompt import PromptSource, Tagged
from tidegate.core.units import NANOUSD_PER_USD
from tidegate.prompts.reading import Reading, Snapshot
from tidegate.stores import (
    budgets,
    database,
    keys,
    openings,
    prompts,
    revisions,
    rollouts,
    teams,
    thresholds,
)
from tidegate.stores.budgets import StoredBudget
from tidegate.stores.teams import TeamRecord

T = TypeVar("T")

_MINUTE_S = 60.0
# The name of what a team's record comes to; the budget is one like any other.
TEAM = "team."


class Compiling:
    """Every method blocks and may raise StoreError."""

    def __init__(
        self,
        engine: Engine,
        environ: Mapping[str, str],
        prompts: Reading | None = None,
        certifying: Certifying | None = None,
    ) -> None:
        self._engine = engine
        self.prompts = prompts or Reading()
        self.certifying = certifying
        self.environ = environ
        self._compiled_with = Added()
        self._tagged_with: Mapping[str, Tagged] | None = None
        self._named: tuple[Snapshot, Plan, Mapping[str, str]] | None = None
        self._named_with: Mapping[str, str] = {}

    def file(self, file: Path, version: int) -> Compiled:
        """The plan file with what is stored now."""
        now_s = clock.wall_s()
        with database.reading(self._engine) as connection:
            added = added_at(connection, now_s)
        quote, limited = published(now_s), self._keys_limited
        facts = _facts(quote, added, limited, self._prompts)
        self._compiled_with = added
        return compile_file(file, self.environ, version, now_s, facts)

    def facts(self) -> Facts:
        """What a plan is compiled with now."""
        now_s = clock.wall_s()
        with database.reading(self._engine) as connection:
            added = added_at(connection, now_s)
        quote, limited = published(now_s), self._keys_limited
        return _facts(quote, added, limited, self._prompts)

    def changing(self, change: Callable[[Connection], T]) -> "Callable[[Declared, int], _Made[T]]":
        """For `Plans.amend`: makes a change in the store together with the plan that it comes to.

        What `change` raises, and PlanRefused, leave the store as it was.
        """

        def make(declared: Declared, version: int) -> tuple[Plan, T]:
            now_s = clock.wall_s()
            quote, (read, snapshot) = published(now_s), self._read(declared)
            with database.writing(self._engine) as connection:
                result = change(connection)
                added = added_at(connection, now_s)
                limited = partial(keys.any_limited, connection)
                facts = _facts(quote, added, limited, read)
                plan = compile_plan(declared, version=version, now_s=now_s, facts=facts)
            self._compiled_with = added
            if snapshot is not None:
                self._tagged_with = snapshot.registry.tagged
                self._named_with = named_versions(snapshot, plan)
            return plan, result

        return make

    def trying(self, change: Callable[[Connection], T]) -> Callable[[Declared, int], T]:
        """The same without an effect: what it comes to, and PlanRefused where no plan would."""

        def make(declared: Declared, version: int) -> T:
            now_s = clock.wall_s()
            quote, (read, _) = published(now_s), self._read(declared)
            with database.undone(self._engine) as connection:
                result = change(connection)
                limited = partial(keys.any_limited, connection)
                added = added_at(connection, now_s)
                facts = Facts(quote, added=added, keys_limited=limited, prompts=read)
                compile_plan(declared, version=version, now_s=now_s, facts=facts)
            return result

        return make

    def _read(
        self, declared: Declared
    ) -> tuple[Callable[[DeclaredPrompts], PromptSource] | None, Snapshot | None]:
        """The prompts of now, which are read before a transaction is open."""
        if declared.prompts is not None:
            with contextlib.suppress(ValueError):  # which compiling comes to again, and tells
                read = self.prompts.at(declared.prompts)
                now = self._guarded(read, declared.prompts)
                return (lambda _: now), read
        return self._prompts, None

    def lacks(self, now: Snapshot, plan: Plan) -> bool:
        """Whether prompts have tags or versions that nothing was compiled with yet."""
        if self._tagged_with != now.registry.tagged:
            return True
        of, served, named = self._named or (None, None, {})
        if of is not now or served is not plan:  # neither ever changes
            named = named_versions(now, plan)
            self._named = now, plan, named
        return named != self._named_with

    def _prompts(self, declared: DeclaredPrompts) -> PromptSource:
        """As they may be served. ValueError where they cannot be read."""
        return self._guarded(self.prompts.at(declared), declared)

    def _guarded(self, found: Snapshot, declared: DeclaredPrompts) -> PromptSource:
        if self.certifying is None:
            return found
        return self.certifying.guarded(found, required=declared.certificates != "off")

    def is_behind(self) -> bool:
        """Whether what is stored, or in force of it, has changed since the last compilation."""
        with database.reading(self._engine) as connection:
            return added_at(connection, clock.wall_s()) != self._compiled_with

    def added(self) -> Added:
        """What operators and the loop have added by now."""
        with database.reading(self._engine) as connection:
            return added_at(connection, clock.wall_s())

    def _keys_limited(self) -> bool:
        with database.reading(self._engine) as connection:
            return keys.any_limited(connection)


_Made = tuple[Plan, T]


def named_versions(now: Snapshot, plan: Plan) -> dict[str, str]:
    """What the versions that routes name and no tag points at say now, or what is wrong with them:
    nobody else looks at those."""
    found = {}
    for tagged in plan.prompts.values():
        for version in tagged.versions.keys() - set(tagged.tags.values()):
            try:
                found[f"{tagged.name}@{version}"] = now.version(tagged.name, version).digest
            except ValueError as error:
                found[f"{tagged.name}@{version}"] = str(error)
    return found


def _facts(
    quote: PriceOf,
    added: Added,
    limited: Callable[[], bool],
    prompts: Callable[[DeclaredPrompts], PromptSource] | None,
) -> Facts:
    return Facts(quote, added=added, keys_limited=limited, prompts=prompts, model_of=model_facts)


def added_at(connection: Connection, now_s: float) -> Added:
    """What operators and the loop have added: raises that are in force, every revision."""
    raises: dict[str, tuple[Raise, ...]] = {}
    for one in budgets.raises_in_force(connection, now_s):
        found = Raise(one.extra_nanousd, one.until_s, tuple(sorted(one.scope.items())))
        raises[one.budget] = (*raises.get(one.budget, ()), found)
    stored = {one.name: _budget(one) for one in budgets.every(connection)}
    limits = {}
    for team in teams.every(connection):
        limits.update(_limits(team))
    revised = tuple(revisions.every(connection))
    known = {it.rollout.id: it.rollout for it in rollouts.every(connection)} if revised else {}
    flips = prompts.newest_flips(connection)
    learnt = thresholds.newest(connection)
    opened = openings.changes(connection)
    return Added(stored, limits, raises, revised, known, flips, learnt, opened)


def _budget(stored: StoredBudget) -> DeclaredBudget:
    return DeclaredBudget(
        amount_usd=Decimal(stored.amount_nanousd) / NANOUSD_PER_USD,
        per=Period(stored.unit, stored.rolling_s),
        time_zone=stored.time_zone,
        scope=stored.scope,
        only=stored.only,
        hard=stored.hard,
        degrade=stored.degrades,
        alerts=stored.alerts,
    )


def _limits(team: TeamRecord) -> dict[str, DeclaredLimit]:
    only = {"team": team.id}
    found = {}
    for kind, amount, per_s in (
        ("requests", team.requests_per_minute, _MINUTE_S),
        ("tokens", team.tokens_per_minute, _MINUTE_S),
        ("concurrency", team.max_parallel_requests, None),
    ):
        if amount is not None:
            name = f"{TEAM}{team.id}.{kind}"
            found[name] = DeclaredLimit(kind, amount, ("team",), only, per_s)
    return found
