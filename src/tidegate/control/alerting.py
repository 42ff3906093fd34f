"""Alerts of budgets: looked for once a minute, given once a threshold and period.

What was given is in the store, so that neither a restart nor a second control gives it again. A
budget that rolls on alerts once in each stretch of its own length.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tidegate.actuators import webhook
from tidegate.control import budget_views, key_budgets
from tidegate.control.budget_figures import BudgetFigures, Standing, budgets_of
from tidegate.control.secret_refs import resolve
from tidegate.core import clock
from tidegate.core.controller import Tell
from tidegate.core.declared_control import DeclaredWebhook
from tidegate.core.key_limits import BUDGET
from tidegate.core.notice import NotDelivered
from tidegate.core.plan import Limit, Plan
from tidegate.core.units import format_usd
from tidegate.stores import alerts, database, notices
from tidegate.stores.alerts import Alert, Measure
from tidegate.stores.errors import StoreError

LOOK_S: Final = 60.0
# Of one budget, those that spent most: more are looked at while the last has reached a threshold.
_FIRST_SCOPES = 1000
_MOST_SCOPES = 100_000
_NOTED_AT_ONCE = 1000  # so that whoever else writes has their turn
_MOST_SHOWN = 10  # of one budget on /metrics
_MOST_DELIVERED = 100  # at once
_TELL_FOR_S = 3600.0
_KEPT_S = 400 * 86_400.0
_NOTICED_S = 86_400.0  # an alert as a notice is over by itself: it tells of one moment
_REST = 20  # a look at keys takes a twentieth of the time at most

_log = logging.getLogger(__name__)


class Ratio(Struct, frozen=True):
    """How much of a budget one value of its scope has spent, and will have."""

    budget: str
    scope: str
    used: float
    forecast: float | None


class Alerting:
    """Looks at the budgets of the plan in force. `webhook_of` gives the declared address."""

    def __init__(
        self,
        engine: Engine,
        plan: Callable[[], Plan],
        webhook_of: Callable[[], DeclaredWebhook | None],
        environ: Mapping[str, str],
        figures: BudgetFigures,
    ) -> None:
        self._engine = engine
        self._figures = figures
        self._plan = plan
        self._webhook_of = webhook_of
        self._environ = environ
        self._keys_rest_until_s = 0.0
        self._key_ratios: list[Ratio] = []
        self.ratios: list[Ratio] = []

    async def watch(self) -> None:
        """Look once a minute; runs until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look, clock.wall_s())
                await asyncio.to_thread(self.tell, clock.wall_s())
            except StoreError as error:
                _log.warning("budgets cannot be looked at: %s", error)
            except Exception:  # nothing may end the watch: the next look may go well
                _log.exception("budgets were not looked at")
            await asyncio.sleep(LOOK_S)

    def look(self, now_s: float) -> list[Alert]:
        """Note every threshold that has been reached; those that nobody had noted before."""
        ratios: list[Ratio] = []
        fresh: list[Alert] = []
        for limit in budgets_of(self._plan()):
            with database.reading(self._engine) as connection:
                found = self._standing(connection, limit, now_s)
                reached = list(_unnoted(connection, due(found)))
            ratios += _ratios(found)
            fresh += self._note(reached)
        if self._figures.now_s() >= self._keys_rest_until_s:
            self._key_ratios, reached = self._look_at_keys(now_s)
            fresh += self._note(reached)
        self.ratios = ratios + self._key_ratios
        for alert in fresh:
            _log.warning("%s", sentence(alert))
        return fresh

    def _note(self, reached: list[Alert]) -> list[Alert]:
        """Those that nobody had noted before."""
        fresh: list[Alert] = []
        for first in range(0, len(reached), _NOTED_AT_ONCE):
            some = reached[first : first + _NOTED_AT_ONCE]
            with database.writing(self._engine) as connection:
                added = [one for one in some if alerts.add(connection, one)]
                for one in added:
                    notices.note(connection, told_of(one), one.at_s)
            fresh += added
        return fresh

    def _look_at_keys(self, now_s: float) -> tuple[list[Ratio], list[Alert]]:
        """Budgets that keys bring with them: those nearest to their end, and what is to be noted.
        Where there are so many that a look takes long, the next one waits."""
        began_s = self._figures.now_s()
        near, reached = key_budgets.Nearest(_MOST_SHOWN), list[Alert]()
        found = list[Alert]()
        with database.reading(self._engine) as connection:
            for one in key_budgets.every(connection, now_s):
                near.add(one)
                if len(reached) < _MOST_SCOPES:
                    found += due(one.standing)
                if len(found) >= _NOTED_AT_ONCE:
                    reached += _unnoted(connection, found)
                    found.clear()
            reached += _unnoted(connection, found)
        took_s = self._figures.now_s() - began_s
        self._keys_rest_until_s = began_s + (_REST * took_s if _REST * took_s > LOOK_S else 0.0)
        ratios = [
            replace(ratio, budget=BUDGET) for one in near.found() for ratio in _ratios(one.standing)
        ]
        return ratios, reached

    def _standing(self, connection: Connection, limit: Limit, now_s: float) -> Standing:
        """With every value that has reached a threshold."""
        most = _FIRST_SCOPES
        while True:
            found = self._figures.standing(connection, limit, now_s, most=most)
            all_seen = len(found.used) < most or not _reaches_any(found, found.used[-1].nanousd)
            if all_seen or most >= _MOST_SCOPES:
                return found
            most = min(10 * most, _MOST_SCOPES)

    def tell(self, now_s: float) -> None:
        """Deliver to the webhook what it has not taken yet."""
        address = self._webhook_of()
        with database.writing(self._engine) as connection:
            alerts.trim(connection, now_s - _KEPT_S)
            if address is None:
                return
            since_s = now_s - _TELL_FOR_S
            claimed = alerts.claim(connection, now_s, since_s=since_s, limit=_MOST_DELIVERED)
        for alert in claimed:
            try:
                secret = resolve(address.api_key, self._environ)
                webhook.deliver(address.url, body_of(alert), id_of(alert), secret)
            except NotDelivered as error:
                _log.warning("the alert webhook did not take %s: %s", id_of(alert), error)
                return  # the rest is told with the next look, not after as many time-outs
            with database.writing(self._engine) as connection:
                alerts.delivered(connection, alert, clock.wall_s())


def due(found: Standing) -> Iterator[Alert]:
    """Every threshold that a budget's values have reached, noted before or not."""
    limit = found.limit
    for one in found.used:
        forecast, allowed = found.forecast(one.nanousd), found.allowed_of(one)
        for percent in limit.alert_percents:
            measure = _measure(one.nanousd, forecast, percent, allowed)
            if measure is not None:
                yield Alert(
                    budget=limit.name,
                    scope=budget_views.scope_of(found, one),
                    period_start_s=found.period_start_s,
                    measure=measure,
                    percent=percent,
                    at_s=found.now_s,
                    used_nanousd=one.nanousd,
                    forecast_nanousd=forecast,
                    allowed_nanousd=allowed,
                )


def _unnoted(connection: Connection, found: Iterable[Alert]) -> Iterator[Alert]:
    """Those that nobody noted, or only while less was allowed; those of a period together."""
    for period_start_s, of_period in groupby(found, lambda one: one.period_start_s):
        some = list(of_period)
        noted = alerts.noted(connection, {one.budget for one in some}, period_start_s)
        for one in some:
            place = one.budget, one.scope, one.measure, one.percent
            if one.allowed_nanousd > noted.get(place, -1):
                yield one


def _reaches_any(found: Standing, used: int) -> bool:
    """Whether who spends so much, and has no raise, has reached a threshold."""
    forecast, allowed = found.forecast(used), found.allowed_nanousd
    return any(_measure(used, forecast, it, allowed) for it in found.limit.alert_percents)


def _measure(used: int, forecast: int | None, percent: int, allowed: int) -> Measure | None:
    """What has reached the threshold. What is spent needs no forecast any more."""
    if used and budget_views.reaches(used, percent, allowed):
        return "actual"
    foreseen = forecast is not None and budget_views.reaches(forecast, percent, allowed)
    return "forecast" if foreseen and used else None


def sentence(alert: Alert) -> str:
    """An alert for people."""
    what = "has spent" if alert.measure == "actual" else "will have spent"
    amount = alert.used_nanousd if alert.measure == "actual" else alert.forecast_nanousd or 0
    return (
        f"budget {alert.budget} ({alert.scope}) {what} ${format_usd(amount)} of "
        f"${format_usd(alert.allowed_nanousd)}: {alert.percent} % is reached"
    )


def told_of(alert: Alert) -> Tell:
    """An alert as a notice. What is spent up to its end wants somebody's attention."""
    spent = alert.measure == "actual" and alert.percent >= 100
    return Tell(
        topic="budget",
        key=f"budget/{id_of(alert)}",
        severity="ticket" if spent else "info",
        title=f"Budget {alert.budget} ({alert.scope}): {alert.percent} % is reached",
        text=sentence(alert),
        until_s=alert.at_s + _NOTICED_S,
    )


def id_of(alert: Alert) -> str:
    """The same for the same threshold of the same period, while as much is allowed."""
    parts = (
        *(alert.budget, alert.scope, alert.period_start_s, alert.measure, alert.percent),
        alert.allowed_nanousd,
    )
    return "/".join(str(part) for part in parts).encode("ascii", "backslashreplace").decode()


def body_of(alert: Alert) -> bytes:
    """What the webhook is sent."""
    shown = msgspec.structs.asdict(budget_views.alert_view(alert))
    del shown["delivered_at_s"]
    told = {"type": "budget_alert", "id": id_of(alert), "message": sentence(alert), **shown}
    return msgspec.json.encode(told)


def _ratios(found: Standing) -> list[Ratio]:
    shown = []
    for one in found.used[:_MOST_SHOWN]:
        forecast, allowed = found.forecast(one.nanousd), found.allowed_of(one)
        scope = budget_views.scope_of(found, one)
        ratio = None if forecast is None else forecast / allowed
        shown.append(Ratio(found.limit.name, scope, one.nanousd / allowed, ratio))
    return shown
