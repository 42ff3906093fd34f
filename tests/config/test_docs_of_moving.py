"""docs/moving-in.md has the table of what is carried, as the importers tell it.

`python -m tests.config.test_docs_of_moving` prints its rows.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.config.litellm_rig import FOLDER, NOW_S, convert

from tidegate.config.litellm_house import Asked, moved_house
from tidegate.config.moving import Finding, Findings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "moving-in.md"
_AT = datetime.fromtimestamp(NOW_S + 86_400 * 400, UTC)
_LIMITS: dict[str, Any] = {
    "max_budget": 5.0,
    "budget_duration": "30d",
    "rpm_limit": 1,
    "tpm_limit": 1,
    "max_parallel_requests": 1,
}
KEY = {
    "token": "a" * 64,
    "soft_budget": 1.0,
    "expires": _AT,
    "blocked": True,
    "metadata": '{"tier": "gold"}',
    "organization_id": "acme",
    "project_id": "p",
    "spend": 1.0,
    **_LIMITS,
}
TABLES: dict[str, list[dict[str, Any]]] = {
    "keys": [KEY, {**KEY, "token": "b" * 64, "budget_duration": "3d", "budget_reset_at": _AT}],
    "teams": [{"team_id": "t", "spend": 1.0, **_LIMITS}, {"team_id": "a team", "max_budget": 0.0}],
    "users": [{"user_id": "ada", **_LIMITS}],
    "budgets": [{"budget_id": "b", **_LIMITS}],
    "members": [{"user_id": "ada", "team_id": "t", "budget_id": "b"}],
    "organizations": [{"organization_id": "acme", "budget_id": "b"}],
    "projects": [{"project_id": "p", "budget_id": "b"}],
    "end_users": [{"user_id": "end", "budget_id": "b"}],
}


def of_the_database() -> list[Finding]:
    found = Findings()
    moved_house(TABLES, Asked(frozenset(), {}, NOW_S), found)
    return found.all()


def rows(findings: list[Finding]) -> list[str]:
    """What goes on, as rows of a table, each once."""
    told = [
        it for it in findings if it.fate != "left" and it.ours != "nothing is needed for that here"
    ]
    return sorted({f"| `{it.theirs}` | {it.ours} | {it.said} |" for it in told})


def test_the_page_has_every_row_and_no_other() -> None:
    config = rows(convert("everything.yaml").findings)
    house = rows(of_the_database())
    text = PAGE.read_text()
    shown = [line for line in text.splitlines() if line.startswith("| `")]
    assert shown == [*config, *house]


def test_the_example_says_everything_that_is_carried() -> None:
    """What other examples have carried is in the table as well."""
    known = set(rows(convert("everything.yaml").findings))
    names = set(map(_name, known))
    for file in FOLDER.glob("*.yaml"):
        for row in rows(convert(file.name).findings):
            assert _name(row) in names, row


def _name(row: str) -> str:
    """The last part of the way: some keys may stand in one section or another."""
    return row.split("|")[1].split(":", maxsplit=1)[0].strip(" `").rpartition(".")[2]


if __name__ == "__main__":
    print("\n".join(rows(convert("everything.yaml").findings)), "\n")
    print("\n".join(rows(of_the_database())))
