"""What a tick reads of signals, the plain way: from every row there is, added up each time."""

from typing import Any

from sqlalchemy import Connection, select

from tidegate.control.moment import Moment
from tidegate.control.sli_windows import Source, Windowed
from tidegate.controllers.release import Burning, Place, ShadowSeen, is_own
from tidegate.core.block import Tally
from tidegate.core.objective import Objective, RouteObjectives
from tidegate.core.sli import LATENCIES
from tidegate.stats import burn
from tidegate.stats.histogram import GAMMA, bucket_of, merge
from tidegate.stores.rollouts import Kept
from tidegate.stores.schema_signals import signal_details, signal_scopes, signals
from tidegate.stores.signal_bins import together
from tidegate.stores.signal_rows import histogram_of

PROMOTED = ("promoted", "soak")
COSTS = ("requests", "cost_nanousd", "cost_unknown")


def copies_of(
    connection: Connection, kept: list[Kept], known: dict[str, Place], names: dict[str, str]
) -> dict[str, ShadowSeen]:
    """Each release for itself, from every row there is."""
    found = {}
    for one in kept:
        release, standing = one.rollout, known[one.rollout.id].standing
        if (standing.back_to if standing.state == "paused" else standing.state) != "shadow":
            continue
        mine = [it for it in stored(connection) if it["arm"] == "shadow"]
        mine = [it for it in mine if it["route"] == release.route]
        name = names[release.id] if release.orthogonal else None
        if name is not None:
            told = (name, *standing.copied_as)
            mine = [it for it in mine if it["release"] in told]
        first_s = min(standing.shadowed_s or one.since_s, one.since_s)
        copies = [it for it in mine if it["start_s"] >= int(first_s) - 59]
        answers = [it for it in mine if it["start_s"] >= int(one.since_s) - 59]
        found[release.id] = ShadowSeen(
            *(sum(it[count] for it in answers) for count in ("requests", "failed", "validity_bad")),
            *(
                sum(it[count] for it in copies)
                for count in ("requests", "cost_nanousd", "cost_unknown")
            ),
            name=name,
        )
    return found


def of_each(
    connection: Connection, moment: Moment, kept: list[Kept]
) -> dict[str, tuple[Burning, ...]]:
    """As `release_burns.of_each`, by every row there is."""
    names, found = moment.candidates or {}, dict[str, tuple[Burning, ...]]()
    at_work = [one for one in kept if one.state not in ("created", "gated")]
    for route, burning in moment.burning.items():
        mine = [one for one in at_work if one.rollout.route == route]
        if len(mine) < 2:
            continue
        coming = [
            it for it in mine if it.state not in ("promoted", "soak") and it.rollout.id in names
        ]
        for one in coming:
            name = names[one.rollout.id]
            found[one.rollout.id] = tuple(
                _share(connection, moment, (route, name), it) for it in burning
            )
        others = [it for one in coming for it in found[one.rollout.id]]
        blamed = {it.objective for it in others if is_own(it.canary_bad, it.canary_traffic)}
        for one in mine:
            if one.state in PROMOTED:
                found[one.rollout.id] = tuple(it for it in burning if it.objective not in blamed)
    return found


def _share(
    connection: Connection, moment: Moment, whose: tuple[str, str], burning: Burning
) -> Burning:
    if burning.canary_bad is None or burning.canary_traffic is None:
        return burning
    sli: Any = burning.objective
    objective = Objective(sli, 0.0, burning.within_s, burning.per_output_token_s)
    rows = [it for it in stored(connection) if (it["route"], it["arm"]) == (whose[0], "canary")]
    rows = [it for it in rows if it["start_s"] >= int(moment.now_s - 3600) - 59]
    starts = sorted({it["start_s"] for it in rows})
    every, mine = (
        [_counted([it for it in some if it["start_s"] == at], objective) for at in starts]
        for some in (rows, [it for it in rows if it["release"] == whose[1]])
    )
    judged, bad = sum(it.judged for it in every), sum(it.bad for it in every)
    if not judged or not bad:
        return burning
    own_bad, own_judged = sum(it.bad for it in mine), sum(it.judged for it in mine)
    return Burning(
        burning.objective,
        burning.canary_bad * own_bad / bad,
        burning.canary_traffic * own_judged / judged,
        burning.within_s,
        burning.per_output_token_s,
    )


def stored(connection: Connection) -> list[Any]:
    """Every row of a minute."""
    c, scope = signals.c, signal_scopes.c
    histograms = (signal_details.c[f"{name}_histogram"] for name in LATENCIES)
    query = (
        select(signals, scope.route, scope.arm, scope.release, *histograms)
        .join(signal_scopes, scope.id == c.scope)
        .join(signal_details, together())
        .where(c.span_s == 60)
    )
    return [row._mapping for row in connection.execute(query)]


class StraightWindows:
    """In place of `sli_windows.SliWindows`: each window is added up from every minute."""

    def __init__(self, engine: Any) -> None:
        self.totals: dict[Any, Tally] = {}
        self._engine = engine
        self._declared: tuple[RouteObjectives, ...] = ()
        self._rows: list[Any] = []

    def keep_up(self, _: Source, declared: tuple[RouteObjectives, ...], now_s: float) -> None:
        self._declared = declared
        with self._engine.connect() as connection:
            self._rows = stored(connection)

    def known_s(self, route: str, now_s: float) -> float:
        mine = (it for it in self._rows if it["route"] == route and it["arm"] != "shadow")
        return max(now_s - min((it["start_s"] for it in mine), default=now_s), 0.0)

    def of(self, route: str, now_s: float) -> tuple[Windowed, ...]:
        [mine] = [one for one in self._declared if one.route == route]
        windows = burn.windows_s(mine.budget.period_s)
        found = []
        for objective in mine.objectives:
            by_minute = self._by_minute(route, objective)
            counts = {int(it): _window(by_minute, it, now_s) for it in windows}
            of_canary = {at: it for at, it in by_minute.items() if at[1] == "canary"}
            canary = _window(of_canary, 3600.0, now_s)
            known_s = None
            if objective.per_output_token_s:
                first_s = min((at[0] for at, it in by_minute.items() if it.judged), default=now_s)
                known_s = max(now_s - first_s, 0.0)
            found.append(Windowed(objective, counts, canary if canary.judged else None, known_s))
        return tuple(found)

    def _by_minute(self, route: str, objective: Objective) -> dict[tuple[int, str], Tally]:
        slots: dict[tuple[int, str], list[Any]] = {}
        for row in self._rows:
            if row["route"] == route:
                slots.setdefault((row["start_s"], row["arm"]), []).append(row)
        return {slot: _counted(rows, objective) for slot, rows in slots.items()}


def _counted(rows: list[Any], objective: Objective) -> Tally:
    if objective.within_s is None or objective.per_output_token_s:
        good, bad = (sum(it[f"{objective.sli}_{what}"] for it in rows) for what in ("good", "bad"))
        return Tally(good + bad, bad)
    whole: dict[int, int] = {}
    for row in rows:
        payload = row[f"{objective.sli}_histogram"]
        merge(whole, histogram_of(payload) if payload else {})
    edge = bucket_of(objective.within_s)
    low = GAMMA ** (edge - 1)
    below = float(sum(count for bucket, count in whole.items() if bucket < edge))
    part = min((objective.within_s - low) / (low * (GAMMA - 1.0)), 1.0)
    judged = sum(whole.values())
    return Tally(judged, judged - round(below + whole.get(edge, 0) * part))


def _window(by_minute: dict[tuple[int, str], Tally], window_s: float, now_s: float) -> Tally:
    step_s = 60 if window_s <= 6 * 3600 else 3600
    newest_s = max([now_s, *(at_s for at_s, _ in by_minute)])
    after = newest_s // step_s - -(-window_s // step_s)
    inside = [it for (at_s, _), it in by_minute.items() if at_s // step_s > after]
    return Tally(sum(it.judged for it in inside), sum(it.bad for it in inside))
