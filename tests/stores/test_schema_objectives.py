from tidegate.stores.schema_objectives import incident_reviews


def test_a_review_says_who_where_and_what_follows() -> None:
    wanted = {"route", "at_s", "author", "postmortem", "follow_up"}
    assert {it.name for it in incident_reviews.columns if not it.nullable} == wanted | {"seq"}
