"""Reviews of incidents: who looked at what had cost so much, and what they do about it."""

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from tidegate.stores.schema_objectives import incident_reviews


class IncidentReview(Struct, frozen=True):
    """`postmortem` says where it was written down, `follow_up` what is done so that it does not
    come again."""

    route: str
    at_s: float
    author: str
    postmortem: str
    follow_up: str


def add(connection: Connection, review: IncidentReview) -> None:
    """Keep it, in the caller's transaction."""
    connection.execute(
        insert(incident_reviews).values(
            route=review.route,
            at_s=review.at_s,
            author=review.author,
            postmortem=review.postmortem,
            follow_up=review.follow_up,
        )
    )


def newest(connection: Connection) -> dict[str, float]:
    """When each route's incidents were last reviewed."""
    c = incident_reviews.c
    query = select(c.route, func.max(c.at_s)).group_by(c.route)
    return {route: float(at_s) for route, at_s in connection.execute(query)}


def of_route(connection: Connection, route: str, limit: int = 20) -> list[IncidentReview]:
    """The newest first."""
    c = incident_reviews.c
    query = (
        select(c.route, c.at_s, c.author, c.postmortem, c.follow_up)
        .where(c.route == route)
        .order_by(c.at_s.desc(), c.seq.desc())
        .limit(limit)
    )
    return [IncidentReview(*row) for row in connection.execute(query)]
