"""Thresholds of semantic tiers: what they are, learning one, forgetting it. Every gateway obeys
before the answer."""

from collections.abc import Callable

from msgspec.structs import asdict
from sqlalchemy import Connection, Engine

from tidegate.control.api_keys import author
from tidegate.control.desk import Desk
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_thresholds import (
    ForgetThreshold,
    NewThreshold,
    ThresholdPage,
    ThresholdSet,
    ThresholdView,
)
from tidegate.core import clock
from tidegate.core.cache import SemanticCache
from tidegate.core.learnt import LearntThreshold, why_not
from tidegate.core.words import nearest, quoted
from tidegate.stats.precision import lower_bound
from tidegate.stores import database, thresholds
from tidegate.stores.audit import Author

OPERATOR = "operator:"


async def _list(call: Call) -> ThresholdPage:
    desk = call.desk

    def read(engine: Engine) -> dict[str, LearntThreshold]:
        with database.reading(engine) as connection:
            return thresholds.newest(connection)

    learnt = await desk.store(read)
    return ThresholdPage(
        [_view(desk, name, tier, learnt.get(name)) for name, tier in _declared(desk).items()]
    )


async def _learn(call: Call) -> ThresholdSet:
    asked: NewThreshold = call.body
    desk, name = call.desk, call.path["route"]
    _check(asked, _tier(desk, name))
    by = author(call)
    learnt = LearntThreshold(
        id=clock.IdSource().new(),
        route=name,
        author=f"{OPERATOR}{by.actor}",
        at_s=by.at_s,
        **asdict(asked),
    )
    return await _changed(call, lambda connection: thresholds.append(connection, learnt), learnt)


async def _forget(call: Call) -> ThresholdSet:
    asked: ForgetThreshold = call.body
    by, name = author(call), call.path["route"]
    _tier(call.desk, name)
    who = Author(f"{OPERATOR}{by.actor}", by.at_s)
    return await _changed(call, lambda it: thresholds.forget(it, name, asked.reason, who), None)


ROWS = (
    Row("GET", "/api/cache/thresholds", "viewer", _list),
    Row("POST", "/api/cache/thresholds/{route}", "operator", _learn, body=NewThreshold),
    Row("POST", "/api/cache/thresholds/{route}/forget", "operator", _forget, body=ForgetThreshold),
)


async def _changed(
    call: Call, change: Callable[[Connection], None], learnt: LearntThreshold | None
) -> ThresholdSet:
    desk, name = call.desk, call.path["route"]
    _, waiting_for = await desk.amend(change)
    return ThresholdSet(_view(desk, name, _tier(desk, name), learnt), waiting_for)


def _check(asked: NewThreshold, tier: SemanticCache) -> None:
    """ApiError where it would not count, or its own figures do not bear it out."""
    if not asked.same <= asked.taken <= asked.pairs or asked.all_same < asked.same:
        raise ApiError("invalid_request", "These counts do not fit each other.", param="taken")
    lower = lower_bound(asked.same, asked.taken)
    if lower < asked.target:
        message = (
            f"With {asked.same} of {asked.taken} pairs the same, the precision is {lower:.4f} at "
            f"the least, which is not {asked.target:g}."
        )
        raise ApiError("invalid_request", message, param="same")
    if asked.encoder != tier.encoder:
        message = f"The route's encoder is {quoted(tier.encoder)}; calibrate with that one."
        raise ApiError("invalid_request", message, param="encoder")
    if asked.target < tier.target:
        message = f"The route's target is {tier.target:g}; calibrate for that."
        raise ApiError("invalid_request", message, param="target")


def _tier(desk: Desk, name: str) -> SemanticCache:
    """As it is declared. ApiError where the route has none."""
    tiers = _declared(desk)
    if name in tiers:
        return tiers[name]
    if name in desk.plans.declared.routes:
        message = f"The route {quoted(name)} has no `cache.semantic`; write it in the plan file."
    else:
        message = f"There is no route {quoted(name)}{nearest(name, desk.plans.declared.routes)}."
    raise ApiError("not_found", message)


def _declared(desk: Desk) -> dict[str, SemanticCache]:
    found = {}
    for name, route in sorted(desk.plans.declared.routes.items()):
        cache = None if route.cache is None else route.cache.cache()
        if cache is not None and cache.semantic is not None:
            found[name] = cache.semantic
    return found


def _view(
    desk: Desk, name: str, tier: SemanticCache, learnt: LearntThreshold | None
) -> ThresholdView:
    route = desk.plans.current.routes.get(name)
    cache = None if route is None else route.cache
    semantic = None if cache is None else cache.semantic
    return ThresholdView(
        name,
        tier.mode,
        tier.encoder,
        tier.target,
        None if semantic is None else semantic.threshold,
        tier.threshold is not None,
        learnt,
        None if learnt is None else why_not(learnt, tier),
    )
