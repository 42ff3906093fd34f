"""A gateway with a release beside it that requests are copied to."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.gateway.canaried import canaried
from tests.gateway.rig import FREE, Gateway, gateway, until
from tests.gateway.routed import at
from tests.gateway.upstream import Upstream, whole

from tidegate.core.plan import Target
from tidegate.core.receipt import Receipt
from tidegate.gateway.prepared_route import PreparedCandidate
from tidegate.gateway.shadow import Shadows


class Beside:
    """A gateway with a release that `share` of the requests are copied to."""

    def __init__(self, it: Gateway, stable: Upstream, coming: Upstream) -> None:
        self.it, self.stable, self.coming = it, stable, coming
        self.shadows = it.world.shadows = Shadows(it.world)

    @property
    def candidate(self) -> PreparedCandidate:
        plan = self.it.world.plan
        assert plan is not None and plan.routes["small"].candidate is not None
        return plan.routes["small"].candidate

    async def receipts(self) -> tuple[list[Receipt], list[Receipt]]:
        """(callers', copies') once every copy has ended."""
        await until(lambda: not len(self.shadows))
        every = self.it.receipts()
        return [it for it in every if not it.is_own], [it for it in every if it.is_own]

    @property
    def skipped(self) -> dict[str, int]:
        return dict(self.candidate.copies.skipped)


@contextlib.asynccontextmanager
async def beside(
    folder: Path,
    share: float = 1.0,
    script: Any = None,
    coming: dict[str, Any] | None = None,
    **fields: Any,
) -> AsyncIterator[Beside]:
    limits = fields.pop("limits", ())
    async with Upstream() as stable, Upstream(script or whole()) as other:
        after: Target = at(other, "b", **{"price": FREE, **(coming or {})})
        routes = canaried(at(stable, "a"), after, **{"shadow_nanousd": 10**9, **fields})
        async with gateway(folder, at(stable, "a"), routes=routes, limits=limits) as it:
            made = Beside(it, stable, other)
            made.candidate.shadow_share = share
            try:
                yield made
            finally:
                await made.shadows.stop()
