"""How long each route's clients are expected to wait, for whoever judges their requests."""

from collections.abc import Callable

from tidegate.core.compile_objectives import objectives_of
from tidegate.core.declared import Declared
from tidegate.core.sli import PATIENCE, Patience


class PatienceOf:
    """By the objectives of the plan that is declared now. Call it from one thread."""

    def __init__(self, declared: Callable[[], Declared]) -> None:
        self._declared = declared
        self._seen: Declared | None = None
        self._patience: dict[str, Patience] = {}

    def __call__(self, route: str) -> Patience:
        declared = self._declared()
        if declared is not self._seen:
            self._seen = declared
            self._patience = {one.route: one.patience for one in objectives_of(declared.routes)}
        return self._patience.get(route, PATIENCE)
