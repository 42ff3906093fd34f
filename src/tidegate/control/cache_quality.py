"""How hits of a route's tiers were judged, beside its fresh answers."""

from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.controllers.cache_worth import View
from tidegate.core.cache import Tier
from tidegate.core.cache_worth import Judged, Quality
from tidegate.stores import assessments

_SHADOW = "shadow"


def added_to(connection: Connection, view: View, since_s: float) -> View:
    """The view, with what judges found of requests since."""
    found = of_route(connection, view.route, since_s)
    tiers = tuple(
        replace(one, quality=found.get(one.tier, found[None])) if one.blocks else one
        for one in view.tiers
    )
    return replace(view, tiers=tiers)


def of_route(connection: Connection, route: str, since_s: float) -> dict[Tier | None, Quality]:
    """By tier; None: of one of which no hit was judged."""
    counted = assessments.counted(connection, route=route, since_s=since_s)
    of = [it for it in counted if it.assessed_as == "quality" and it.arm != _SHADOW]
    fresh = Judged(sum(it.known for it in of), sum(it.bad for it in of))
    return {None: Quality(fresh=fresh)}
