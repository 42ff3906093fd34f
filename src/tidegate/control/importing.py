"""Keys, teams, budgets and what was spent of them, taken in from another gateway at once.

What is taken in obeys the same rules as what operators make: routes that the plan has, grants
within the team's, limits that can be counted, a plan that compiles with all of it.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace
from sqlalchemy import Connection

from tidegate.control.errors import ApiError
from tidegate.control.key_limits import check_alerts, check_countable
from tidegate.core import key as core_key
from tidegate.core.declared import Declared
from tidegate.core.declared_keys import EVERY_ROUTE
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.limit import is_dimension
from tidegate.core.moved import KindMoved, Moved, MovedBudget, MovedIn, MovedKey, MovedTeam
from tidegate.core.plan import Plan
from tidegate.stores import audit, budgets, feed, key_raises, keys, openings, teams
from tidegate.stores.audit import Author
from tidegate.stores.budgets import StoredBudget
from tidegate.stores.imports import Kind, Taking
from tidegate.stores.openings import Opening
from tidegate.stores.spending import opening_of
from tidegate.stores.teams import TeamRecord

_MOST_TOLD = 50
_MOST = 10**18
KEY, TEAM, BUDGET, SPEND = "key", "team", "budget", "spend"
END_USER = "end_user"


class Surroundings(Struct, frozen=True):
    """What an import goes by: the plan, and the digest of a key with its pepper's version."""

    plan: Plan
    declared: Declared
    digest: Callable[[str | bytes], tuple[bytes, int]]


def check(moved: Moved, around: Surroundings) -> None:
    """ApiError for what no transaction is needed to see."""
    known = around.plan.routes
    granted = [(one.name, one.routes) for one in moved.keys]
    for name, routes in (*granted, *((one.id, one.routes) for one in moved.teams)):
        unknown = [it for it in routes if it != EVERY_ROUTE and it not in known]
        if unknown:
            message = f"{name}: the plan has no route {unknown[0]!r}: serve its plan first."
            raise ApiError("invalid_request", message, param="routes")
    for one in moved.keys:
        if one.limits is not None:
            _check_limits(one.name, one.limits)
            check_countable(one.limits, around.declared)
    for scope in (*(it.only for it in moved.budgets), *(it.scope for it in moved.spends)):
        strange = [name for name in scope if not is_dimension(name)]
        if strange or not scope:
            message = f"There is no budget by {strange[0][:64]!r}." if strange else "Whose is it?"
            raise ApiError("invalid_request", message, param="only")
    for kind, names in (
        (KEY, [one.sha256 for one in moved.keys]),
        (TEAM, [one.id for one in moved.teams]),
        (BUDGET, [one.name for one in moved.budgets]),
    ):
        if len(set(names)) < len(names):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise ApiError("invalid_request", f"The {kind} {twice} comes twice.", param=kind)
    declared = around.declared.budgets.keys() & {one.name for one in moved.budgets}
    if declared:
        message = f"Budget {min(declared)} is declared in the plan file: remove it there."
        raise ApiError("taken", message, param="budgets")


def take_in(connection: Connection, moved: Moved, around: Surroundings, by: Author) -> MovedIn:
    """All of it, in the caller's transaction. ApiError, and nothing is to stand, where anything is
    in its way."""
    taking = Taking(connection, moved.source, by.at_s, keep_ours=moved.keep_ours)
    before = taking.names(KEY)
    taking.take(_teams(connection, by), moved.teams)
    taking.take(_budgets(connection, by), moved.budgets)
    taking.take(_keys(connection, around, by), moved.keys)
    if taking.conflicts:
        return _told(taking, [], [])
    _check_grants(connection, moved)
    known = {core_key.foreign_id(bytes.fromhex(one)) for one in before}
    spends = _take_spends(connection, moved, known, by)
    gone = sorted(before - {one.sha256 for one in moved.keys})
    live = [core_key.foreign_id(bytes.fromhex(one)) for one in gone]
    stored = keys.beginning(connection, core_key.FOREIGN_ID_PREFIX) if live else {}
    gone = [one for one in live if one in stored and stored[one].revoked_at_s is None]
    counts = ", ".join(f"{it.new} {name}s" for name, it in taking.counts.items() if it.new)
    audit.append(connection, by, "import", moved.source, counts or "nothing new")
    return _told(taking, [spends], gone)


def _take_spends(connection: Connection, moved: Moved, known: set[str], by: Author) -> KindMoved:
    """At what moment a budget's period began is nothing new: only what was spent then. Of keys that
    are `known` from before somebody may count already, also where there was nothing spent then."""
    stored = openings.every(connection)
    found = [stored.get(opening_of(one.scope)) for one in moved.spends]
    wanted = [Opening(one.scope, one.at_s, one.nanousd) for one in moved.spends]
    changed = [(one, old) for one, old in zip(wanted, found, strict=True) if one != old]
    fresh = [one for one, _ in changed]
    openings.put(connection, fresh, moved.source)
    told = [one for one, old in changed if old is not None or one.scope.get("key") in known]
    _tell_keys(connection, told, by)
    new = sum(old is None for old in found)
    return KindMoved(SPEND, new, len(fresh) - new, len(wanted) - len(fresh))


def _tell_keys(connection: Connection, changed: list[Opening], by: Author) -> None:
    """Gateways that count such a key's budget read anew what was spent of it."""
    ids = [one.scope["key"] for one in changed if [*one.scope] == ["key"]]
    if not ids:
        return
    stored, fresh = keys.beginning(connection, core_key.FOREIGN_ID_PREFIX), []
    for record in (stored[it] for it in ids if it in stored):
        if record.limits is not None:
            limits = replace(record.limits, openings=record.limits.openings + 1)
            fresh.append(replace(record, limits=limits))
    keys.place(connection, fresh)
    feed.append_keys(connection, [record.id for record in fresh], by.at_s)


def _told(taking: Taking, more: list[KindMoved], gone: list[str]) -> MovedIn:
    kinds = [
        KindMoved(name, it.new, it.changed, it.same, it.kept) for name, it in taking.counts.items()
    ]
    return MovedIn(False, [*kinds, *more], taking.conflicts[:_MOST_TOLD], gone, [])


def _check_limits(name: str, limits: KeyLimits) -> None:
    """What comes in as it is stored is what could have been asked for."""
    amounts = (
        limits.budget_nanousd,
        limits.budget_s,
        limits.requests_per_minute,
        limits.tokens_per_minute,
        limits.max_parallel_requests,
    )
    periods = (limits.budget_unit is not None) + (limits.budget_s is not None)
    fits = periods == (limits.budget_nanousd is not None)
    if not fits or any(it is not None and not 0 < it <= _MOST for it in amounts):
        message = (
            f"The limits of key {name} are none: a budget has one period, amounts are above 0."
        )
        raise ApiError("invalid_request", message, param="limits")
    check_alerts(limits.budget_alerts, says=limits.budget_hard)


def _check_grants(connection: Connection, moved: Moved) -> None:
    of = {one.id: teams.get(connection, one.id) for one in moved.teams}
    for one in moved.keys:
        team = of.get(one.team)
        if team is not None and not team.may_grant(one.routes):
            has = ", ".join(team.routes) or "none"
            message = f"Team {team.id} may call {has}; key {one.name} of it may not call more."
            raise ApiError("grant_too_wide", message, param="routes")


def _kept(limits: KeyLimits | None, here: KeyRecord | None) -> KeyLimits | None:
    """The limits, of a key that is here already with how often its opening balance has changed."""
    if limits is None or here is None or here.limits is None:
        return limits
    return replace(limits, openings=here.limits.openings)


def _teams(connection: Connection, by: Author) -> Kind[MovedTeam, TeamRecord]:
    def make(one: MovedTeam, here: TeamRecord | None) -> TeamRecord:
        fresh = TeamRecord(**asdict(one))
        if here is None:
            return fresh
        return replace(fresh, lead=here.lead, lead_digest=here.lead_digest)

    def put(records: list[TeamRecord]) -> None:
        for record in records:
            if teams.get(connection, record.id) is None:
                teams.add(connection, record, by)
            else:
                teams.change(connection, record, by, "team.edit")

    def tell(record: TeamRecord) -> Any:
        return {**asdict(record), "lead": None, "lead_digest": None}

    return Kind(
        TEAM, lambda one: one.id, lambda one: teams.get(connection, one.id), make, put, tell
    )


def _budgets(connection: Connection, by: Author) -> Kind[MovedBudget, StoredBudget]:
    stored = {one.name: one for one in budgets.every(connection)}

    def make(one: MovedBudget, here: StoredBudget | None) -> StoredBudget:
        period = (one.unit, one.rolling_s, None)
        # Who is named by callers alone is counted for every team together, as it was there.
        scope: tuple[str, ...] = () if END_USER in one.only else tuple(sorted(one.only))
        return StoredBudget(
            *(one.name, one.amount_nanousd, *period, scope, dict(one.only), one.hard, one.alerts),
            author=by.actor,
            at_s=by.at_s,
        )

    def tell(record: StoredBudget) -> Any:
        told = asdict(record)
        del told["author"], told["at_s"]
        return told

    def put(records: list[StoredBudget]) -> None:
        for record in records:
            budgets.put(connection, record)

    return Kind(
        BUDGET,
        lambda one: one.name,
        lambda one: stored.get(one.name),
        make,
        put,
        tell,
    )


def _keys(connection: Connection, around: Surroundings, by: Author) -> Kind[MovedKey, KeyRecord]:
    defaults = around.declared.keys
    stored = keys.beginning(connection, core_key.FOREIGN_ID_PREFIX)

    def id_of(one: MovedKey) -> str:
        return core_key.foreign_id(bytes.fromhex(one.sha256))

    def make(one: MovedKey, here: KeyRecord | None) -> KeyRecord:
        digest, pepper_version = around.digest(bytes.fromhex(one.sha256))
        return KeyRecord(
            id=id_of(one),
            digest=digest,
            pepper_version=pepper_version,
            name=one.name,
            team=one.team,
            created_at_s=one.created_at_s,
            routes=one.routes,
            customer=one.customer,
            environment=defaults.environment,
            attributes={**defaults.attributes, **one.attributes},
            expires_at_s=one.expires_at_s,
            revoked_at_s=by.at_s if one.blocked else None,
            limits=_kept(one.limits, here),
        )

    def put(records: list[KeyRecord]) -> None:
        keys.place(connection, records)
        for record in records:
            if record.limits is not None and record.limits.raises:
                key_raises.follow(connection, record, by, "imported")
        feed.append_keys(connection, [record.id for record in records], by.at_s)

    def tell(record: KeyRecord) -> Any:
        told = asdict(record)
        for name in ("digest", "pepper_version", "environment"):
            del told[name]
        told["revoked_at_s"] = record.revoked_at_s is not None
        if record.limits is not None:
            told["limits"] = replace(record.limits, openings=0)
        return told

    return Kind(KEY, lambda one: one.sha256, lambda one: stored.get(id_of(one)), make, put, tell)
