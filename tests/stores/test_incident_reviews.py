"""Reviews of incidents, newest first, each route's own."""

from sqlalchemy import Engine

from tidegate.stores import database, incident_reviews
from tidegate.stores.incident_reviews import IncidentReview


def test_reviews_are_kept_by_route(engine: Engine) -> None:
    kept = [
        IncidentReview("chat", 10.0, "operator:eve", "https://wiki/1", "two replicas"),
        IncidentReview("chat", 30.0, "operator:eve", "https://wiki/2", "an alert"),
        IncidentReview("chat", 20.0, "operator:ada", "https://wiki/3", "a test"),
        IncidentReview("rag", 5.0, "operator:ada", "https://wiki/4", "a limit"),
    ]
    with database.writing(engine) as connection:
        assert incident_reviews.newest(connection) == {}
        for one in kept:
            incident_reviews.add(connection, one)
    with database.reading(engine) as connection:
        assert incident_reviews.newest(connection) == {"chat": 30.0, "rag": 5.0}
        assert incident_reviews.of_route(connection, "chat") == [kept[1], kept[2], kept[0]]
        assert incident_reviews.of_route(connection, "chat", limit=1) == [kept[1]]
        assert incident_reviews.of_route(connection, "nobody") == []
