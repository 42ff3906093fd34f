"""What judges said of kept answers to other wordings: what a threshold is learnt of."""

from sqlalchemy import Engine

from tidegate.control.routes import Call, Row
from tidegate.control.shapes_pairs import PairsPage, PairsQuery
from tidegate.core import clock
from tidegate.stores import database, judged_hits


async def _pairs(call: Call) -> PairsPage:
    asked: PairsQuery = call.query
    route = call.desk.plans.declared.routes.get(asked.route)
    semantic = None if route is None or route.cache is None else route.cache.semantic

    def read(engine: Engine) -> PairsPage:
        with database.reading(engine) as connection:
            since_s = clock.wall_s() - asked.since_s
            found = judged_hits.judged_pairs(connection, asked.route, since_s)
            return PairsPage(found, None if semantic is None else semantic.target)

    return await call.desk.store(read)


ROWS = (Row("GET", "/api/cache/pairs", "viewer", _pairs, query=PairsQuery),)
