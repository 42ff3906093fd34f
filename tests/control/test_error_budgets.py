"""What the loop is shown of error budgets, and what releases are told of burns."""

from decimal import Decimal

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores.signal_rig import NOON_S, add, key, one

from tidegate.control.error_budgets import ErrorBudgets
from tidegate.control.moment import Moment
from tidegate.control.observe import Seen
from tidegate.controllers.error_budget import Memory
from tidegate.controllers.release import Burning
from tidegate.core.controller import Tell
from tidegate.core.declared import Declared
from tidegate.core.declared_objectives import DeclaredSlo, DeclaredTurnObjective
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.plan import Plan
from tidegate.stores import database

DECLARED = Declared(routes={"chat": DeclaredRoute("small", slo=DeclaredSlo("chat"))})
PLAN = Plan(1, "", 0.0, {})


class Eyes:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.declared = DECLARED
        self.budgets = ErrorBudgets(lambda: self.declared, lambda: PLAN)

    def observe(self, memories: dict[str, Raw] | None = None) -> list[Seen]:
        with database.reading(self.engine) as connection:
            moment = Moment(NOON_S + 50.0, 0.0)
            return list(self.budgets.observe(connection, moment, memories or {}))


@pytest.fixture
def eyes(engine: Engine) -> Eyes:
    return Eyes(engine)


def test_a_view_that_was_kept_is_the_view_that_was_seen(eyes: Eyes) -> None:
    add(eyes.engine, {key(): one({"ttft": {3: 9}}, availability_good=9, availability_bad=1)})
    [seen] = eyes.observe()
    assert seen.subject == "chat"
    with database.reading(eyes.engine) as connection:
        again = eyes.budgets.refilled(connection, eyes.budgets.kept(seen.view), Raw(b""))
    assert again == seen.view


def test_what_burns_fast_is_told_with_the_candidate_s_part(eyes: Eyes) -> None:
    assert eyes.budgets.burns() == {}
    add(eyes.engine, {key(): one(availability_good=890, availability_bad=10)})
    add(eyes.engine, {key(arm="canary"): one(availability_good=70, availability_bad=30)})
    eyes.observe()
    found = eyes.budgets.burns()
    assert eyes.budgets.approvers() == {"chat": 2}
    assert found == {"chat": (Burning("availability", 0.75, 0.1),)}


def test_a_turn_s_time_burns_by_what_it_may_take_for_each_token(eyes: Eyes) -> None:
    slo = DeclaredSlo(turn_time=DeclaredTurnObjective(Decimal("99"), 2.0, 0.05))
    eyes.declared = replace(DECLARED, routes={"chat": DeclaredRoute("small", slo=slo)})
    add(eyes.engine, {key(): one(turn_time_good=500, turn_time_bad=500)})
    eyes.observe()
    assert eyes.budgets.burns() == {"chat": (Burning("turn_time", None, None, 2.0, 0.05),)}


def test_a_route_without_objectives_is_looked_at_while_something_is_left_of_it(eyes: Eyes) -> None:
    add(eyes.engine, {key(): one(availability_good=1, availability_bad=99)})
    [seen] = eyes.observe()
    memory = eyes.budgets.controller.decide(seen.view, Raw(b"")).memory
    eyes.declared = replace(DECLARED, routes={"chat": DeclaredRoute("small")})
    [gone] = eyes.observe({"chat": memory})
    decision = eyes.budgets.controller.decide(gone.view, memory)
    resolved = {it.key for it in decision.proposals if isinstance(it, Tell) and it.resolved}
    assert {"burn/chat/availability/page", "slo/chat/restricted"} <= resolved
    assert eyes.observe({"chat": Raw(msgspec.msgpack.encode(Memory()))}) == []
    assert eyes.observe({"chat": Raw(b"")}) == []
