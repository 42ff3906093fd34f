"""All that an answer of the control API may draw on. One per process, passed to every call."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from msgspec import Struct, field
from sqlalchemy import Connection, Engine

from tidegate.control.budget_figures import BudgetFigures
from tidegate.control.certifying import Certifying
from tidegate.control.compiling import Compiling
from tidegate.control.errors import ApiError
from tidegate.control.feed_server import FeedServer
from tidegate.control.loop import Loop
from tidegate.control.plans import NoPlan, Plans
from tidegate.control.slo_desk import SloDesk
from tidegate.core.compile import PlanRefused
from tidegate.core.key import digest_of
from tidegate.core.layout import Layout
from tidegate.stores import database, feed
from tidegate.stores.errors import RowRefused, StoreCorrupt, StoreError, StoreUnavailable

# How long an answer waits for gateways to obey before it names those that do not yet.
OBEY_TIMEOUT_S = 1.0

T = TypeVar("T")


def _we_lead() -> None:
    return None


class Desk(Struct):
    """`render_metrics` gives the text of `/metrics`; `peppers` are by version; `who_leads` names
    the control that does, where it is another."""

    layout: Layout
    engine: Engine
    plans: Plans
    compiling: Compiling
    feed: FeedServer
    peppers: dict[int, bytes]
    figures: BudgetFigures
    render_metrics: Callable[[], bytes]
    loop: Loop
    certifying: Certifying
    who_leads: Callable[[], str | None] = _we_lead
    slo: SloDesk = field(default_factory=SloDesk)
    ending: bool = False  # long polls answer at once

    def digest(self, key: str | bytes) -> tuple[bytes, int]:
        """The digest of a new key, and the version of the pepper that it is made under."""
        version = max(self.peppers)
        material = key.encode() if isinstance(key, str) else key
        return digest_of(material, self.peppers[version]), version

    async def store(self, ask: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Run a blocking question to the store off the loop. ApiError when the store fails."""
        try:
            return await asyncio.to_thread(ask, self.engine, *arguments, **named)
        except StoreError as error:
            raise ApiError("store_unavailable", f"The database cannot be used: {error}") from error

    async def amend(self, change: Callable[[Connection], T]) -> tuple[T, list[str]]:
        """Make a change in the store that changes the plan too, and have gateways obey it.

        What the change came to, and the gateways that do not obey yet. ApiError when the plan
        would not compile with it: then nothing is changed.
        """
        with _told():
            result = await self.plans.amend(self.compiling.changing(change))
        return result, await self.obeyed(await self.newest_seq())

    async def try_change(self, change: Callable[[Connection], T]) -> T:
        """What such a change would come to. Nothing of it stays. ApiError as from `amend`."""
        plans = self.plans
        make = self.compiling.trying(change)
        with _told():
            if not plans.declared.routes:
                raise NoPlan(plans.problems)
            return await asyncio.to_thread(make, plans.declared, plans.current.version + 1)

    async def obeyed(self, seq: int) -> list[str]:
        """Hasten entry `seq` and wait for it; the gateways that do not obey it yet."""
        self.feed.wake()
        return await self.feed.acknowledged(seq, OBEY_TIMEOUT_S)

    async def newest_seq(self) -> int:
        """The number of the feed's newest entry."""
        return await self.store(_newest_seq)


@contextmanager
def _told() -> Iterator[None]:
    """What stands in the way of a change, as the API says it."""
    try:
        yield
    except PlanRefused as refused:
        problems = [f"{'.'.join(c.path)}: {c.message}" for c in refused.complaints]
        raise ApiError(
            "plan_refused", f"This does not fit the plan: {problems[0]}.", problems=problems
        ) from refused
    except NoPlan as error:
        raise ApiError(
            "plan_refused",
            "The plan file is refused: put it right first.",
            problems=error.problems,
        ) from error
    except (StoreUnavailable, StoreCorrupt, RowRefused) as error:
        raise ApiError("store_unavailable", f"The database cannot be used: {error}") from error


def _newest_seq(engine: Engine) -> int:
    with database.reading(engine) as connection:
        return feed.newest_seq(connection)
