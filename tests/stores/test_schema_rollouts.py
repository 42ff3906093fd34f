from tidegate.stores.schema_rollouts import decisions, memories, rollouts


def test_a_subject_is_remembered_once() -> None:
    assert [column.name for column in memories.primary_key] == ["controller", "subject"]


def test_what_may_be_unknown_may_be_null() -> None:
    nullable = {column.name for column in rollouts.c if column.nullable}
    assert nullable == {"ended_at_s", "problem", "problem_at_s"}
    assert {column.name for column in decisions.c if column.nullable} == {"memory"}
