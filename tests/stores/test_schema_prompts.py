from tidegate.stores.schema import metadata, receipts
from tidegate.stores.schema_prompts import certificates, prompt_versions, tag_flips


def test_the_tables_are_of_the_one_database_and_a_version_says_one_thing() -> None:
    assert {it.metadata for it in (certificates, prompt_versions, tag_flips)} == {metadata}
    assert [it.name for it in prompt_versions.primary_key] == ["prompt", "version"]
    assert {"prompt", "prompt_version"} <= set(receipts.columns.keys())
