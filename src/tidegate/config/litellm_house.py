"""LiteLLM's keys, teams, users and budgets, from the rows of its database to what is moved in.

Its users become customers (`customer` on a key), because budgets are told apart by that for good;
its end users are ours. Organizations and projects are attributes of keys. A key without a team
gets the team that is said.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.config.litellm_budget import (
    EVER_S,
    Budget,
    budget_of,
    filled,
    limits_of,
    moment_s,
    nanousd,
)
from tidegate.config.litellm_columns import (
    OF_BUDGET,
    OF_KEYS_BUDGET,
    OF_MEMBERS_BUDGET,
    say_left,
    say_left_of_budget,
    say_left_table,
    text_of,
)
from tidegate.config.litellm_grants import MOST_TEXT, USERS, Above, Grants, attributes_of
from tidegate.config.litellm_ids import (
    PERSONAL,
    budget_name,
    customer_budget_name,
    id_of,
    team_id,
)
from tidegate.config.moving import Findings
from tidegate.core.key import foreign_id
from tidegate.core.moved import Moved, MovedBudget, MovedKey, MovedSpend, MovedTeam

Row = Mapping[str, Any]
Tables = Mapping[str, list[dict[str, Any]]]

SOURCE: Final = "litellm"
_DASHBOARD: Final = "litellm-dashboard"  # keys of its own pages, for a session each
_ADMINS: Final = frozenset({"default_user_id", "litellm-proxy-master-key", ""})
_WHOLE: Final = "litellm-proxy-budget"  # the user that stands for everything
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST_NAME: Final = 100
_MOST_COUNT: Final = 10**15
_CALLED: Final = {
    **dict.fromkeys(("users", "members", "end_users"), "user_id"),
    "teams": "team_id",
    "organizations": "organization_id",
    "projects": "project_id",
    "tags": "tag_name",
}
_UNTIL_UNBLOCKED: Final = "it is let in again by an import after it was unblocked there"
_COUNTS: Final = ("rpm_limit", "tpm_limit", "max_parallel_requests")


class Asked(Struct, frozen=True):
    """What an import is made with: the plan's routes, what names of theirs stand for there, and the
    wall clock."""

    routes: frozenset[str]
    groups: Mapping[str, list[str]]
    now_s: float


def moved_house(tables: Tables, asked: Asked, found: Findings) -> Moved:
    """Everything of theirs that goes on; the rest is told in `found`."""
    return _House(tables, asked, found).moved()


class _House:
    def __init__(self, tables: Tables, asked: Asked, found: Findings) -> None:
        self._tables = tables
        self._asked = asked
        self._found = found
        self._grants = Grants(asked.routes, asked.groups, found)
        self._budget_rows = {row["budget_id"]: row for row in tables.get("budgets", ())}
        self._team_rows = {row["team_id"]: row for row in tables.get("teams", ())}
        self._user_rows = {row["user_id"]: row for row in tables.get("users", ())}
        self._project_rows = {row["project_id"]: row for row in tables.get("projects", ())}
        self._member_rows = {
            (row["user_id"], row["team_id"]): row for row in tables.get("members", ())
        }
        self._budgets: list[MovedBudget] = []
        self._spends: list[MovedSpend] = []

    def moved(self) -> Moved:
        teams = [self._team(row) for row in self._rows("teams") if row["team_id"] != _DASHBOARD]
        keys = [key for row in self._rows("keys") if (key := self._key(row)) is not None]
        if any(key.team == PERSONAL for key in keys):
            said = "every key has a team here"
            self._found.changed("keys without a team", f"the team {PERSONAL}", said)
        self._members()
        self._users()
        self._attributed("organizations", "organization_id", "organization")
        self._attributed("projects", "project_id", "project")
        self._end_users()
        self._told_only()
        return Moved(SOURCE, keys, teams, self._budgets, self._spends)

    def _rows(self, table: str) -> Iterable[Row]:
        for row in self._tables.get(table, ()):
            self._found.whose = _whose(table, row)
            say_left(table, row, self._found)
            yield row
        self._found.whose = None

    def _team(self, row: Row) -> MovedTeam:
        team = team_id(row["team_id"])
        if team != row["team_id"]:
            said = "an id here is 40 letters, digits, `_` and `-` at most"
            if row["team_id"] == PERSONAL:
                said = "that is the team here of keys without one"
            self._found.changed(f"teams.team_id {row['team_id'][:60]}", f"team {team}", said)
        self._budget(f"team.{team}", {"team": team}, row, "teams")
        requests, tokens, at_once = self._counts("teams", row, {})
        return MovedTeam(
            id=team,
            alias=text_of(row.get("team_alias") or row["team_id"], 100),
            routes=self._grants.routes(row.get("models") or [], "teams.models"),
            created_at_s=moment_s(row.get("created_at")) or self._asked.now_s,
            requests_per_minute=requests,
            tokens_per_minute=tokens,
            max_parallel_requests=at_once,
        )

    def _counts(self, table: str, row: Row, linked: Row) -> list[int | None]:
        """Requests and tokens a minute, requests at once; what only the budget says holds too."""
        return [self._count(table, name, row, linked) for name in _COUNTS]

    def _count(self, table: str, name: str, row: Row, linked: Row) -> int | None:
        theirs = row.get(name)
        theirs = linked.get(name) if theirs is None else theirs
        if theirs is None:
            return None
        ours = f"a limit of the {table.rstrip('s')}"
        if int(theirs) > 0:
            self._found.carried(f"{table}.{name}", ours)
        else:
            said = "nothing may be asked there; a limit here is 1 at least: revoke its keys"
            self._found.changed(f"{table}.{name} 0", ours, said)
        return min(max(int(theirs), 1), _MOST_COUNT)

    def _key(self, row: Row) -> MovedKey | None:
        sha256, theirs = row["token"], row.get("team_id")
        if theirs == _DASHBOARD:
            self._found.left("keys of its own pages", "nobody calls models with them")
            return None
        if _SHA256.fullmatch(sha256) is None:
            self._found.left("keys.token", "it is no SHA-256, so that no key could be known by it")
            return None
        if self._grants.is_for_management(row.get("allowed_routes") or []):
            self._found.left("keys of management alone", "they may call no model")
            return None
        user = row.get("user_id") or ""
        linked = self._linked(row, "keys")
        budget = budget_of(filled(row, linked), "keys", self._asked.now_s, self._found)
        self._spend({"key": foreign_id(bytes.fromhex(sha256))}, row, budget)
        if row.get("expires") is not None:
            self._found.carried("keys.expires", "expires_at_s")
        team_row = self._team_rows.get(theirs, {})
        if theirs and not team_row:
            said = "its limits and budget are gone with it: `tidegate team create` gives it others"
            self._found.changed("keys.team_id of a team that is not there", "its team", said)
        project = self._project_rows.get(row.get("project_id"), {})
        blocked = any(it.get("blocked") for it in (row, team_row, project))
        if blocked:
            where = "keys.blocked, teams.blocked, projects.blocked"
            self._found.changed(where, "revoked", _UNTIL_UNBLOCKED)
        self._found.carried("keys.token", "the same key, known by its SHA-256")
        attributes = attributes_of(row, team_row, self._found)
        return MovedKey(
            sha256=sha256,
            name=text_of(row.get("key_alias") or row.get("key_name") or sha256[:8], 100),
            team=team_id(theirs) if theirs else PERSONAL,
            routes=self._grants.of_key(row, self._above(row, team_row, project)),
            created_at_s=moment_s(row.get("created_at")) or self._asked.now_s,
            customer=None if user in _ADMINS else self._customer(user),
            attributes=attributes,
            expires_at_s=moment_s(row.get("expires")),
            blocked=blocked,
            limits=limits_of(budget, self._counts("keys", row, linked)),
        )

    def _above(self, row: Row, team: Row, project: Row) -> Iterable[Above]:
        """Within whose models a key's are."""
        user = row.get("user_id") or ""
        if team:
            yield "teams.models", team.get("models") or []
            member = self._member_rows.get((user, row.get("team_id")), {"team_id": row["team_id"]})
            linked = self._budget_rows.get(member.get("budget_id")) or self._default_of(member)
            yield "members.allowed_models", (linked or {}).get("allowed_models") or []
        else:
            yield USERS, self._user_rows.get(user, {}).get("models") or []
        yield "projects.models", project.get("models") or []

    def _customer(self, user: str) -> str:
        customer = id_of(user, _MOST_NAME)
        if customer != user:
            said = f"a customer is printable, of {_MOST_NAME} letters at most"
            self._found.changed(f"users.user_id {text_of(user, 60)}", customer, said)
        return customer

    def _linked(self, row: Row, what: str) -> Row:
        """The budget that a row names; what of it does not go on is told."""
        found = self._budget_rows.get(row.get("budget_id"), {})
        read = {"keys": OF_KEYS_BUDGET, "members": OF_MEMBERS_BUDGET}.get(what, OF_BUDGET)
        say_left_of_budget(what, found, read, self._found)
        return found

    def _members(self) -> None:
        """Budgets of users within a team."""
        for row in self._rows("members"):
            if row["user_id"] in _ADMINS:
                continue
            linked = self._linked(row, "members") or self._default_of(row)
            scope = {"team": team_id(row["team_id"]), "customer": self._customer(row["user_id"])}
            name = budget_name("member", *scope.values())
            self._budget(name, scope, {**(linked or {}), "spend": row.get("spend")}, "members")

    def _default_of(self, member: Row) -> Row | None:
        team = self._team_rows.get(member["team_id"], {})
        metadata = _object(team.get("metadata"))
        return self._budget_rows.get(metadata.get("team_member_budget_id"))

    def _users(self) -> None:
        """Budgets of users, which hold for their keys without a team."""
        for row in self._rows("users"):
            user = row["user_id"]
            if user == _WHOLE:
                said = "the budget of everything: declare one without a scope in the plan file"
                self._found.left("users.max_budget of the whole proxy", said)
            elif user not in _ADMINS:
                scope = {"customer": self._customer(user), "team": PERSONAL}
                self._budget(budget_name("user", user), scope, row, "users")

    def _attributed(self, table: str, key: str, attribute: str) -> None:
        """What their keys carry as an attribute, and their receipts with them."""
        for row in self._rows(table):
            linked = self._linked(row, table)
            value, scope = row[key], f"attribute.{attribute}"
            shown = {**linked, "spend": row.get("spend")}
            if linked.get("max_budget") is not None and not linked.get("budget_duration"):
                said = (
                    "only receipts tell an attribute, and they are kept for a while: give it a "
                    "duration there, or declare a budget of each of its teams"
                )
                self._found.left(f"{table}.max_budget without a duration", said)
                shown = {"spend": row.get("spend")}
            self._budget(
                budget_name(attribute, value), {scope: id_of(value, MOST_TEXT)}, shown, table
            )

    def _end_users(self) -> None:
        for row in self._rows("end_users"):
            linked = self._linked(row, "end_users")
            shown = {**linked, "spend": row.get("spend")}
            if linked.get("max_budget") is not None and not linked.get("budget_duration"):
                said = "only receipts tell an end user, and they are kept for a while"
                self._found.left("end_users.max_budget without a duration", said)
                shown = {"spend": row.get("spend")}
            user = row["user_id"]
            if text_of(user, MOST_TEXT) != user:
                said = f"who is named by callers is printable, of {MOST_TEXT} letters at most"
                self._found.left(f"end_users.user_id {text_of(user, 60)}", said)
                continue
            self._budget(customer_budget_name(user), {"end_user": user}, shown, "end_users")

    def _told_only(self) -> None:
        models, old = self._tables.get("models", []), self._tables.get("old_keys", [])
        for _ in models:
            said = "they are encrypted under LITELLM_SALT_KEY: write them into its config first"
            self._found.left("models kept in its database", said)
        for _ in old:
            self._found.left("keys that were rotated, in their grace", "use the new ones")
        for other in self._tables.get("others", ()):
            say_left_table(other["table"], self._found)
        for row in self._rows("tags"):
            if row.get("budget_id"):
                self._found.left("tags.budget_id", "no budget here counts one of several tags")

    def _budget(self, name: str, scope: dict[str, str], row: Row, what: str) -> None:
        budget = budget_of(row, what, self._asked.now_s, self._found)
        self._spend(scope, row, budget)
        if budget is not None:
            self._budgets.append(
                MovedBudget(
                    name=name,
                    amount_nanousd=budget.amount_nanousd,
                    only=scope,
                    unit=budget.unit,
                    rolling_s=budget.rolling_s,
                    hard=budget.hard,
                    alerts=budget.alerts,
                )
            )

    def _spend(self, scope: dict[str, str], row: Row, budget: Budget | None) -> None:
        spent = nanousd(row.get("spend"))
        if spent:
            at_s = EVER_S if budget is None else budget.at_s
            self._spends.append(MovedSpend(scope, at_s, spent))


def _whose(table: str, row: Row) -> str | None:
    """What a row is called here: a key by the id that commands take, others by their own."""
    if table == "keys":
        sha256 = str(row["token"])
        return foreign_id(bytes.fromhex(sha256)) if _SHA256.fullmatch(sha256) else None
    name = row.get(_CALLED.get(table, ""))
    return None if name is None else text_of(name, 60)


def _object(text: object) -> dict[str, Any]:
    try:
        return msgspec.json.decode(str(text or "{}"), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}
