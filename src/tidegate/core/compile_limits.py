"""`limits` and `budgets` of the plan file to the limits in force. Pure.

What could not be enforced, or could never speak, fails the plan.
"""

from collections.abc import Mapping, Set
from math import ceil
from typing import Final

from msgspec.structs import asdict, replace

from tidegate.core import plugs
from tidegate.core.assemble import Path, Say
from tidegate.core.contradictions import contradictions
from tidegate.core.declared import Declared
from tidegate.core.declared_budgets import DeclaredBudget
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.declared_targets import DeclaredTarget, adapters_of
from tidegate.core.facts import Kinds
from tidegate.core.limit import GLOBAL, SPEND, SUMMED_UP, LimitKind, Rolling, is_dimension
from tidegate.core.plan import Limit
from tidegate.core.units import usd_to_nanousd
from tidegate.core.words import nearest, quoted

MAX_LIMITS = 1_000
_DAY_S = 86_400.0
# The longest that a period of the calendar can be; a lifetime is refused by its kind.
_MOST_DAYS: Final[Mapping[str, int]] = {
    "hour": 1,
    "day": 2,
    "week": 8,
    "month": 31,
    "quarter": 92,
    "year": 366,
}
# What callers say of themselves, and what a key says of its caller.
_TOLD = frozenset({"session", "trace", "prompt", "end_user"})
_GRANTED = frozenset({"key", "team", "customer"})
# The fields that not every kind reads, by the key that sets them.
_KEYS: Mapping[str, str] = {
    "per_s": "per",
    "burst": "burst",
    "count": "count",
    "cached_weight": "cached_weight",
    "on_excess": "on_excess",
}


EACH_ALLOWS_ALL: Final = (
    "{what} are counted in the memory of one gateway process, and several would each allow the "
    "whole; write `processes: 1`, or name the Redis that counts for all of them in "
    "`storage.limits`"
)


def counts_alone(declared: Declared) -> bool:
    """Whether there are several gateway processes and each counts for itself."""
    return declared.gateway.processes > 1 and declared.storage.limits is None


def compile_limits(declared: Declared, kinds: Kinds, say: Say) -> tuple[Limit, ...]:
    """Every limit that can be enforced, by name; of every other something is said."""
    count = len(declared.limits) + len(declared.budgets)
    if not count:
        return ()
    if count > MAX_LIMITS:
        section = "limits" if declared.limits else "budgets"
        say((section,), f"a plan has at most {MAX_LIMITS} limits and budgets; here are {count}")
        return ()
    if counts_alone(declared):
        say(("gateway", "processes"), EACH_ALLOWS_ALL.format(what="limits and budgets"))
    compiler = _Compiler(declared, kinds, say)
    found = [compiler.limit(name, one) for name, one in declared.limits.items()]
    found += [compiler.budget(name, one) for name, one in declared.budgets.items()]
    limits = sorted((limit for limit in found if limit is not None), key=lambda it: it.name)
    for limit, message in contradictions(limits):
        say((_section(limit), limit.name), message)
    return tuple(limits)


def _section(limit: Limit) -> str:
    return "budgets" if limit.kind == SPEND else "limits"


class _Compiler:
    """One compilation of limits; each kind is loaded once."""

    def __init__(self, declared: Declared, kinds: Kinds, say: Say) -> None:
        self.declared = declared
        self.kinds = kinds
        self.say = say
        self._known = [name for name in kinds.names() if name != SPEND]
        self._values = _values(declared)
        self._loaded: dict[str, LimitKind | None] = {}

    def limit(self, name: str, declared: DeclaredLimit) -> Limit | None:
        path: Path = ("limits", name)
        scope, only = self._scope(path, declared.scope), self._only(path, declared.only)
        kind = self._kind(declared.kind, (*path, "kind"))
        if kind is None:
            return None
        written = {k: v for k, v in asdict(declared).items() if k in _KEYS and v is not None}
        unread = [key for field, key in _KEYS.items() if field in written.keys() - kind.fields]
        for key in unread:
            what = f"a limit of kind {quoted(declared.kind)} does not read this"
            self.say((*path, key), f"{what}; {_reads(kind)}")
        limit = Limit(name, declared.kind, declared.amount, scope, only, **written)
        return None if unread else self._judged(path, kind, limit)

    def budget(self, name: str, declared: DeclaredBudget) -> Limit | None:
        path: Path = ("budgets", name)
        if name in self.declared.limits:
            self.say(path, "a limit has this name too; what is counted goes by its name")
            return None
        self._check_alerts(path, declared)
        period = declared.per
        if (period.rolling_s or period.unit == "lifetime") and declared.time_zone is not None:
            what = "a lifetime" if period.unit else "a duration"
            self.say(
                (*path, "time_zone"),
                f"{what} has no time zone; remove it, or write `per:` with hour, day, week, "
                "month, quarter or year",
            )
        limit = Limit(
            name=name,
            kind=SPEND,
            amount=usd_to_nanousd(declared.amount_usd),
            scope=self._scope(path, declared.scope),
            only=self._only(path, declared.only),
            per_s=period.rolling_s,
            unit=period.unit,
            time_zone=declared.time_zone or "UTC",
            on_excess="refuse" if declared.hard else "alert",
            alert_percents=declared.alerts,
            degrades=declared.degrade,
        )
        kind = self._load(SPEND, path)
        found = None if kind is None else self._judged(path, kind, limit)
        if found is not None:
            self._check_remembered(path, found)
        return found

    def _check_remembered(self, path: Path, budget: Limit) -> None:
        """What only receipts tell is known as long as they are kept: after a start, no more."""
        names = (*budget.scope, *(name for name, _ in budget.only))
        lost = [name for name in names if name not in SUMMED_UP]
        kept_days = self.declared.storage.retention_days
        if budget.unit is not None:
            days: float = _MOST_DAYS.get(budget.unit, 0)
        else:
            days = (budget.per_s or 0.0) / _DAY_S
        if lost and days > kept_days:
            self.say(
                (*path, "per"),
                f"what was spent by {lost[0]} is known only as long as receipts are kept, which is "
                f"{kept_days} days here; write a shorter time, or `retention_days: {ceil(days)}` "
                "below `storage:`",
            )

    def _judged(self, path: Path, kind: LimitKind, limit: Limit) -> Limit | None:
        """The limit, with the window that its kind takes where none is written, and with whose
        sessions, traces, prompts or end users it counts: nobody uses up those of another team.
        """
        complaint = kind.complaint(limit)
        if complaint is not None:
            self.say(path, complaint)
            return None
        if not _TOLD.isdisjoint(limit.scope) and _GRANTED.isdisjoint(limit.scope):
            limit = replace(limit, scope=tuple(sorted((*limit.scope, "team"))))
        shape = kind.shape(limit)
        return replace(limit, per_s=shape.window_s) if isinstance(shape, Rolling) else limit

    def _kind(self, name: str, path: Path) -> LimitKind | None:
        if name in self._known:
            return self._load(name, path)
        if name == SPEND:
            self.say(path, "money is limited by a budget; write this one below `budgets:`")
        else:
            known = ", ".join(self._known)
            what = f"there is no limit kind {quoted(name)}{nearest(name, self._known)}"
            self.say(path, f"{what}; write `kind:` with one of: {known}")
        return None

    def _load(self, name: str, path: Path) -> LimitKind | None:
        """The kind; None, and one complaint, where it does not load."""
        if name not in self._loaded:
            self._loaded[name] = None
            try:
                self._loaded[name] = self.kinds.get(name)
            except plugs.PlugError as error:
                self.say(path, " ".join(str(error).split()))
        return self._loaded[name]

    def _scope(self, path: Path, declared: str | tuple[str, ...]) -> tuple[str, ...]:
        """Its dimensions in one order, so that the same scope has the same counters."""
        names = (declared,) if isinstance(declared, str) else declared
        if names in ((), (GLOBAL,)):
            return ()
        if GLOBAL in names:
            self.say((*path, "scope"), f"`{GLOBAL}` stands alone: it is one counter for everything")
        for index, name in enumerate(names):
            if name in names[:index]:
                self.say((*path, "scope", str(index)), f"{quoted(name)} is written twice")
        return tuple(sorted(set(names)))

    def _only(self, path: Path, declared: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        for dimension, value in declared.items():
            if dimension == "prompt":
                what = "no prompt can be named; tell them apart with `scope: [session, prompt]`"
                self.say((*path, "only", dimension), what)
            known = self._values.get(dimension)
            if known is not None and value not in known:
                what = f"there is no {dimension} {quoted(value)}{nearest(value, known)}"
                self.say((*path, "only", dimension), what)
        return tuple(sorted((d, value) for d, value in declared.items() if is_dimension(d)))

    def _check_alerts(self, path: Path, declared: DeclaredBudget) -> None:
        alerts = declared.alerts
        if not alerts and not declared.hard and not declared.degrade:
            self.say(
                path, "it neither refuses nor alerts; write `hard: true`, or percents in `alerts`"
            )
        for index, percent in enumerate(alerts[1:], start=1):
            if percent <= alerts[index - 1]:
                self.say(
                    (*path, "alerts", str(index)),
                    f"{percent}% comes after {alerts[index - 1]}%; write them in rising order",
                )


def _reads(kind: LimitKind) -> str:
    own = [f"`{key}`" for field, key in _KEYS.items() if field in kind.fields]
    return f"it reads {', '.join(own)}" if own else "remove it"


def _values(declared: Declared) -> dict[str, Set[str]]:
    """What there is of the dimensions that the plan itself names."""
    adapters = adapters_of(declared.targets)
    targets = {*declared.targets, *adapters}
    models = {one.model for one in declared.targets.values()}
    for of, adapter in adapters.values():
        models |= {adapter.name, f"{declared.targets[of].model}:{adapter.name}"}
    for name, route in declared.routes.items():
        for _, wanted in route.wanted():
            if isinstance(wanted, DeclaredTarget):
                targets.add(name)
                models.add(wanted.model)
            elif wanted not in targets:
                targets.add(wanted)
                models.add(wanted.partition("/")[2])
    return {
        "route": set(declared.routes),
        "provider": set(declared.providers),
        "target": targets,
        "model": models,
    }
