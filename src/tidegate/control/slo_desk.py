"""How objectives stand, for people who ask: the loop's own look at them, at this moment."""

import threading

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.control.objective_views import ObjectiveViews
from tidegate.controllers import error_budget
from tidegate.controllers.error_budget import Found, View, look, read_memory
from tidegate.core.compile_objectives import objectives_of
from tidegate.core.declared import Declared
from tidegate.core.objective import RouteObjectives
from tidegate.core.plan import Plan
from tidegate.stores import decisions


class Standing(Struct, frozen=True):
    """One route: what is declared, what is counted, and what the controller makes of it."""

    declared: RouteObjectives
    view: View
    found: Found


class SloDesk:
    """Use it from any thread: it reads what has changed since somebody asked last."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._views = ObjectiveViews()

    def standing(
        self, connection: Connection, declared: Declared, plan: Plan, now_s: float
    ) -> list[Standing]:
        """Every route that has objectives. StoreError."""
        with self._looking:
            views = self._views.of_every_route(connection, declared, plan, now_s)
        known = decisions.remembered(connection, error_budget.plug.name)
        found = []
        for one in objectives_of(declared.routes):
            memory = known.get(one.route)
            before = error_budget.Memory() if memory is None else read_memory(memory.memory)
            found.append(Standing(one, views[one.route], look(views[one.route], before)))
        return sorted(found, key=lambda one: one.declared.route)
