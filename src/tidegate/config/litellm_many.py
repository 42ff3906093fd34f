"""More budgets than one plan holds: which budgets by `scope` stand for them, and how to import
without theirs."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

from msgspec.structs import replace

from tidegate.config.litellm_ids import PERSONAL
from tidegate.config.moving import Findings
from tidegate.config.show import usd_text
from tidegate.core.compile_limits import MAX_LIMITS
from tidegate.core.moved import Moved, MovedBudget

# Whose budgets may be left, and the budget by scope that counts each of them with what it spent.
SHARED: Final = {
    "users": f"scope: [customer], only: {{team: {PERSONAL}}}",
    "members": "scope: [customer, team]",
    "end-users": "scope: [end_user]",
}
_MOST_TOLD: Final = 3


def without_budgets(moved: Moved, kinds: Collection[str], found: Findings) -> Moved:
    """The same without the budgets of these; what they spent stays."""
    kept = []
    for one in moved.budgets:
        kind = _kind_of(one)
        if kind in kinds:
            found.left(f"budgets of {kind}", "as asked: a budget by scope stands for them")
        else:
            kept.append(one)
    return replace(moved, budgets=kept)


def _kind_of(budget: MovedBudget) -> str | None:
    """Whose budget it is, of those that a budget by scope may stand for."""
    if "end_user" in budget.only:
        return "end-users"
    if "customer" in budget.only:
        return "users" if budget.only.get("team") == PERSONAL else "members"
    return None


def too_many(moved: Moved) -> str | None:
    """What to do where a plan could not hold all of it; None where it can."""
    of_teams = sum(
        it is not None
        for team in moved.teams
        for it in (
            team.requests_per_minute,
            team.tokens_per_minute,
            team.max_parallel_requests,
        )
    )
    count = len(moved.budgets) + of_teams
    if count <= MAX_LIMITS:
        return None
    lines = [
        f"these are {count:,} budgets and limits, and a plan holds {MAX_LIMITS:,} beside those of "
        "keys. Budgets of one size are one budget by scope: write it into the plan that is served, "
        "then import without theirs. What each has spent is imported, and counts in it.",
    ]
    for kind, scope in SHARED.items():
        of = [it for it in moved.budgets if _kind_of(it) == kind]
        if of:
            lines.append(f"--without-budgets-of {kind} leaves {len(of):,}; they are of")
            lines += [f"  {text}" for text in _sizes(kind, scope, of)]
    return "\n".join(lines)


def _sizes(kind: str, scope: str, budgets: Iterable[MovedBudget]) -> Iterable[str]:
    counts = Counter((it.amount_nanousd, it.unit, it.rolling_s, it.hard) for it in budgets)
    name = kind.replace("-", "_")
    for (amount, unit, rolling_s, hard), count in counts.most_common(_MOST_TOLD):
        per = unit or f"{rolling_s:g}s"
        soft = "" if hard else ", hard: false"
        told = f"{name}: {{amount: {usd_text(amount)}, per: {per}, {scope}{soft}}}"
        yield f"{told}  # {count:,} of them"
    others = len(counts) - _MOST_TOLD
    if others > 0:
        yield f"and {others:,} other sizes"
