from tidegate.stores.schema import metadata
from tidegate.stores.schema_posts import posts


def test_a_thing_has_one_post_of_each_way() -> None:
    assert posts.metadata is metadata
    assert [column.name for column in posts.primary_key.columns] == ["way", "thing"]
