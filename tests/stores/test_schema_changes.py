from tidegate.stores.schema_changes import changes, leadership, revisions


def test_a_change_says_how_it_ends_and_a_revision_has_no_end() -> None:
    assert {"until_s", "lease_s", "ended_at_s", "ended_why"} <= set(changes.c.keys())
    assert not {"until_s", "ended_at_s"} & set(revisions.c.keys())


def test_there_is_one_leadership() -> None:
    assert [column.name for column in leadership.primary_key] == ["name"]
