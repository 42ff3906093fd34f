"""What operators have added at run time, beside the plan file: it compiles by the same rules."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.assemble import Path, Say
from tidegate.core.change import Revision
from tidegate.core.declared import Declared
from tidegate.core.declared_budgets import DeclaredBudget
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.learnt import LearntThreshold
from tidegate.core.limit import SPEND, raised_scope
from tidegate.core.plan import Limit, Raise
from tidegate.core.prompt import TagFlip
from tidegate.core.rollout import Rollout


class Added(Struct, frozen=True):
    """Budgets and limits by name, raises by the name of the budget that they raise, revisions in
    the order in which they were made, the releases that these tell of, by id, flips of prompts'
    tags in their order, by route the threshold that its semantic tier has learnt last, and by the
    dimensions of a budget how often its opening balances have changed."""

    budgets: dict[str, DeclaredBudget] = {}
    limits: dict[str, DeclaredLimit] = {}
    raises: dict[str, tuple[Raise, ...]] = {}
    revisions: tuple[Revision, ...] = ()
    rollouts: dict[str, Rollout] = {}
    flips: tuple[TagFlip, ...] = ()
    learnt: dict[str, LearntThreshold] = {}
    openings: dict[str, int] = {}

    def speaks(self, say: Say) -> Say:
        """`say`, telling of what is wrong with one of these that it is not in the file."""

        def told(path: Path, message: str) -> None:
            if path[:1] == ("budgets",) and path[1:2] and path[1] in self.budgets:
                message += "; it was set at run time: `tidegate budget end` ends it"
            elif path[:1] == ("limits",) and path[1:2] and path[1] in self.limits:
                message += "; it is a team's, set at run time"
            say(path, message)

        return told


def joined(declared: Declared, added: Added, say: Say) -> Declared:
    """The file's budgets and limits together with those added. A name that both use is refused."""
    for name in declared.budgets.keys() & added.budgets.keys():
        say(("budgets", name), "a budget of this name is declared in the plan file")
    for name in declared.limits.keys() & added.limits.keys():
        say(("limits", name), "a limit of this name is declared in the plan file")
    return replace(
        declared,
        budgets={**added.budgets, **declared.budgets},
        limits={**added.limits, **declared.limits},
    )


def opened(limits: Iterable[Limit], added: Added) -> tuple[Limit, ...]:
    """The limits with what tells that their opening balances have changed."""
    if not added.openings:
        return tuple(limits)

    def changes(limit: Limit) -> int:
        names = {*limit.scope, *(name for name, _ in limit.only)}
        return added.openings.get(",".join(sorted(names)), 0)

    return tuple(
        replace(limit, openings=changes(limit)) if limit.kind == SPEND else limit
        for limit in limits
    )


def raised(limits: Iterable[Limit], added: Added) -> tuple[Limit, ...]:
    """The limits with their raises. A raise of what is there no more says nothing."""

    def standing(limit: Limit) -> tuple[Raise, ...]:
        given = added.raises[limit.name]
        return tuple(one for one in given if not one.scope or raised_scope(limit, one) is not None)

    return tuple(
        replace(limit, raises=standing(limit)) if limit.name in added.raises else limit
        for limit in limits
    )
