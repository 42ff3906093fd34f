"""The loop's eyes for error budgets: every route with objectives, and what burns for releases."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Raw
from sqlalchemy import Connection

from tidegate.control import slo_metrics
from tidegate.control.moment import Moment
from tidegate.control.objective_views import ObjectiveViews
from tidegate.control.observe import Seen
from tidegate.controllers import error_budget
from tidegate.controllers.error_budget import FastBurn, Memory, View, fast_burns
from tidegate.controllers.release import Burning
from tidegate.core.controller import Controller
from tidegate.core.declared import Declared
from tidegate.core.objective import ErrorBudget
from tidegate.core.plan import Plan

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(View).decode
_NOTHING: Final = msgspec.msgpack.encode(Memory())


class ErrorBudgets:
    """Every route that has objectives, or had some of which something is still to be said."""

    controller: Controller = error_budget.plug

    def __init__(self, declared: Callable[[], Declared], plan: Callable[[], Plan]) -> None:
        self._declared = declared
        self._plan = plan
        self._views = ObjectiveViews()
        self._seen: dict[str, View] = {}

    def observe(
        self, connection: Connection, moment: Moment, memories: Mapping[str, Raw]
    ) -> Iterator[Seen]:
        declared, plan = self._declared(), self._plan()
        self._seen = self._views.of_every_route(connection, declared, plan, moment.now_s)
        gone = {
            route: View(route, moment.now_s, 0.0, ErrorBudget(), ())
            for route, memory in memories.items()
            if route not in self._seen and bytes(memory) not in (b"", _NOTHING)
        }
        for route, view in {**self._seen, **gone}.items():
            yield Seen(route, view)

    def kept(self, view: View) -> bytes:
        return _encode(view)

    def render(self) -> bytes:
        """The counters of `/metrics`; none while another control leads."""
        return slo_metrics.render(self._views.totals)

    def refilled(self, connection: Connection, kept: bytes, memory: Raw) -> View:
        return _decode(kept)

    def note(
        self, connection: Connection, subject: str, decision: int, memories: tuple[Raw, Raw]
    ) -> None:
        """Everything that people may want to know of it is in its memory, and was told."""

    def refused(self, connection: Connection, subject: str, why: str, at_s: float) -> None:
        """Nothing that it proposes asks anything of the plan."""

    def approvers(self) -> Mapping[str, int]:
        """By route, how many people say yes to a fix while little is left."""
        return {route: view.budget.approvers for route, view in self._seen.items()}

    def burns(self) -> Mapping[str, tuple[Burning, ...]]:
        """By route, what burned fast when it was last looked at."""
        return {
            route: tuple(_burning(view, one) for one in found)
            for route, view in self._seen.items()
            if (found := fast_burns(view))
        }


def _burning(view: View, one: FastBurn) -> Burning:
    judged = (it.objective for it in view.objectives)
    objective = next(it for it in judged if it.sli == one.objective)
    bounds = objective.within_s, objective.per_output_token_s
    return Burning(one.objective, one.canary_bad, one.canary_traffic, *bounds)
