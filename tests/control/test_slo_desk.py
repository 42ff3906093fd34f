"""What people are shown of objectives is what the loop would make of them."""

import msgspec
from sqlalchemy import Engine, insert
from tests.stores.signal_rig import NOON_S, add, key, one

from tidegate.control.slo_desk import SloDesk
from tidegate.controllers.error_budget import Memory
from tidegate.core.declared import Declared
from tidegate.core.declared_objectives import DeclaredSlo
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.plan import Plan
from tidegate.stores import database
from tidegate.stores.schema_rollouts import memories

SLO = DeclaredSlo("chat")
DECLARED = Declared(routes={name: DeclaredRoute("small", slo=SLO) for name in ("rag", "chat")})
PLAN = Plan(1, "", 0.0, {})


def states(desk: SloDesk, engine: Engine) -> dict[str, str]:
    with database.reading(engine) as connection:
        found = desk.standing(connection, DECLARED, PLAN, NOON_S + 30.0)
    return {one.declared.route: one.found.state for one in found}


def test_routes_stand_by_name_with_what_the_loop_remembers(engine: Engine) -> None:
    desk = SloDesk()
    assert states(desk, engine) == {"chat": "normal", "rag": "normal"}
    paged = msgspec.msgpack.encode(Memory(paged_at_s=NOON_S - 7200.0))
    row = {"controller": "error_budget", "subject": "rag", "memory": paged, "decision": 1}
    with database.writing(engine) as connection:
        connection.execute(insert(memories).values(**row, at_s=NOON_S))
    add(engine, {key(): one(availability_good=9, availability_bad=9)})
    assert states(desk, engine) == {"chat": "restricted", "rag": "restricted"}
